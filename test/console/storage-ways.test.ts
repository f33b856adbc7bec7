/**
 * Storage in the console: volumes that go to a server and back, to another type, snapshot, image or project; volume groups; images that are fetched,
 * whose upload is given up, that are shared no longer. Chromium on a whole cloud with simulated hosts.
 */
import assert from 'node:assert/strict';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, PASSWORD, WAIT_MS } from '../support/console.ts';

const BYTES = 4_096;

describe('the ways of storage in the console', { skip: noBrowser() ?? false }, () => {
  let web: Server;
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;
  let token: string;
  const row = (name: string) => page.getByRole('row', { name });
  const call = (method: string, path: string, body?: unknown) => cloud.ok(method, path, body, { token });
  const volumes = async (): Promise<readonly { name: string; status: string; volume_type: string; id: string }[]> =>
    (await call('GET', '/volume/v3/volumes/detail')).volumes;
  const available = (name: string) =>
    cloud.until(`${name} is available`, async () => (await volumes()).find((one) => one.name === name)?.status === 'available', WAIT_MS);

  before(async () => {
    web = createServer((_request, response) => void response.writeHead(200, { 'content-length': BYTES }).end(Buffer.alloc(BYTES, 7)));
    await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve));
    const { port } = web.address() as AddressInfo;
    user = await ConsoleUser.start({
      environment: { CAIRN_IMAGE_IMPORT_ALLOWED_PORTS: String(port), CAIRN_IMAGE_IMPORT_ALLOWED_NETWORKS: '127.0.0.0/8' },
    });
    ({ cloud, page } = user);
    token = await cloud.login('ann', PASSWORD, 'alpha');
    const { network } = await call('POST', '/network/v2.0/networks', { network: { name: 'net' } });
    await call('POST', '/network/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, cidr: '10.9.0.0/24' } });
    const [image] = (await call('GET', '/image/v2/images')).images;
    const [flavor] = (await call('GET', '/compute/v2.1/flavors')).flavors;
    const server = { name: 'one', imageRef: image.id, flavorRef: flavor.id, networks: [{ uuid: network.id }] };
    const made = (await call('POST', '/compute/v2.1/servers', { server })).server.id;
    await cloud.ok('POST', '/volume/v3/types', { volume_type: { name: 'other' } });
    await call('POST', '/volume/v3/volumes', { volume: { name: 'data', size: 1 } });
    await available('data');
    await cloud.until('the server runs', async () => (await call('GET', `/compute/v2.1/servers/${made}`)).server.status === 'ACTIVE', WAIT_MS);
    await user.signIn();
  });
  after(async () => {
    await user?.stop();
    web?.close();
  });

  test('a volume is attached to a server, and detached again', async () => {
    await user.nav('Volumes').click();
    await row('data').getByText('Available').waitFor();
    await user.select('data');
    await user.choose('Actions', 'Attach to a server');
    await user.pick('Server', /one/);
    await user.fine('volume-attach');
    await user.confirm('Attach to a server');
    await row('data').getByText('In use').waitFor();
    await row('data')
      .getByRole('link', { name: /^\/dev\// })
      .waitFor();
    await user.choose('Actions', 'Detach');
    await user.fine('volume-detach');
    await user.confirm('Detach');
    await row('data').getByText('Available').waitFor();
  });

  test('it gets another type', async () => {
    await user.choose('Actions', 'Change the type');
    await user.pick('Type', 'other');
    await user.confirm('Change the type');
    await row('data').getByRole('cell', { name: 'other', exact: true }).waitFor();
    await row('data').getByText('Available').waitFor();
    assert.equal((await volumes()).find(({ name }) => name === 'data')?.volume_type, 'other');
  });

  test('it is reverted to its newest snapshot', async () => {
    const { id } = (await volumes())[0] ?? {};
    await call('POST', '/volume/v3/snapshots', { snapshot: { volume_id: id, name: 'before' } });
    await cloud.until('the snapshot is there', async () => (await call('GET', '/volume/v3/snapshots')).snapshots[0]?.status === 'available', WAIT_MS);
    await user.nav('Snapshots').click();
    await row('before').getByText('Available').waitFor();
    await user.nav('Volumes').click();
    await user.select('data');
    await user.choose('Actions', 'Revert to the newest snapshot');
    await user.shown('Everything that was written since the snapshot is lost.');
    await user.pick('What a snapshot holds', /before/);
    await user.fine('volume-revert');
    await user.confirm('Revert to the newest snapshot');
    await available('data');
    await row('data').getByText('Available').waitFor();
  });

  test('an image is made of it', async () => {
    await user.choose('Actions', 'Make an image of it');
    await user.dialog().getByLabel('Name of the image').fill('of data');
    await user.confirm('Make an image of it');
    await available('data');
    await user.nav('Images').click();
    await row('of data').getByText('Active').waitFor();
  });

  test('a volume that another project offers is taken over, with the key it was told', async () => {
    await call('POST', '/volume/v3/volumes', { volume: { name: 'gift', size: 1 } });
    await available('gift');
    const gift = (await volumes()).find(({ name }) => name === 'gift');
    const { transfer } = await call('POST', '/volume/v3/volume-transfers', { transfer: { volume_id: gift?.id, name: 'for beta' } });
    await user.move('alpha', 'beta');
    await user.nav('Volumes').click();
    await page.getByRole('button', { name: 'Take over an offered volume' }).first().click();
    await user.dialog().getByLabel('Transfer ID').fill(transfer.id);
    await user.dialog().getByLabel('Key', { exact: true }).fill('not the key');
    await user.dialog().getByRole('button', { name: 'Take over', exact: true }).click();
    await user
      .dialog()
      .getByText(/^Request req-/)
      .waitFor();
    assert.equal(await user.dialog().getByLabel('Transfer ID').inputValue(), transfer.id);
    await user.dialog().getByLabel('Key', { exact: true }).fill(transfer.auth_key);
    await user.fine('volume-accept');
    await user.confirm('Take over');
    await row('gift').getByText('Available').waitFor();
    await user.move('beta', 'alpha');
  });

  test('a volume group is made, and volumes come into it and leave it', async () => {
    await user.nav('Volume groups').click();
    await user.shown('No volume groups yet');
    const create = page.getByRole('button', { name: 'Create volume group' }).first();
    await user.off(create);
    await cloud.ok('POST', '/volume/v3/group_types', { group_type: { name: 'together' } }, { headers: { 'openstack-api-version': 'volume 3.70' } });
    await page.reload();
    await create.click();
    await user.dialog().getByLabel('Name').fill('database');
    await user.pick('Volume types', 'other');
    await page.keyboard.press('Escape');
    await user.fine('volume-group-create');
    await user.confirm('Create');
    await row('database').getByText('Available').waitFor();
    const change = async (): Promise<void> => {
      await user.select('database');
      await page.getByRole('button', { name: 'Edit', exact: true }).click();
      await user.pick('Volumes', /data/);
      await page.keyboard.press('Escape');
      await user.confirm('Save');
    };
    await change();
    await row('database').getByRole('cell', { name: 'data', exact: true }).waitFor();
    await row('database').getByText('Available').waitFor();
    await page.reload();
    await row('database').waitFor();
    await change();
    await row('database').getByRole('cell', { name: 'data', exact: true }).waitFor({ state: 'hidden' });
  });

  test('an upload that is given up leaves no image behind', async () => {
    const file = '**/console/api/image/v2/images/*/file';
    const begun = Promise.withResolvers<void>();
    // it never ends by itself
    await page.route(file, () => begun.resolve());
    await user.nav('Images').click();
    await page.getByRole('button', { name: 'Upload image' }).first().click();
    await user.dialog().getByLabel('Name').fill('half');
    await user
      .dialog()
      .locator('input[type=file]')
      .setInputFiles({ name: 'half.qcow2', mimeType: 'application/octet-stream', buffer: Buffer.alloc(BYTES, 1) });
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await begun.promise;
    await row('half').waitFor();
    await cloud.until('the image waits for its data', async () => (await call('GET', '/image/v2/images?name=half')).images.length === 1, WAIT_MS);
    await user.dialog().getByRole('button', { name: 'Cancel' }).click();
    await user.dialog().waitFor({ state: 'hidden' });
    await cloud.until('no image is left', async () => (await call('GET', '/image/v2/images?name=half')).images.length === 0, WAIT_MS);
    await row('half').waitFor({ state: 'hidden' });
    // what the project may share itself is offered by nobody
    assert.equal(await page.getByRole('table', { name: 'Offered by other projects' }).count(), 0);
    await page.unroute(file);
  });

  test('an image is fetched from an address, and its page says how far that is', async () => {
    const { port } = web.address() as AddressInfo;
    await page.getByRole('button', { name: 'Import from an address' }).click();
    await user.dialog().getByLabel('Name').fill('fetched');
    await user.dialog().getByLabel('Address').fill(`http://127.0.0.1:${port}/disk.raw`);
    await user.pick('Format', 'raw');
    await user.dialog().getByRole('button', { name: 'Import', exact: true }).click();
    await page.getByRole('heading', { name: 'fetched' }).waitFor();
    assert.match(page.url(), /\?tab=tasks$/);
    await page.getByRole('table', { name: 'Imports' }).getByText('Done').waitFor();
    await user.shown('Active');
    await user.fine('image-imported');
    assert.equal((await call('GET', '/image/v2/images?name=fetched')).images[0].size, BYTES);
  });

  test('a share is withdrawn', async () => {
    const { projects } = await cloud.ok('GET', '/identity/v3/projects?name=beta');
    const { id } = (await call('GET', '/image/v2/images?name=fetched')).images[0];
    await call('POST', `/image/v2/images/${id}/members`, { member: projects[0].id });
    await page.goto(user.at(`/console/images/${id}?tab=members`));
    const members = page.getByRole('table', { name: 'Shared with' });
    await members.getByText('Waiting').waitFor();
    await user.select(projects[0].id);
    await page.getByRole('button', { name: 'Share no longer', exact: true }).click();
    await user.fine('image-unshare');
    await user.confirm('Share no longer');
    await page.getByText('Shared with nobody yet').waitFor();
    assert.deepEqual((await call('GET', `/image/v2/images/${id}/members`)).members, []);
  });
});
