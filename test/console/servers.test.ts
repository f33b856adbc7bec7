/** A server's page: consoles, actions, parts, the ways to launch one. Chromium on a whole cloud with simulated hosts; each test goes on from the one before. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, HOSTILE, PASSWORD, WAIT_MS } from '../support/console.ts';

describe('servers in the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;
  /** Ann's token, for what is prepared by the API. */
  let token: string;
  let serverId: string;
  let networkId: string;

  const fine = (name: string): Promise<void> => user.fine(name);
  const call = (method: string, path: string, body?: unknown) => cloud.ok(method, path, body, { token });
  const active = async (id: string): Promise<void> =>
    cloud.until('the server runs', async () => (await call('GET', `/compute/v2.1/servers/${id}`)).server.status === 'ACTIVE', WAIT_MS);
  const tab = async (name: string): Promise<void> => page.getByRole('tab', { name, exact: true }).click();

  before(async () => {
    user = await ConsoleUser.start({ hosts: 2 });
    ({ cloud, page } = user);
    token = await cloud.login('ann', PASSWORD, 'alpha');
    const { network } = await call('POST', '/network/v2.0/networks', { network: { name: 'net' } });
    networkId = network.id;
    await call('POST', '/network/v2.0/subnets', { subnet: { network_id: networkId, ip_version: 4, cidr: '10.9.0.0/24' } });
    const [image] = (await call('GET', '/image/v2/images')).images;
    const [flavor] = (await call('GET', '/compute/v2.1/flavors')).flavors;
    const body = { server: { name: 'one', imageRef: image.id, flavorRef: flavor.id, networks: [{ uuid: networkId }] } };
    serverId = (await call('POST', '/compute/v2.1/servers', body)).server.id;
    await active(serverId);
    await user.signIn();
  });
  after(async () => await user?.stop());

  test('the display is shown, takes keys and pasted text, fills the screen, and is opened again with a new pass', async () => {
    const passes: string[] = [];
    page.on('request', (request) => void (request.url().endsWith('/remote-consoles') && passes.push(request.postData() ?? '')));
    const sent: Buffer[] = [];
    page.on('websocket', (socket) => void socket.on('framesent', ({ payload }) => sent.push(Buffer.from(payload))));
    await page.goto(user.at(`/console/servers/${serverId}`));
    await tab('Display');
    await page.locator('[data-console-state=open]').waitFor();
    // the picture of a simulated host is grey
    await page.waitForFunction(() => {
      const canvas = document.querySelector<HTMLCanvasElement>('.console-box canvas');
      return canvas !== null && canvas.width === 64 && canvas.getContext('2d')?.getImageData(3, 3, 1, 1).data[0] === 0x80;
    });
    await fine('server-display');

    /** Keys that went out: keysym, pressed or let go. */
    const keys = (): string[] =>
      sent.filter((data) => data[0] === 4 && data.length === 8).map((data) => `${data.readUInt32BE(4).toString(16)}${data[1] ? '+' : '-'}`);
    await user.button('Send Ctrl+Alt+Del').click();
    await user.button('Type into the console').click();
    await page.keyboard.press('q');
    await user.button('Paste text').click();
    await page.getByRole('dialog').getByLabel('Text').fill('A\n');
    await user.button('Type it').click();
    const expected = ['ffe3+', 'ffe9+', 'ffff+', 'ffff-', 'ffe9-', 'ffe3-', '71+', '71-', 'ffe1+', '41+', '41-', 'ffe1-', 'ff0d+', 'ff0d-'];
    await cloud.until('all keys were sent', async () => keys().length >= expected.length, WAIT_MS);
    assert.deepEqual(keys(), expected);

    await user.button('Type into the console').click();
    await page.keyboard.press('Control+Alt+Home');
    await page.waitForFunction(() => document.activeElement?.textContent === 'Type into the console');

    await user.button('Full screen').click();
    await page.waitForFunction(() => document.fullscreenElement?.className === 'console-box');
    await page.evaluate(() => document.exitFullscreen());
    await user.button('Connect again').click();
    await cloud.until('a second pass was asked for', async () => passes.length === 2);
    await page.locator('[data-console-state=open]').waitFor();
  });

  test('the serial line is a terminal; what the guest says there cannot reach the page', async () => {
    await tab('Serial line');
    await page.locator('.xterm-rows').getByText('login:').first().waitFor();
    await user.button('Type into the console').click();
    // a simulated line says what it hears: colours of cells, a title, a link, markup
    const hostile = `\u001b[38;2;1;200;3mgreen\u001b[0m \u001b]0;broken in\u0007\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007 ${HOSTILE.slice(0, 40)}`;
    await user.button('Paste text').click();
    await page.getByRole('dialog').getByLabel('Text').fill('typed by ann');
    await user.button('Type it').click();
    await page.locator('.xterm-rows').getByText('typed by ann').waitFor();
    await page.evaluate((text) => {
      const data = new DataTransfer();
      data.setData('text/plain', text);
      document.querySelector('.xterm-helper-textarea')?.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true }));
    }, hostile);
    await page.locator('.xterm-rows').getByText('<img src=x').waitFor();
    assert.equal(await page.locator('.xterm-rows img').count(), 0);
    await fine('server-serial');
  });

  test('a console whose line breaks is opened again; that of a server that is off says so, and comes back with it', async () => {
    await call('POST', `/compute/v2.1/servers/${serverId}/action`, { 'os-stop': null });
    await page.locator('[data-console-state=off]').waitFor();
    await user.shown('The server does not run. Its console opens when it does.');
    await call('POST', `/compute/v2.1/servers/${serverId}/action`, { 'os-start': null });
    await page.locator('[data-console-state=open]').waitFor();
    await page.locator('.xterm-rows').getByText('login:').first().waitFor();
  });

  test('a page of another origin opens no console, and this page opens none of another host', async () => {
    const open = (where: Page, url: string): Promise<string> =>
      where.evaluate(
        (address) =>
          new Promise<string>((resolve) => {
            try {
              const socket = new WebSocket(address, 'binary');
              socket.addEventListener('open', () => resolve('open'));
              socket.addEventListener('error', () => resolve('refused'));
            } catch (error) {
              resolve((error as Error).name);
            }
          }),
        url,
      );
    const pass = async (): Promise<string> => {
      const answer = await cloud.ok(
        'POST',
        `/compute/v2.1/servers/${serverId}/remote-consoles`,
        { remote_console: { protocol: 'serial', type: 'serial' } },
        { token, headers: { 'openstack-api-version': 'compute 2.96' } },
      );
      const { pathname, search } = new URL(answer.remote_console.url);
      return `${cloud.url.replace('http:', 'ws:')}${pathname}${search}`;
    };
    const address = await pass();
    // the same cloud, but under another name: a page there is of another origin
    const foreign = await user.context.newPage();
    await foreign.route('http://elsewhere.test/', (route) => route.fulfill({ contentType: 'text/html', body: '<title>elsewhere</title>' }));
    await foreign.goto('http://elsewhere.test/');
    assert.equal(await open(foreign, address), 'refused');
    await foreign.close();
    // the refusal did not use the pass up
    const own = await user.context.newPage();
    await own.goto(user.at('/console/'));
    assert.equal(await open(own, address), 'open');
    assert.equal(await open(own, address), 'refused', 'used once');
    const policy: string[] = [];
    own.on('console', (message) => void (/Content Security Policy/.test(message.text()) && policy.push(message.text())));
    await open(own, 'ws://127.0.0.2:9/compute/console/serial?token=a');
    await cloud.until('the page’s policy refused it', async () => /connect-src/.test(policy.join()));
    await own.close();
  });

  /** Opens the dialog of an action of the server's page. */
  const dialogOf = async (item: string) => {
    await user.button('Actions').click();
    await page.getByRole('menuitem', { name: item, exact: true }).click();
    const dialog = page.getByRole('dialog', { name: item });
    await dialog.waitFor();
    return {
      dialog,
      fill: (label: string, text: string) => dialog.getByLabel(label, { exact: true }).fill(text),
      async pick(label: string, option: string | RegExp) {
        await dialog.getByRole('button', { name: new RegExp(label) }).click();
        await page.getByRole('option', { name: option }).first().click();
      },
      async confirm(name: string) {
        await dialog.getByRole('button', { name, exact: true }).click();
        await dialog.waitFor({ state: 'hidden' });
      },
    };
  };
  const shown = async (): Promise<Record<string, unknown> & { status: string; flavor: { original_name: string } }> =>
    (await cloud.ok('GET', `/compute/v2.1/servers/${serverId}`, undefined, { token, headers: { 'openstack-api-version': 'compute 2.96' } })).server;

  test('it is renamed, tagged, given metadata', async () => {
    await tab('Overview');
    const rename = await dialogOf('Rename');
    await rename.fill('Name', 'two');
    await rename.fill('Description', HOSTILE);
    await rename.confirm('Save');
    await page.getByRole('heading', { name: 'two', exact: true }).waitFor();
    const tags = await dialogOf('Tags');
    await tags.fill('Tags', 'web, db');
    await tags.confirm('Save');
    const metadata = await dialogOf('Metadata');
    await metadata.dialog.getByRole('button', { name: 'Add', exact: true }).click();
    await metadata.dialog.getByRole('textbox', { name: 'Key' }).fill('owner');
    await metadata.dialog.getByRole('textbox', { name: 'Value' }).fill('ann');
    await fine('server-metadata');
    await metadata.confirm('Save');
    await page.getByText('owner=ann').waitFor();
    const { tags: words, metadata: pairs, description } = await shown();
    assert.deepEqual([words, pairs, description], [['db', 'web'], { owner: 'ann' }, HOSTILE]);
  });

  test('it is resized to a flavor that is chosen, which is confirmed', async () => {
    const before = (await shown()).flavor.original_name;
    const resize = await dialogOf('Resize');
    await resize.dialog.getByRole('button', { name: /Flavor/ }).click();
    await page.getByRole('option', { disabled: false }).last().click();
    await fine('server-resize');
    await resize.confirm('Resize');
    await page.getByText('Resized, to be confirmed').first().waitFor();
    // how that came about is drawn too, from its own steps
    await tab('How it came to be');
    const panel = page.getByRole('tabpanel').filter({ visible: true });
    await panel.getByRole('button', { name: /^Action/ }).click();
    await page.getByRole('option', { name: /^Resize/ }).click();
    for (const step of ['compute_copy_disks', 'compute_switch', 'compute_finish']) await page.locator(`[data-step=${step}][data-state=done]`).waitFor();
    await fine('server-resize-flow');
    await user.button('Actions').click();
    await page.getByRole('menuitem', { name: 'Confirm resize', exact: true }).click();
    await page.getByText('Active', { exact: true }).first().waitFor();
    assert.notEqual((await shown()).flavor.original_name, before);
  });

  test('a lock protects it, with its reason; what needs another role says which', async () => {
    const lock = await dialogOf('Lock');
    await lock.fill('Reason', 'payroll runs here');
    await lock.confirm('Lock');
    await cloud.until('it is locked', async () => (await shown())['locked'] === true, WAIT_MS);
    await user.button('Actions').click();
    const reasonOf = async (item: string, reason: RegExp): Promise<void> => {
      const entry = page.getByRole('menuitem', { name: item, exact: true });
      await page.locator('[role=menuitem][aria-disabled=true]', { hasText: item }).first().waitFor({ state: 'attached' });
      await entry.hover();
      await page.getByText(reason).first().waitFor({ state: 'attached' });
    };
    await reasonOf('Delete', /It is locked: payroll runs here\. Unlock it first\./);
    await reasonOf('Evacuate', /This takes one of the roles admin\./);
    await page.getByRole('menuitem', { name: 'Unlock', exact: true }).click();
    await cloud.until('it is unlocked', async () => (await shown())['locked'] === false, WAIT_MS);
  });

  test('an image of it is made; it is rebuilt, and rescued', async () => {
    const image = await dialogOf('Create image');
    await image.fill('Name', 'golden');
    await image.confirm('Create');
    await cloud.until('the image is there', async () => (await call('GET', '/image/v2/images?name=golden')).images[0]?.status === 'active', WAIT_MS);
    await cloud.until('it is idle', async () => (await shown())['OS-EXT-STS:task_state'] === null, WAIT_MS);
    await page.reload();
    /** The password of its administrator is shown once. */
    const told = async (name: string): Promise<void> => {
      const dialog = page.getByRole('dialog', { name });
      await dialog.getByRole('button', { name, exact: true }).click();
      await dialog.getByText(/The password of its administrator, shown only now/).waitFor();
      assert.match((await dialog.locator('pre').textContent()) ?? '', /^\w{12,}$/);
      await fine(`server-${name.toLowerCase()}`);
      await dialog.getByRole('button', { name: 'Close' }).last().click();
      await dialog.waitFor({ state: 'hidden' });
    };
    const rescue = await dialogOf('Rescue');
    await rescue.pick('Image', /golden/);
    await told('Rescue');
    await page.getByText('Rescue', { exact: true }).first().waitFor();
    await user.button('Actions').click();
    await page.getByRole('menuitem', { name: 'Leave rescue', exact: true }).click();
    await page.getByText('Active', { exact: true }).first().waitFor();
    const rebuild = await dialogOf('Rebuild');
    await rebuild.pick('Image', /golden/);
    await told('Rebuild');
    const golden = (await call('GET', '/image/v2/images?name=golden')).images[0].id;
    await cloud.until(
      'it was rebuilt',
      async () => {
        const { image: used, status } = (await shown()) as unknown as { image: { id: string }; status: string };
        return used.id === golden && status === 'ACTIVE';
      },
      WAIT_MS,
    );
  });

  test('volumes and interfaces are attached and detached from the page', async () => {
    await call('POST', '/volume/v3/volumes', { volume: { name: 'data', size: 1 } });
    await cloud.until('the volume is there', async () => (await call('GET', '/volume/v3/volumes/detail')).volumes[0]?.status === 'available', WAIT_MS);
    await tab('Volumes');
    await user.shown('It has no volumes.');
    const panel = page.getByRole('tabpanel').filter({ visible: true });
    const dialog = page.getByRole('dialog');
    await panel.getByRole('button', { name: 'Attach volume' }).click();
    await dialog.getByRole('button', { name: /Volume/ }).click();
    await page.getByRole('option', { name: /data/ }).click();
    await dialog.getByRole('button', { name: 'Attach', exact: true }).click();
    await panel.getByRole('row', { name: /data/ }).getByText('In use').waitFor();
    await fine('server-volumes');
    await panel.getByRole('button', { name: /^Detach/ }).click();
    await dialog.getByRole('button', { name: 'Detach', exact: true }).click();
    await panel.getByText('It has no volumes.').waitFor();

    await tab('Interfaces');
    await panel
      .getByRole('row', { name: /10\.9\.0\./ })
      .first()
      .waitFor();
    await panel.getByRole('button', { name: 'Attach interface' }).click();
    await dialog.getByRole('button', { name: /Network/ }).click();
    await page.getByRole('option', { name: /net/ }).first().click();
    await dialog.getByLabel('Address', { exact: true }).fill('10.9.0.77');
    await dialog.getByRole('button', { name: 'Attach', exact: true }).click();
    const added = panel.getByRole('row', { name: /10\.9\.0\.77/ });
    await added.waitFor();
    await fine('server-interfaces');
    await added.getByRole('button', { name: /^Detach/ }).click();
    await dialog.getByRole('button', { name: 'Detach', exact: true }).click();
    await added.waitFor({ state: 'hidden' });
  });

  test('a launch says whether it fits, makes a key whose private half is downloaded once, takes user data, and is shown for other tools', async () => {
    await page.goto(user.at('/console/servers/new'));
    await page.getByLabel('Name', { exact: true }).fill('three');
    await page.getByLabel('How many').fill('99');
    await user.shown(/Quota of servers: 99 asked for, \d+ free/);
    await page.getByLabel('How many').fill('1');
    await user.shown('Fits');
    await user.button('Volume').click();
    await user.button('Launch a server').click();
    await user.shown('A volume is needed.');
    await user.button('Image').click();
    await page
      .getByRole('button', { name: /^Image/ })
      .last()
      .click();
    await page.getByRole('option').filter({ hasNotText: 'golden' }).first().click();

    await user.button('Make a key pair').first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('made');
    const file = page.waitForEvent('download');
    await dialog.getByRole('button', { name: 'Make a key pair' }).click();
    const download = await file;
    assert.equal(download.suggestedFilename(), 'made.pem');
    assert.match(readFileSync((await download.path()) ?? '', 'utf8'), /^-----BEGIN [A-Z ]*PRIVATE KEY-----/);
    assert.equal((await call('GET', '/compute/v2.1/os-keypairs/made')).keypair.name, 'made');

    await user.button('Write user data').click();
    await page.getByRole('textbox', { name: 'User data' }).fill('#!/bin/sh\necho 你好');
    await user.button('Tags, metadata, placement').click();
    await page.getByLabel('Tags', { exact: true }).fill('blue');
    await page.getByText(/^openstack server create .*--key-name made --user-data user-data.txt --tag blue three$/).waitFor();
    await user.button('Terraform').click();
    await page.getByText(/^resource "openstack_compute_instance_v2" "three" \{/).waitFor();
    await fine('launch-all');
    await user.button('Launch a server').click();
    await page.locator('[data-step=compute_spawn][data-state=done]').waitFor();
    const id = /servers\/([0-9a-f-]{36})/.exec(page.url())?.[1] ?? '';
    const { server } = await cloud.ok('GET', `/compute/v2.1/servers/${id}`, undefined, { headers: { 'openstack-api-version': 'compute 2.96' } });
    assert.deepEqual([server.name, server.key_name, server.tags], ['three', 'made', ['blue']]);
    assert.equal(Buffer.from(server['OS-EXT-SRV-ATTR:user_data'], 'base64').toString(), '#!/bin/sh\necho 你好');
  });

  test('the table draws what servers use of their processors, asked for with one call', async () => {
    const asked: string[][] = [];
    page.on('request', (request) => {
      const url = new URL(request.url());
      // the page before this one may ask, too
      if (url.pathname.endsWith('/os-cairn-usage') && page.url().endsWith('/console/servers')) asked.push(url.searchParams.getAll('server_id'));
    });
    await page.goto(user.at('/console/servers'));
    const row = page.getByRole('row', { name: 'three' });
    await row.getByRole('img', { name: /^Between \d+ and \d+ % in the last 10 minutes$/ }).waitFor();
    await row.getByText(/^\d+ %$/).waitFor();
    assert.match((await row.locator('.cpu-line path').getAttribute('d')) ?? '', /^M[\d.]+ [\d.]+/);
    const rows = await page.getByRole('row').getByRole('rowheader').count();
    assert.equal(new Set(asked[0]).size, rows, 'all rows of the page with the first call');
    // what is not in the rows cannot be sorted by
    assert.equal(await page.getByRole('columnheader', { name: 'Processor' }).getByRole('button').count(), 0);
    await fine('servers-cpu');
  });

  test('measurements of network and disks are for administrators, and others are told so; an administrator sees them, and moves the server while it runs', async () => {
    await page.goto(user.at(`/console/servers/${serverId}`));
    await tab('Metrics');
    await user.shown('The cloud shows measurements of network and disks to administrators alone.');
    await page.locator('[data-measure=cpuPercent]', { hasText: /Used: \d+(\.\d)? %/ }).waitFor();
    assert.equal(await page.locator('[data-measure=received]').count(), 0);
    assert.equal(await page.getByRole('tab', { name: 'Migrations' }).count(), 0);
    await fine('server-metrics-refused');

    const { adminPassword } = JSON.parse(readFileSync(join(cloud.data, 'secrets.json'), 'utf8')) as { adminPassword: string };
    await user.signOut('ann');
    await user.enter('admin', adminPassword);
    await page.getByRole('tab', { name: 'Metrics', exact: true }).click();
    await page.locator('[data-measure=cpuPercent]', { hasText: /Used: \d+(\.\d)? %/ }).waitFor();
    await page.locator('[data-measure=received]').waitFor();
    await page.locator('.uplot canvas').first().waitFor();
    await fine('server-metrics');

    await tab('Migrations');
    const host = async (): Promise<unknown> => (await cloud.ok('GET', `/compute/v2.1/servers/${serverId}`)).server['OS-EXT-SRV-ATTR:host'];
    const before = await host();
    const live = await dialogOf('Live-migrate');
    await live.confirm('Live-migrate');
    await page
      .getByRole('row', { name: /live-migration/ })
      .getByText('Completed')
      .waitFor();
    assert.notEqual(await host(), before);
    await fine('server-migrations');
    await page.goto(user.at('/console/servers/new'));
    await user.shown('2 hosts have room for it now.');
  });
});
