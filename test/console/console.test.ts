/**
 * The console as its users meet it: Chromium, a whole cloud on simulated hosts, every page. Each test goes on from where the one before it left
 * the cloud. Fails on exceptions in the page, on breaches of its content security policy, and on what axe finds of WCAG AA.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { packedLength } from '@cairn/cairn/bench/packed-length';
import { accessibility, type Browser, type BrowserContext, noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, HOSTILE, PASSWORD, WAIT_MS } from '../support/console.ts';

describe('the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;

  const at = (path: string): string => user.at(path);
  const shown = (text: string | RegExp): Promise<void> => user.shown(text);
  const nav = (name: string) => user.nav(name);
  const fine = (name: string): Promise<void> => user.fine(name);
  const choose = (button: string, item: string): Promise<void> => user.choose(button, item);

  before(async () => {
    user = await ConsoleUser.start();
    ({ cloud, browser, context, page } = user);
  });
  after(async () => await user?.stop());

  test('a browser that asks for / comes to the sign-in, however long the first build takes; a wrong password is refused in words', async () => {
    await page.goto(at('/'));
    await page.getByLabel('User name').waitFor({ timeout: 10 * WAIT_MS });
    await page.getByLabel('User name').fill('ann');
    await page.getByLabel('Password').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await shown('User name, password, domain or passcode are not right');
    await fine('sign-in');
  });

  test('the right one opens the console, and no script can read what it opened it with', async () => {
    await page.getByLabel('Password').fill(PASSWORD);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await shown('No servers yet');
    assert.equal(await page.evaluate('document.cookie'), '');
    const [cookie, ...others] = await context.cookies(at('/console/'));
    assert.deepEqual([cookie?.httpOnly, cookie?.sameSite, cookie?.path, others.length], [true, 'Strict', '/console', 0]);
    const kept = await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage }) + document.documentElement.outerHTML');
    assert.ok(!String(kept).includes(cookie?.value ?? ''));
    const answer = await page.evaluate(async () => {
      const body = JSON.stringify({
        auth: { identity: { methods: ['password'], password: { user: { name: 'ann', domain: { id: 'default' }, password: 'correct horse battery staple' } } } },
      });
      const response = await fetch('/console/api/identity/v3/auth/tokens', {
        method: 'POST',
        headers: { 'x-cairn-console': '1', 'content-type': 'application/json' },
        body,
      });
      return [response.status, response.headers.get('x-subject-token'), response.headers.get('cache-control')];
    });
    assert.deepEqual(answer, [201, null, 'no-store']);
    await fine('overview-empty');
    await nav('Servers').click();
    await shown('A server is a machine of your own');
    await fine('servers-empty');
  });

  test('the first page is within its budget of JavaScript, packed with gzip', async (t) => {
    /** Length of the scripts that a page loads in a new browser context, or with the session. */
    const weight = async (where: BrowserContext, path: string, usable: string): Promise<number> => {
      const fresh = await where.newPage();
      fresh.setDefaultTimeout(WAIT_MS);
      const names = new Set<string>();
      fresh.on('request', (request) => void (request.url().endsWith('.js') && names.add(request.url())));
      await fresh.goto(at(path));
      await fresh.getByText(usable).first().waitFor();
      await fresh.close();
      const sizes = await Promise.all([...names].map(packedLength));
      return sizes.reduce((sum, size) => sum + size, 0);
    };
    const stranger = await browser.newContext({ locale: 'en-US' });
    // what else comes while somebody types is a part of the pages behind
    const html = await (await fetch(at('/console/'))).text();
    const named = [...html.matchAll(/(?:src|href)="([^"]+\.js)"/g)].map(([, path = '']) => at(path));
    const signIn = (await Promise.all(named.map(packedLength))).reduce((sum, size) => sum + size, 0);
    const door = await stranger.newPage();
    await door.goto(at('/console/'));
    await door.getByLabel('User name').waitFor();
    const fonts = await door.evaluate(
      () => [...document.styleSheets].flatMap((sheet) => [...sheet.cssRules]).filter((rule) => /@font-face.*data:/.test(rule.cssText)).length,
    );
    assert.equal(fonts, 0, 'no font is within the styles');
    const [overview, servers] = [await weight(context, '/console/', 'No servers yet'), await weight(context, '/console/servers', 'No servers yet')];
    await stranger.close();
    t.diagnostic(`sign-in ${signIn} bytes, overview ${overview} bytes, servers ${servers} bytes`);
    assert.ok(signIn > 100_000 && servers > signIn, 'the scripts were seen');
    assert.ok(signIn <= 230_000, `sign-in: ${signIn} bytes`);
    assert.ok(overview <= 390_000, `overview: ${overview} bytes`);
    assert.ok(servers <= 460_000, `servers: ${servers} bytes`);
  });

  test('a network with addresses is made', async () => {
    await nav('Networks').click();
    await page.getByRole('button', { name: 'Create network' }).first().click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('net');
    await dialog.getByLabel('Addresses (CIDR)').fill('10.0.0.0/33');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await dialog
      .getByText(/10\.0\.0\.0\/33/)
      .first()
      .waitFor();
    await dialog.getByLabel('Addresses (CIDR)').fill('10.7.0.0/24');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('cell', { name: '10.7.0.0/24' }).waitFor();
    await fine('networks');
  });

  test('a key, a group with a rule, a volume are made', async () => {
    const dialog = page.getByRole('dialog');
    await nav('Key pairs').click();
    await page.getByRole('button', { name: 'Import public key' }).first().click();
    await dialog.getByLabel('Name').fill('laptop');
    await dialog.getByLabel('Public key').fill('ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFVYmMKxtcwfuHsFLIcCdGGkjVn6gXUGPuBqOEVq1nGo ann');
    await dialog.getByRole('button', { name: 'Import public key' }).click();
    await page.getByRole('rowheader', { name: 'laptop', exact: true }).waitFor();
    await fine('key-pairs');

    await nav('Security groups').click();
    await page.getByRole('button', { name: 'Create security group' }).first().click();
    await dialog.getByLabel('Name').fill('web');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('link', { name: 'web', exact: true }).click();
    await page.getByRole('button', { name: 'Add rule' }).click();
    await dialog.getByLabel('Ports').fill('80-90');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByText('80-90', { exact: true }).waitFor();
    await fine('security-group');

    await nav('Volumes').click();
    await page.getByRole('button', { name: 'Create volume' }).first().click();
    await dialog.getByLabel('Name').fill('data');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('row', { name: 'data' }).getByText('Available').waitFor();
    await fine('volumes');
  });

  test('a server is launched from the form, and the way that it takes is drawn from its real steps', async () => {
    await nav('Servers').click();
    await page
      .getByRole('button', { name: 'Launch a server' })
      .or(page.getByRole('link', { name: 'Launch a server' }))
      .first()
      .click();
    await page.getByLabel('Name', { exact: true }).fill(HOSTILE);
    await page.getByText(/^openstack server create --image \S+ --flavor \S+ --network \S+ /).waitFor();
    await fine('launch');
    await page.getByRole('button', { name: 'Launch a server' }).click();
    const steps = ['request', 'compute_schedule', 'compute_ports', 'compute_disks_and_network', 'compute_spawn'];
    for (const step of steps) await page.locator(`[data-step=${step}][data-state=done]`).waitFor();
    assert.deepEqual(await page.locator('[data-step]').evaluateAll((nodes) => nodes.map((node) => node.getAttribute('data-step'))), steps);
    await page.getByRole('heading', { name: HOSTILE }).waitFor();
    await fine('launch-hostile');
  });

  test('the server’s other views: overview, actions, console log', async () => {
    for (const [tab, text, name] of [
      ['Overview', '10.7.0.', 'server'],
      ['Actions', 'req-', 'server-actions'],
    ] as const) {
      await page.getByRole('tab', { name: tab, exact: true }).click();
      await page.getByRole('tabpanel').getByText(text).first().waitFor();
      await fine(name);
    }
    await page.getByRole('tab', { name: 'Console log' }).click();
    await page.getByRole('tabpanel').locator('pre').or(page.getByText('The console has said nothing yet.')).waitFor();
    await fine('console-log');
    assert.match(page.url(), /\/console\/servers\/[0-9a-f-]{36}\?tab=log$/);
    await page.reload();
    await page.getByRole('tab', { name: 'Console log', selected: true }).waitFor();
  });

  test('a change that somebody else makes is on screen without asking', async () => {
    await nav('Servers').click();
    await page.getByRole('row').getByText('Active').waitFor();
    const id = /servers\/([0-9a-f-]{36})/.exec((await page.getByRole('row').getByRole('link').first().getAttribute('href')) ?? '')?.[1] ?? '';
    await cloud.ok('POST', `/compute/v2.1/servers/${id}/action`, { 'os-stop': null });
    await page.getByRole('row').getByText('Off', { exact: true }).waitFor();
    await cloud.ok('PUT', `/compute/v2.1/servers/${id}`, { server: { name: 'renamed' } });
    await page.getByRole('link', { name: 'renamed' }).waitFor();
  });

  test('actions that cannot be done say why, and those that can are done', async () => {
    await page.getByRole('checkbox', { name: 'Select renamed' }).check();
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    const stop = page.getByRole('menuitem', { name: 'Stop' });
    await user.off(stop);
    await stop.hover();
    // the words are there for screen readers too, so that not all of them are on screen
    await page
      .getByText(/It has to be running, failed for this/)
      .first()
      .waitFor({ state: 'attached' });
    await page.getByRole('menuitem', { name: 'Start' }).click();
    await page.getByRole('row').getByText('Active').waitFor();
    await fine('servers');
    await page.getByRole('link', { name: 'renamed' }).click();
    await page.getByRole('tab', { name: 'How it came to be' }).click();
    await page.locator('[data-step=compute_spawn][data-state=done]').waitFor();
    await fine('launch-flow');
  });

  test('the topology shows who is connected to what', async () => {
    await nav('Topology').click();
    await page.locator('.react-flow__node', { hasText: 'renamed' }).waitFor();
    await page.locator('.react-flow__edge.edge-up').first().waitFor({ state: 'attached' });
    await fine('topology');
  });

  test('every call that the page made can be seen as a command, without a token in it', async () => {
    await page.getByRole('button', { name: 'Open the activity panel' }).click();
    await page
      .getByRole('button', { name: /\/network\/v2\.0\/ports/ })
      .first()
      .click();
    await shown('openstack port list');
    await page.getByRole('button', { name: 'curl', exact: true }).click();
    await shown(/^curl -sS -H "X-Auth-Token: \$OS_TOKEN" \S+\/network\/v2\.0\/ports\?limit=500'$/);
    await fine('activity');
    await page.getByRole('button', { name: 'Close the activity panel' }).click();
  });

  test('Chinese and dark, kept for the next visit; readable on a phone', async () => {
    await nav('Servers').click();
    await choose('Language and colours', '简体中文');
    await page.getByRole('heading', { name: '云服务器' }).first().waitFor();
    await choose('语言与配色', '深色');
    await page.reload();
    await page.getByRole('heading', { name: '云服务器' }).first().waitFor();
    await fine('servers-zh-dark');
    await page.setViewportSize({ width: 390, height: 780 });
    await page.reload();
    await page.getByRole('heading', { name: '云服务器' }).first().waitFor();
    await fine('servers-phone');
    await page.setViewportSize({ width: 1280, height: 800 });
    await page.reload();
    await choose('语言与配色', '浅色');
    await choose('语言与配色', 'English');
    await page.getByRole('heading', { name: 'Servers' }).first().waitFor();
  });

  test('another project shows its own things alone, and the link to a server of the first leads nowhere', async () => {
    const link = (await page.getByRole('link', { name: 'renamed' }).getAttribute('href')) ?? '';
    await user.move('alpha', 'beta');
    await shown('No servers yet');
    await page.goto(at(link));
    await shown('The server cannot be shown');
    await page.goto(at('/console/servers'));
    await user.move('beta', 'alpha');
    await page.getByRole('link', { name: 'renamed' }).waitFor();
  });

  test('what a guest writes to its console is text, whatever it is', async () => {
    const output = `${HOSTILE}\u001b[31mred\u001b[0m</pre><script>document.title='broken in'</script>\u0000\u202eend`;
    await page.route('**/action', (route) => route.fulfill({ json: { output } }));
    await page.getByRole('link', { name: 'renamed' }).click();
    await page.getByRole('tab', { name: 'Console log' }).click();
    await page.locator('pre.console-log').waitFor();
    assert.equal(await page.locator('pre.console-log').textContent(), output);
    assert.equal(await page.locator('pre.console-log *').count(), 0);
    await page.unroute('**/action');
    await fine('console-hostile');
    await nav('Servers').click();
  });

  test('a session that has ended is renewed in place', async () => {
    await context.clearCookies();
    // as a script clicks: what the page asks for by itself may have found the end already, and then the dialog lies over the link
    await nav('Volumes').dispatchEvent('click');
    const dialog = page.getByRole('dialog', { name: 'Your session ends' });
    await dialog.getByLabel('Password').fill(PASSWORD);
    await fine('renewal');
    await dialog.getByRole('button', { name: 'Sign in' }).click();
    await dialog.waitFor({ state: 'hidden' });
    await page.getByRole('row', { name: 'data' }).getByText('Available').waitFor();
    await nav('Servers').click();
    await page.getByRole('link', { name: 'renamed' }).waitFor();
  });

  test('several are deleted at once', async () => {
    await user.selectAll();
    await choose('Actions', 'Delete');
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await shown('No servers yet');
    assert.deepEqual(user.wrong, []);
  });

  test('after signing out the token is worth nothing', async () => {
    const [cookie] = await context.cookies(at('/console/'));
    const token = cookie?.value ?? '';
    assert.equal((await cloud.call('GET', '/compute/v2.1/servers', undefined, { token })).status, 200);
    await user.signOut('ann');
    assert.deepEqual(await context.cookies(at('/console/')), []);
    assert.equal((await cloud.call('GET', '/compute/v2.1/servers', undefined, { token })).status, 401);
  });

  test('axe finds what is wrong, so that its silence means something', async () => {
    const bare = await context.newPage();
    await bare.setContent('<html lang="en"><title>x</title><main><img src="data:,"><input><p style="color:#999;background:#aaa">pale</p></main></html>');
    const found = (await accessibility(bare)).map((line) => line.split(':')[0]);
    assert.deepEqual(found.sort(), ['color-contrast', 'image-alt', 'label']);
    await bare.close();
  });
});
