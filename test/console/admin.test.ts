/** What those who run the cloud do in the console: hosts, flavors, aggregates, volume types, all projects' resources, services' health. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, HOSTILE, PASSWORD } from '../support/console.ts';

describe('administration in the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;

  before(async () => {
    user = await ConsoleUser.start({ hosts: 2 });
    ({ cloud, page } = user);
    await user.administrator();
  });
  after(async () => await user?.stop());

  test('a member is refused in the cloud’s words on each page', async () => {
    await user.signIn();
    assert.equal(await user.nav('Hosts').count(), 0);
    for (const [path, rule] of [
      ['/hosts', 'os_compute_api:os-hypervisors:list-detail'],
      ['/aggregates', 'os_compute_api:os-aggregates:index'],
      ['/health', 'os_compute_api:os-services:list'],
    ] as const) {
      await page.goto(user.at(`/console${path}`));
      await user.shown(`Policy doesn't allow ${rule} to be performed.`);
    }
    await user.fine('refused');
    await user.signOut('ann');
    await user.signIn('boss');
  });

  test('a flavor is made for some projects, with extra specs and access', async () => {
    await user.nav('Flavors').click();
    await user.button('Create flavor').first().click();
    await user.dialog().getByLabel('Name').fill('special');
    await user.dialog().getByLabel('vCPUs').fill('0');
    await user.off(user.dialog().getByRole('button', { name: 'Create', exact: true }));
    await user.dialog().getByLabel('vCPUs').fill('1');
    await user.dialog().getByLabel('Disk (GiB)', { exact: true }).fill('1');
    await user.dialog().getByText('All projects may use it').click();
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await page.getByRole('link', { name: 'special', exact: true }).click();
    await user.button('Add extra specs').first().click();
    await user.dialog().getByLabel('Extra specs').fill('quota:cpu_shares=512');
    await user.dialog().getByRole('button', { name: 'Add', exact: true }).click();
    await user.row('quota:cpu_shares').getByText('512').waitFor();
    await user.button('Give access').first().click();
    await user.dialog().getByLabel('Project').click();
    await page.getByRole('option', { name: /^alpha/ }).click();
    await user.dialog().getByRole('button', { name: 'Add', exact: true }).click();
    await user.row('alpha').waitFor();
    await user.fine('flavor');
    const names = async (project: string): Promise<string[]> => {
      const token = await cloud.login('ann', PASSWORD, project);
      return (await cloud.ok('GET', '/compute/v2.1/flavors', undefined, { token })).flavors.map(({ name }: { name: string }) => name);
    };
    assert.deepEqual([(await names('alpha')).includes('special'), (await names('beta')).includes('special')], [true, false]);
  });

  test('hosts are grouped, and a group of them is an availability zone', async () => {
    await user.nav('Host aggregates').click();
    await user.button('Create host aggregate').first().click();
    await user.dialog().getByLabel('Name').fill('rack');
    await user.dialog().getByLabel('Availability zone').fill('north');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await user.select('rack');
    await user.choose('Actions', 'Choose hosts');
    await user.dialog().getByLabel('Hosts').click();
    await page.getByRole('option').first().click();
    await page.keyboard.press('Escape');
    await user.dialog().getByRole('button', { name: 'Save', exact: true }).click();
    await user.row('north').getByText('Available').waitFor();
    await page.getByText('Take its hosts out first.').first().waitFor({ state: 'attached' });
    await user.choose('Actions', 'Metadata');
    await user.dialog().getByLabel('Metadata').fill('ssd=true');
    await user.dialog().getByRole('button', { name: 'Save', exact: true }).click();
    await user.row('rack').getByText('ssd=true').waitFor();
    await user.fine('aggregates');
  });

  test('a host is drained: disabled with a reason, its guests move one after the other, and it is put into use again', async () => {
    const token = await cloud.login('ann', PASSWORD, 'alpha');
    const { flavors } = await cloud.ok('GET', '/compute/v2.1/flavors', undefined, { token });
    const { images } = await cloud.ok('GET', '/image/v2/images', undefined, { token });
    const headers = { 'openstack-api-version': 'compute 2.96' };
    const ids: string[] = [];
    for (const name of ['one', 'two', HOSTILE]) {
      const body = { server: { name, flavorRef: flavors[0].id, imageRef: images[0].id, networks: 'none' } };
      ids.push((await cloud.ok('POST', '/compute/v2.1/servers', body, { token, headers })).server.id);
    }
    const show = async (id: string) => (await cloud.ok('GET', `/compute/v2.1/servers/${id}`, undefined, { headers })).server;
    for (const id of ids) await cloud.until('the server runs', async () => (await show(id)).status === 'ACTIVE');
    const host = (await show(ids[0] as string))['OS-EXT-SRV-ATTR:host'] as string;
    await cloud.ok('POST', `/compute/v2.1/servers/${ids[0]}/action`, { 'os-stop': null });
    await cloud.until('the server is off', async () => (await show(ids[0] as string)).status === 'SHUTOFF');

    await user.nav('Hosts').click();
    await page.getByRole('link', { name: host, exact: true }).click();
    await page.getByRole('link', { name: 'one', exact: true }).waitFor();
    await user.button('Drain host').click();
    await user.dialog().getByRole('button', { name: 'Drain host', exact: true }).click();
    await user.shown('All servers have left the host.');
    for (const id of ids) assert.notEqual((await show(id))['OS-EXT-SRV-ATTR:host'], host);
    const statuses = async (): Promise<string> => (await Promise.all(ids.map(async (id) => (await show(id)).status))).join();
    await cloud.until('all are as they were', async () => (await statuses()) === 'SHUTOFF,ACTIVE,ACTIVE');
    await page.getByText('No guests').filter({ visible: true }).first().waitFor();
    await user.fine('host-drained');
    await user.nav('Hosts').click();
    await user.row(host).getByText('It is being drained.').waitFor();
    await user.select(host);
    await user.choose('Actions', 'Enable host');
    await user.dialog().getByRole('button', { name: 'Enable host', exact: true }).click();
    await user.row(host).getByText('In use', { exact: true }).waitFor();
    await user.fine('hosts');
  });

  test('everybody’s servers are listed with their project, hostile names as text', async () => {
    await user.nav('All servers').click();
    await page.getByRole('row').filter({ hasText: HOSTILE }).getByText('alpha').waitFor();
    // also of other projects' servers an administrator sees what they use
    await user
      .row('two')
      .getByRole('img', { name: /^Between \d+ and \d+ % in the last 10 minutes$/ })
      .waitFor();
    await user.fine('all-servers');
    for (const [name, text] of [
      ['All volumes', 'No project has any.'],
      ['All networks', 'public'],
      ['All floating IPs', 'No project has any.'],
    ] as const) {
      await user.nav(name).click();
      await page.getByRole('main').getByText(text).first().waitFor();
    }
  });

  test('volume types are made with limits of speed', async () => {
    await user.nav('Volume types').click();
    await user.button('Create volume type').first().click();
    await user.dialog().getByLabel('Name').fill('slow');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await user.row('slow').waitFor();
    await user.button('Create QoS specs').first().click();
    await user.dialog().getByLabel('Name').fill('limited');
    await user.dialog().getByLabel('Limits').fill('total_iops_sec=50');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await user.row('limited').getByText('total_iops_sec=50').waitFor();
    await user.select('slow');
    await user.choose('Actions', 'Choose QoS specs');
    await user.dialog().getByLabel('QoS').click();
    await page.getByRole('option', { name: 'limited' }).click();
    await user.dialog().getByRole('button', { name: 'Save', exact: true }).click();
    await user.row('slow').getByText('limited').waitFor();
    await user.fine('volume-types');
  });

  test('rules of a QoS policy and the policy itself are edited; types of volume groups are made', async () => {
    const { policy } = await user.cloud.ok('POST', '/network/v2.0/qos/policies', { policy: { name: 'limits' } });
    await user.cloud.ok('POST', `/network/v2.0/qos/policies/${policy.id}/bandwidth_limit_rules`, { bandwidth_limit_rule: { max_kbps: 1000 } });
    await page.goto(user.at(`/console/qos-policies/${policy.id}`));
    await user.row('At most so much bandwidth').getByText('max_kbps=1000').waitFor();
    await page.getByRole('checkbox', { name: /^Select bandwidth_limit/ }).check();
    await user.button('Edit').last().click();
    assert.equal(await user.dialog().getByLabel('Limit (kbit/s)').inputValue(), '1000');
    await user.dialog().getByLabel('Limit (kbit/s)').fill('2000');
    await user.fine('qos-rule-edit');
    await user.dialog().getByRole('button', { name: 'Save', exact: true }).click();
    await user.row('At most so much bandwidth').getByText('max_kbps=2000').waitFor();
    await user.button('Edit').first().click();
    await user.dialog().getByLabel('Name').fill('other limits');
    await user.dialog().getByLabel('Shared with all projects').check();
    await user.dialog().getByRole('button', { name: 'Save', exact: true }).click();
    await page.getByRole('heading', { name: 'other limits' }).first().waitFor();
    assert.equal((await user.cloud.ok('GET', `/network/v2.0/qos/policies/${policy.id}`)).policy.shared, true);

    await user.nav('Volume groups').click();
    await user.button('Create group type').click();
    await user.dialog().getByLabel('Name').fill('together');
    await user.dialog().getByRole('button', { name: 'Create', exact: true }).click();
    await user.dialog().waitFor({ state: 'hidden' });
    await user.button('Create volume group').first().click();
    await user.dialog().getByText('together').waitFor();
    await user.dialog().getByRole('button', { name: 'Cancel' }).click();
  });

  test('services and agents with their health; definitions of metadata; what the cloud is made of', async () => {
    await user.nav('Services and agents').click();
    await user.row('nova-compute').first().getByText('Up').waitFor();
    await user.row('cinder-volume').first().getByText('Up').waitFor();
    await user.fine('health');
    await user.nav('Metadata definitions').click();
    await page.getByRole('rowheader').first().waitFor();
    await user.fine('metadefs');
    await user.nav('System information').click();
    await user.shown(/^v2\.1 \(2\.\d+\)$/);
    await user.row('compute').first().waitFor();
    await user.fine('system');
    await page.getByRole('button', { name: 'Open the activity panel' }).click();
    await page
      .getByRole('button', { name: /^GET \/compute\/v2\.1\/os-services/ })
      .first()
      .click();
    await user.shown('openstack compute service list');
    assert.deepEqual(user.wrong, []);
  });
});
