/** Administration of domains, projects with quotas and members, users, groups and roles, as an administrator and as nobody of the kind. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, PASSWORD } from '../support/console.ts';

/** Names of projects are short. */
const HOSTILE = `<img src=x onerror=alert(1)> {{product}} $t(delete) ' " 名`;

describe('identity in the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;

  before(async () => {
    user = await ConsoleUser.start();
    ({ cloud, page } = user);
    await user.administrator();
  });
  after(async () => await user?.stop());

  test('a member sees no section for administrators, and a page of it refuses in the cloud’s words', async () => {
    await user.signIn();
    assert.equal(await user.nav('Users').count(), 0);
    await page.goto(user.at('/console/users'));
    await user.shown(/You are not authorized to perform the requested action: identity:list_users/);
    await user.shown(/Request req-/);
    assert.equal(await page.getByText('No users').count(), 0);
    await user.signOut('ann');
    await user.signIn('boss');
    await user.nav('Users').waitFor();
  });

  test('a project is made, its members are given roles, its quotas are changed in all services at once', async () => {
    await user.nav('Projects').click();
    await user.button('Create project').first().click();
    await user.dialog().getByLabel('Name').fill(HOSTILE);
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('link', { name: HOSTILE }).click();
    await user.button('Give a role').first().click();
    await user.pick('Who', /^ann/);
    await user.dialog().getByLabel('Roles').click();
    await page.getByRole('option', { name: /^reader/ }).click();
    await page.keyboard.press('Escape');
    await user.dialog().getByRole('button', { name: 'Give', exact: true }).click();
    await user.row('ann').getByText('reader').waitFor();
    const quota = (label: string) => page.getByLabel(label, { exact: true });
    await quota('vCPUs').fill('many');
    await page.getByText('A whole number, or -1 for no limit.').filter({ visible: true }).first().waitFor();
    await quota('vCPUs').fill('7');
    await quota('Floating IPs').fill('3');
    await quota('Snapshots').fill('-1');
    await user.fine('project');
    await user.button('Save').click();
    await page.getByText('Nothing was changed.').first().waitFor({ state: 'attached' });
    const id = /projects\/([0-9a-f]{32})/.exec(page.url())?.[1] ?? '';
    assert.equal((await cloud.ok('GET', `/compute/v2.1/os-quota-sets/${id}`)).quota_set.cores, 7);
    assert.equal((await cloud.ok('GET', `/network/v2.0/quotas/${id}`)).quota.floatingip, 3);
    assert.equal((await cloud.ok('GET', `/volume/v3/os-quota-sets/${id}`)).quota_set.snapshots, -1);
    await user.select('ann · reader · ' + HOSTILE);
    await user.button('Delete').click();
    await user.dialog().getByRole('button', { name: 'Delete', exact: true }).click();
    await user.shown('No roles here');
  });

  test('a user is made, disabled, given another password; one cannot disable oneself', async () => {
    await user.nav('Users').click();
    await user.button('Create user').first().click();
    await user.dialog().getByLabel('Name').fill('bob');
    await user.dialog().getByLabel('Password', { exact: true }).fill('first password');
    await user.dialog().getByLabel('Password again').fill('another one');
    await user.dialog().getByText('The two passwords are not the same.').waitFor();
    await user.dialog().getByLabel('Password again').fill('first password');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await user.row('bob').waitFor();
    await user.fine('users');
    await user.select('bob');
    await user.choose('Actions', 'Set password');
    await user.dialog().getByLabel('Password', { exact: true }).fill(PASSWORD);
    await user.dialog().getByLabel('Password again').fill(PASSWORD);
    await user.dialog().getByRole('button', { name: 'Save', exact: true }).click();
    await user.dialog().waitFor({ state: 'hidden' });
    const signsIn = async (password: string): Promise<number> =>
      (
        await cloud.call(
          'POST',
          '/identity/v3/auth/tokens',
          { auth: { identity: { methods: ['password'], password: { user: { name: 'bob', domain: { id: 'default' }, password } } } } },
          { token: '' },
        )
      ).status;
    assert.deepEqual([await signsIn('first password'), await signsIn(PASSWORD)], [401, 201]);
    await user.choose('Actions', 'Disable');
    await user.dialog().getByRole('button', { name: 'Disable', exact: true }).click();
    await user.row('bob').getByText('No', { exact: true }).waitFor();
    assert.equal(await signsIn(PASSWORD), 401);
    await page.getByRole('checkbox', { name: 'Select bob', exact: true }).uncheck();
    await user.select('boss');
    await user.button('Actions').click();
    await user.off(page.getByRole('menuitem', { name: 'Disable' }));
    await page.keyboard.press('Escape');
    await page.getByText('This is you.').first().waitFor({ state: 'attached' });
  });

  test('a group gets users, and is on its user’s page as the way to a role', async () => {
    await user.nav('Groups').click();
    await user.button('Create group').first().click();
    await user.dialog().getByLabel('Name').fill('crew');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('link', { name: 'crew', exact: true }).click();
    await user.button('Add users').first().click();
    await user.dialog().getByLabel('Users').click();
    await page.getByRole('option', { name: /^ann/ }).click();
    await page.keyboard.press('Escape');
    await user.dialog().getByRole('button', { name: 'Add', exact: true }).click();
    await page.getByRole('link', { name: 'ann', exact: true }).waitFor();
    await user.fine('group');
    await user.select('ann');
    await user.button('Take out').click();
    await user.dialog().getByRole('button', { name: 'Take out', exact: true }).click();
    await user.shown('Nobody is in this group');
  });

  test('domains are disabled before they are deleted; roles that rules name are kept; all assignments are listed', async () => {
    await user.nav('Domains').click();
    await user.button('Create domain').first().click();
    await user.dialog().getByLabel('Name').fill('elsewhere');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await user.select('elsewhere');
    await page.getByText('Disable it first.').first().waitFor({ state: 'attached' });
    await user.choose('Actions', 'Disable');
    await user.dialog().getByRole('button', { name: 'Disable', exact: true }).click();
    await user.row('elsewhere').getByText('No', { exact: true }).waitFor();
    await user.fine('domains');
    await user.button('Delete').click();
    await user.dialog().getByRole('button', { name: 'Delete', exact: true }).click();
    await user.row('elsewhere').waitFor({ state: 'hidden' });
    await user.nav('Roles').click();
    await user.select('admin');
    await page.getByText('The rules of the services are written with this role.').first().waitFor({ state: 'attached' });
    await page.getByRole('tab', { name: 'Role assignments' }).click();
    await user.row('boss').first().waitFor();
    await user.fine('role-assignments');
  });

  test('the page on rules says who may do what, and by which part of a rule', async () => {
    await user.nav('Who may do what').click();
    const choose = async (label: string, option: string): Promise<void> => {
      await page.getByRole('main').getByLabel(label, { exact: true }).click();
      await page.keyboard.type(option);
      await page.getByRole('option').filter({ hasText: option }).first().click();
    };
    await choose('User', 'ann');
    await choose('Where', 'alpha');
    await choose('Rule', 'os_compute_api:servers:show');
    await user.button('Explain').click();
    await page.locator('[data-branch=passes]').getByText('role:reader and project_id:%(project_id)s').first().waitFor();
    await user.fine('policy');
    await page.getByLabel('What it is done to').fill('project_id=another');
    await user.button('Explain').click();
    await user.shown('No part of the rule is fulfilled.');
    assert.deepEqual(user.wrong, []);
  });
});
