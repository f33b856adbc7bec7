/** The first page after signing in, and the ways that programs reach the cloud. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { parse } from 'yaml';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, HOSTILE, PASSWORD } from '../support/console.ts';

describe('overview and API access', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;
  let ann: string;

  before(async () => {
    user = await ConsoleUser.start();
    ({ cloud, page } = user);
    ann = await cloud.login('ann', PASSWORD, 'alpha');
  });
  after(async () => await user?.stop());

  /** The text of a file that a button gives. */
  const downloaded = async (button: ReturnType<Page['locator']>): Promise<string> => {
    const [file] = await Promise.all([page.waitForEvent('download'), button.click()]);
    return readFileSync(await file.path(), 'utf8');
  };

  test('after signing in: usage against quota, servers by state, what happened before and what happens now', async () => {
    await cloud.ok('POST', '/network/v2.0/networks', { network: { name: 'before' } }, { token: ann });
    await user.signIn();
    await page.goto(user.at('/console/'));
    await user.shown('network.create.end');
    await page.getByRole('progressbar', { name: 'Networks' }).waitFor();
    await user.shown(/^1 of \d+$/);
    await user.shown('No servers yet');
    const { flavors } = await cloud.ok('GET', '/compute/v2.1/flavors');
    const { images } = await cloud.ok('GET', '/image/v2/images');
    const server = { name: HOSTILE, flavorRef: flavors[0].id, imageRef: images[0].id, networks: 'none' };
    await cloud.ok('POST', '/compute/v2.1/servers', { server }, { token: ann, headers: { 'openstack-api-version': 'compute 2.96' } });
    await page.locator('[data-state=ACTIVE]').getByText('1', { exact: true }).waitFor();
    await user.shown('compute.instance.create.end');
    await user.fine('overview');
  });

  test('another project’s events and numbers are not on its page', async () => {
    await user.move('alpha', 'beta');
    await user.shown('No servers yet');
    await page.getByRole('main').getByText('Shown as it is now').waitFor();
    assert.equal(await page.getByText(/^(network|compute)\./).count(), 0);
    await user.move('beta', 'alpha');
    await user.shown('compute.instance.create.end');
  });

  test('the files for the openstack command work as they are downloaded, and have no password in them', async () => {
    await user.nav('API access').click();
    await page.getByRole('cell', { name: /\/identity$/ }).waitFor();
    await user.fine('api-access');
    const openrc = await downloaded(user.button('openrc.sh'));
    const set = execFileSync('/bin/sh', ['-c', `${openrc}\nenv`], { input: `${PASSWORD}\n`, encoding: 'utf8', env: {} });
    assert.match(set, new RegExp(`^OS_AUTH_URL=${cloud.url}/identity/v3$`, 'm'));
    assert.match(set, new RegExp(`^OS_PASSWORD=${PASSWORD}$`, 'm'));
    const { auth } = parse(await downloaded(user.button('clouds.yaml'))).clouds.cairn;
    assert.deepEqual([auth.username, auth.project_name, auth.password], ['ann', 'alpha', undefined]);
    assert.ok(!openrc.includes(PASSWORD));
  });

  test('an application credential: made with its limits, its secret shown once and good for that alone, deleted', async () => {
    const dialog = page.getByRole('dialog');
    await page.getByRole('tab', { name: 'Application credentials' }).click();
    await page.getByRole('button', { name: 'Create application credential' }).first().click();
    await dialog.getByLabel('Name').fill(HOSTILE);
    await dialog.getByLabel('Access rules').fill('GET compute');
    await dialog.getByText(/Each line has a method/).waitFor();
    await user.off(dialog.getByRole('button', { name: 'Create', exact: true }));
    await dialog.getByLabel('Access rules').fill('GET identity /v3/auth/projects');
    await user.fine('application-credential');
    await dialog.getByRole('button', { name: 'Create', exact: true }).click();
    await user.shown('Keep the secret now');
    const { auth, auth_type } = parse(await downloaded(user.button('clouds.yaml').last())).clouds.cairn;
    assert.equal(auth_type, 'v3applicationcredential');
    const login = await cloud.call(
      'POST',
      '/identity/v3/auth/tokens',
      {
        auth: {
          identity: {
            methods: ['application_credential'],
            application_credential: { id: auth.application_credential_id, secret: auth.application_credential_secret },
          },
        },
      },
      { token: '' },
    );
    assert.equal(login.status, 201);
    const token = login.headers.get('x-subject-token') ?? '';
    assert.equal((await cloud.call('GET', '/identity/v3/auth/projects', undefined, { token })).status, 200);
    assert.equal((await cloud.call('GET', '/compute/v2.1/servers', undefined, { token })).status, 401);
    await page.reload();
    await page.getByRole('tab', { name: 'Application credentials' }).click();
    await page.getByRole('rowheader', { name: HOSTILE }).waitFor();
    assert.ok(!(await page.content()).includes(auth.application_credential_secret));
    await page.getByRole('checkbox', { name: `Select ${HOSTILE}` }).check();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await dialog.getByRole('button', { name: 'Delete', exact: true }).click();
    await user.shown('No application credentials yet');
    assert.equal((await cloud.call('GET', '/identity/v3/auth/projects', undefined, { token })).status, 401);
  });

  test('EC2 credentials are made for a project and deleted', async () => {
    await page.getByRole('tab', { name: 'EC2 credentials' }).click();
    await page.getByRole('button', { name: 'Create EC2 credential' }).first().click();
    await page.getByRole('dialog').getByRole('button', { name: 'Create', exact: true }).click();
    await user.shown('Keep the secret now');
    await user.fine('ec2-credentials');
    await user.selectAll();
    await page.getByRole('button', { name: 'Delete', exact: true }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Delete', exact: true }).click();
    await user.shown('No EC2 credentials yet');
    await page.getByRole('button', { name: 'Open the activity panel' }).click();
    await page
      .getByRole('button', { name: /^DELETE .*OS-EC2/ })
      .first()
      .click();
    await user.shown(/^openstack ec2 credentials delete /);
    assert.deepEqual(user.wrong, []);
  });
});
