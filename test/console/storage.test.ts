/**
 * Storage in the console: volumes and what is done with them, snapshots, backups, images, key pairs, server groups; and the tables that all pages share.
 * Each test goes on from where the one before it left the cloud.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import { ConsoleUser, HOSTILE } from '../support/console.ts';

describe('storage in the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let page: Page;
  const row = (name: string) => page.getByRole('row', { name });

  before(async () => {
    user = await ConsoleUser.start();
    page = user.page;
    await user.signIn();
  });
  after(async () => await user?.stop());

  test('a volume is made, with what the quota says of it', async () => {
    await user.nav('Volumes').click();
    await page.getByRole('button', { name: 'Create volume' }).first().click();
    await user.dialog().getByLabel('Name').fill('data');
    await user.dialog().getByLabel('Size (GiB)').fill('0');
    await user.dialog().getByText('At least 1.').waitFor();
    await user.dialog().getByLabel('Size (GiB)').fill('2000');
    await user
      .dialog()
      .getByText(/GiB: 2000 would be used, but the project may have 1000/)
      .waitFor();
    await user.dialog().getByLabel('Size (GiB)').fill('2');
    await user
      .dialog()
      .getByText(/GiB: 2 of 1000 would be used/)
      .waitFor();
    await user.fine('volume-create');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await row('data').getByText('Available').waitFor();
  });

  test('its page says what it is; it grows, is renamed and gets metadata, whatever the words are', async () => {
    await page.getByRole('link', { name: 'data', exact: true }).click();
    await page.getByRole('heading', { name: 'data' }).waitFor();
    await user.choose('Actions', 'Extend');
    assert.equal(await user.dialog().getByLabel('Size (GiB)').inputValue(), '3');
    await user.dialog().getByRole('button', { name: 'Extend', exact: true }).click();
    await user.dialog().waitFor({ state: 'hidden' });
    await user.choose('Actions', 'Edit');
    await user.off(user.dialog().getByRole('button', { name: 'Save' }));
    await user.dialog().getByLabel('Description').fill(HOSTILE);
    await user.dialog().getByRole('button', { name: 'Add' }).click();
    await user.dialog().getByLabel('Name').last().fill('stage');
    await user.dialog().getByLabel('Value').fill('<b>test</b>');
    await user.dialog().getByRole('button', { name: 'Save' }).click();
    await user.shown('stage=<b>test</b>');
    await user.shown(HOSTILE);
    await page.getByText('Extending').first().waitFor({ state: 'hidden' });
    await user.choose('Actions', 'Make read-only');
    await user.shown('readonly=True');
    await user.fine('volume');
  });

  test('what cannot be done says why', async () => {
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    const detach = page.getByRole('menuitem', { name: 'Detach' });
    await user.off(detach);
    await detach.hover();
    await page.getByText('No server has it.').first().waitFor({ state: 'attached' });
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await detach.waitFor({ state: 'hidden' });
  });

  test('a snapshot is taken, and a volume is made from it', async () => {
    await user.choose('Actions', 'Take a snapshot');
    await user.dialog().getByLabel('Name').fill('before');
    await user.dialog().getByRole('button', { name: 'Take a snapshot' }).click();
    await user.dialog().waitFor({ state: 'hidden' });
    await page.getByRole('tab', { name: 'Snapshots' }).click();
    await row('before').getByText('Available').waitFor();
    assert.match(page.url(), /\?tab=snapshots$/);
    await user.nav('Snapshots').click();
    await page.getByRole('heading', { name: 'data' }).waitFor({ state: 'hidden' });
    await page.getByRole('checkbox', { name: 'Select before' }).check();
    await user.choose('Actions', 'Create volume');
    await user.dialog().getByLabel('Name').fill('copy');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await user.dialog().waitFor({ state: 'hidden' });
    await user.fine('snapshots');
    await user.nav('Volumes').click();
    await row('copy').getByText('Available').waitFor();
  });

  test('a filter lives in the address: it is there after a reload, and in another tab', async () => {
    await page.getByLabel('Find by any property').fill('copy');
    await page.keyboard.press('Enter');
    await row('data').waitFor({ state: 'hidden' });
    assert.equal(new URL(page.url()).searchParams.get('filter'), ':copy');
    // by keyboard: the header that stays in sight lies over it
    await page.getByRole('button', { name: 'Size (GiB)' }).last().press('Enter');
    await page.waitForURL(/sort=size/);
    await page.reload();
    await row('copy').waitFor();
    assert.equal(await row('data').count(), 0);
    await user.fine('volumes-filtered');
    await page.goto(user.at('/console/volumes?filter=name=data'));
    await row('data').waitFor();
    assert.equal(await row('copy').count(), 0);
    await page.goto(user.at('/console/volumes'));
    await row('copy').waitFor();
  });

  test('a volume is backed up, first whole and then what changed, and restored', async () => {
    const backUp = async (name: string, incremental: boolean): Promise<void> => {
      await page.getByRole('checkbox', { name: 'Select copy' }).check();
      await user.choose('Actions', 'Back up');
      await user.dialog().getByLabel('Name').fill(name);
      if (incremental) await user.dialog().getByLabel('Incremental').check();
      await user.dialog().getByRole('button', { name: 'Back up' }).click();
      await user.dialog().waitFor({ state: 'hidden' });
      await user.nav('Backups').click();
      await row(name).getByText('Available').waitFor();
    };
    await backUp('first', false);
    await user.nav('Volumes').click();
    await row('copy').getByText('Available').waitFor();
    await backUp('second', true);
    await row('second').getByText('Incremental').waitFor();
    await user.fine('backups');
    await page.getByRole('checkbox', { name: 'Select second' }).check();
    await user.choose('Actions', 'Restore');
    await user.dialog().getByLabel('Name').fill('restored');
    await user.dialog().getByRole('button', { name: 'Restore' }).click();
    await user.dialog().waitFor({ state: 'hidden' });
    await user.nav('Volumes').click();
    await row('restored').getByText('Available').waitFor();
  });

  test('a volume is offered with a key that is shown once, and the offer is withdrawn', async () => {
    await page.getByRole('checkbox', { name: 'Select restored' }).check();
    await user.choose('Actions', 'Offer to another project');
    await user.dialog().getByRole('button', { name: 'Offer to another project' }).click();
    await user
      .dialog()
      .getByText(/^openstack volume transfer request accept --auth-key \S{16} [0-9a-f-]{36}$/)
      .waitFor();
    await user.fine('volume-offered');
    await user.dialog().getByRole('button', { name: 'Close' }).last().click();
    const offers = page.getByRole('table', { name: 'Offered to other projects' });
    await offers.getByRole('row', { name: 'restored' }).waitFor();
    await offers.getByRole('checkbox', { name: 'Select restored' }).check();
    await page.getByRole('button', { name: 'Withdraw the offer' }).click();
    await user.dialog().getByRole('button', { name: 'Withdraw the offer' }).click();
    await offers.waitFor({ state: 'hidden' });
  });

  test('an image is uploaded, changed in every way, downloaded, protected and deleted', async () => {
    await user.nav('Images').click();
    await page.getByRole('button', { name: 'Upload image' }).first().click();
    await user.dialog().getByLabel('Name').fill('disk');
    await user.dialog().getByLabel('Format').click();
    await page.getByRole('option', { name: 'raw' }).click();
    await user
      .dialog()
      .locator('input[type=file]')
      .setInputFiles({ name: 'disk.raw', mimeType: 'application/octet-stream', buffer: Buffer.alloc(4_096, 7) });
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await row('disk').getByText('Active').waitFor();
    await page.getByRole('link', { name: 'disk', exact: true }).click();
    // the list has such a menu, too, and stays until the page of the image has come
    await page.getByRole('heading', { name: 'disk' }).waitFor();
    await user.choose('Actions', 'Edit');
    await user.dialog().getByLabel('Protected').check();
    await user.dialog().getByLabel('Tags').fill('golden');
    await user.dialog().getByLabel('Tags').press('Enter');
    await user.dialog().getByRole('button', { name: 'Add' }).click();
    await user.dialog().getByLabel('Name').last().fill('os_distro');
    await user.dialog().getByLabel('Value').last().fill(HOSTILE);
    await user.fine('image-edit');
    await user.dialog().getByRole('button', { name: 'Save' }).click();
    await user.dialog().waitFor({ state: 'hidden' });
    await user.shown('golden');
    await user.fine('image');
    await page.getByRole('tab', { name: 'Properties' }).click();
    await row('os_distro').getByText(HOSTILE).waitFor();
    const [file] = await Promise.all([page.waitForEvent('download'), user.choose('Actions', 'Download')]);
    assert.equal(file.suggestedFilename(), 'disk.raw');
    assert.deepEqual(readFileSync(await file.path()), Buffer.alloc(4_096, 7));
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
    await user.off(page.getByRole('menuitem', { name: 'Delete' }));
    await page.getByRole('button', { name: 'Actions', exact: true }).click();
  });

  test('an image is shared with another project, which accepts it', async () => {
    await user.choose('Actions', 'Share with a project');
    const { projects } = await user.cloud.ok('GET', '/identity/v3/projects?name=beta');
    await user.dialog().getByLabel('Project ID').fill(projects[0].id);
    await user.dialog().getByRole('button', { name: 'Share with a project' }).click();
    await user.dialog().waitFor({ state: 'hidden' });
    await page.getByRole('tab', { name: 'Shared with' }).click();
    await row(projects[0].id).getByText('Waiting').waitFor();
    await user.move('alpha', 'beta');
    await user.nav('Images').click();
    const offers = page.getByRole('table', { name: 'Offered by other projects' });
    await offers.getByRole('checkbox', { name: 'Select disk' }).check();
    await user.fine('images-offered');
    await page.getByRole('button', { name: 'Accept', exact: true }).click();
    await page.getByRole('link', { name: 'disk', exact: true }).waitFor();
    await user.move('beta', 'alpha');
  });

  test('an import by address that is refused stays in its form and leaves nothing behind', async () => {
    await user.nav('Images').click();
    await page.getByRole('button', { name: 'Import from an address' }).click();
    await user.dialog().getByLabel('Name').fill('fetched');
    await user.dialog().getByLabel('Address').fill('ftp://example.org/x');
    await user.dialog().getByText('It begins with http:// or https://.').waitFor();
    // the cloud does not fetch from its own machine: its refusal stays in the form, and no image stays behind
    await user.dialog().getByLabel('Address').fill('http://127.0.0.1:9/none.qcow2');
    await user.dialog().getByRole('button', { name: 'Import', exact: true }).click();
    await user
      .dialog()
      .getByText(/^Request req-/)
      .waitFor();
    await user.fine('image-import');
    assert.equal(await user.dialog().getByLabel('Name').inputValue(), 'fetched');
    await user.dialog().getByRole('button', { name: 'Cancel' }).click();
    await row('fetched').waitFor({ state: 'hidden' });
  });

  test('a key pair is made; its private half is downloaded once and is a key', async () => {
    await user.nav('Key pairs').click();
    await page.getByRole('button', { name: 'Create key pair' }).first().click();
    await user.dialog().getByLabel('Name').fill('made here');
    const [file] = await Promise.all([page.waitForEvent('download'), user.dialog().getByRole('button', { name: 'Create and download' }).click()]);
    assert.equal(file.suggestedFilename(), 'made_here.pem');
    assert.match(readFileSync(await file.path(), 'utf8'), /^-----BEGIN [A-Z ]*PRIVATE KEY-----\n/);
    await page.getByRole('rowheader', { name: 'made here', exact: true }).waitFor();
  });

  test('a server group is made with its rule; volume groups have their page', async () => {
    await page.goto(user.at('/console/server-groups?do=create'));
    await user.dialog().getByLabel('Name').fill('spread');
    await user.dialog().getByLabel('Most on one host').fill('2');
    await user
      .dialog()
      .getByText(/Server groups: 1 of 10 would be used/)
      .waitFor();
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await row('spread').getByText('On different hosts').waitFor();
    await user.fine('server-groups');
    assert.doesNotMatch(page.url(), /do=/);
    await user.nav('Volume groups').click();
    await user.shown('No volume groups yet');
    await user.fine('volume-groups');
  });
});
