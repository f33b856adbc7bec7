/**
 * What is around every page of the console: finding and doing by Ctrl-K, the calls as commands, help beside the page.
 * Each test goes on from where the one before it left the cloud.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import { ConsoleUser } from '../support/console.ts';

describe('around the pages of the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let page: Page;
  const find = () => page.getByRole('combobox', { name: 'Find and do' });
  const option = (name: string | RegExp) => page.getByRole('option', { name });

  before(async () => {
    user = await ConsoleUser.start();
    page = user.page;
    await user.signIn();
  });
  after(async () => await user?.stop());

  test('Ctrl-K leads to a page by a few letters, and to a form', async () => {
    await page.keyboard.press('Control+k');
    await find().fill('volum');
    await option(/^Volumes/).waitFor();
    await user.fine('palette');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Volumes' }).first().waitFor();
    await user.dialog().waitFor({ state: 'hidden' });
    await page.keyboard.press('Control+k');
    await find().fill('create volume');
    await page.keyboard.press('Enter');
    await user.dialog().getByLabel('Name').fill('needle');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('row', { name: 'needle' }).getByText('Available').waitFor();
  });

  test('things are found by a part of the name and by id, from the button too', async () => {
    const href = (await page.getByRole('link', { name: 'needle' }).getAttribute('href')) ?? '';
    const id = href.split('/').at(-1) ?? '';
    for (const typed of ['eedl', id]) {
      await user.nav('Images').click();
      await page.getByRole('button', { name: 'Find', exact: true }).click();
      await find().fill(typed);
      await option(/^needle/).waitFor();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'needle' }).waitFor();
      assert.equal(new URL(page.url()).pathname, href);
    }
    await page.keyboard.press('Control+k');
    await find().fill('there is no such thing');
    await user.shown('Nothing was found');
    await page.keyboard.press('Escape');
    await find().waitFor({ state: 'hidden' });
  });

  test('a call stands as openstack, curl and Terraform; those of this page alone can be shown', async () => {
    await page.getByRole('button', { name: 'Open the activity panel' }).click();
    const made = page.getByRole('button', { name: 'POST /volume/v3/volumes', exact: true });
    await made.click();
    await user.shown(/^openstack volume create --size 1 needle$/);
    await page.getByRole('button', { name: 'Terraform', exact: true }).click();
    await user.shown(/^resource "openstack_blockstorage_volume_v3" "needle" \{/);
    await user.fine('activity-terraform');
    await page.getByLabel('Only this page’s').check();
    await made.waitFor({ state: 'hidden' });
    await page.getByRole('button', { name: 'Close the activity panel' }).click();
  });

  test('help says what the page is for, in the reader’s language', async () => {
    await user.nav('Snapshots').click();
    await page.getByRole('button', { name: 'Open help on this page' }).click();
    await user.shown(/A snapshot keeps what a volume holds at one moment/);
    await user.fine('help');
    await user.choose('Language and colours', '简体中文');
    await user.shown(/快照保留云硬盘在某一时刻的内容/);
    await user.choose('语言与配色', 'English');
    await page.getByRole('button', { name: 'Close help' }).click();
  });

  test('a refusal says what happened, what to do, and the request id', async () => {
    await page.goto(user.at('/console/volumes/11111111-2222-3333-4444-555555555555'));
    await user.shown('The volume cannot be shown');
    await user.shown(/It may have been deleted meanwhile/);
    await user.shown(/Request req-[0-9a-f-]{36}/);
    await user.fine('refusal');
    assert.deepEqual(user.wrong, []);
  });

  test('a sign-out that does not come through says so, and can be tried again', async () => {
    await page.route('**/console/session', (route) =>
      route.request().method() === 'DELETE' ? route.fulfill({ status: 503, json: { needs: [], message: 'The store does not answer.' } }) : route.continue(),
    );
    await user.choose('ann', 'Sign out');
    await user.shown('You are still signed in');
    await user.shown(/The store does not answer\./);
    await user.fine('still-signed-in');
    await page.unroute('**/console/session');
    await user.signOut('ann');
  });
});
