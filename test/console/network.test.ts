/**
 * The console's pages of the network as a user meets them: Chromium, a whole cloud on simulated hosts. Each test goes on from where the one
 * before it left the cloud.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, PASSWORD } from '../support/console.ts';

describe('the network in the console', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;

  /** A button that may stand in the header and in the empty list. */
  const press = (name: string): Promise<void> => user.page.getByRole('main').getByRole('button', { name, exact: true }).first().click();
  /** Takes a choice of a field of the dialog, by the beginning of its words. */
  const choose = async (field: string, option: string | RegExp, within = user.dialog()): Promise<void> => {
    await within
      .getByRole('button', { name: new RegExp(`^${field}|${field}$`) })
      .first()
      .click();
    await page.getByRole('option', { name: option }).first().click();
  };
  const heading = (name: string | RegExp): Promise<void> => page.getByRole('heading', { name, level: 1 }).first().waitFor();
  const row = (name: string | RegExp) => page.getByRole('row', { name });
  const list = async (name: string): Promise<void> => {
    await user.nav(name).click();
    await heading(name);
  };

  before(async () => {
    user = await ConsoleUser.start();
    ({ cloud, page } = user);
    await user.signIn();
  });
  after(async () => await user?.stop());

  test('a network with all that its subnet can say, a second subnet, changes of both', async () => {
    await list('Networks');
    await press('Create network');
    await user
      .dialog()
      .getByText(/of 100 used/)
      .waitFor();
    await user.dialog().getByLabel('Name', { exact: true }).fill('shop');
    await user.dialog().getByLabel('Addresses (CIDR)').fill('10.20.0.0/24');
    await user.dialog().getByRole('button', { name: 'Gateway, DHCP, DNS, routes' }).click();
    await user.dialog().getByLabel('Addresses to hand out').fill('10.20.0.10');
    await user.dialog().getByText('A line is not a range such as').waitFor();
    await user.off(user.dialog().getByRole('button', { name: 'Create', exact: true }));
    await user.dialog().getByLabel('Addresses to hand out').fill('10.20.0.10-10.20.0.99');
    await user.dialog().getByLabel('DNS servers').fill('9.9.9.9');
    await user.confirm('Create');
    await page.getByRole('link', { name: 'shop', exact: true }).click();
    await heading('shop');
    await row(/10\.20\.0\.0\/24/)
      .getByText('10.20.0.10-10.20.0.99')
      .waitFor();

    await press('Add subnet');
    await user.dialog().getByLabel('Name', { exact: true }).fill('six');
    await user.dialog().getByLabel('Addresses (CIDR)').fill('fd00:20::/64');
    await user.dialog().getByRole('button', { name: 'Gateway, DHCP, DNS, routes' }).click();
    await choose('How ports get IPv6 addresses', /SLAAC/);
    await user.confirm('Create');
    await row(/fd00:20::\/64/).waitFor();
    await page.getByRole('checkbox', { name: 'Select 10.20.0.0/24' }).check();
    await page.getByRole('main').getByRole('button', { name: 'Edit', exact: true }).nth(1).click();
    await user.dialog().getByLabel('Routes for servers').fill('192.168.0.0/16, 10.20.0.254');
    await user.confirm('Save');
    await page.getByText('192.168.0.0/16 → 10.20.0.254').waitFor();

    await page.getByRole('button', { name: 'Edit tags' }).first().click();
    await user.dialog().getByLabel('Tags').fill('blue\nweb');
    await user.confirm('Save');
    await page.getByText('blue', { exact: true }).waitFor();
    await row(/10\.20\.0\.0\/24/)
      .getByRole('button', { name: 'Edit tags' })
      .click();
    await user.dialog().getByLabel('Tags').fill('of-shop');
    await user.confirm('Save');
    await row(/10\.20\.0\.0\/24/)
      .getByText('of-shop', { exact: true })
      .waitFor();
    await press('Share');
    await choose('Project', 'beta');
    await user.confirm('Share');
    await row(/beta/).waitFor();
    await user.fine('network');
    const { networks } = await cloud.ok('GET', '/network/v2.0/networks?name=shop');
    assert.deepEqual(networks[0].tags, ['blue', 'web']);
    const { subnets } = await cloud.ok('GET', `/network/v2.0/subnets?network_id=${networks[0].id}&ip_version=4`);
    assert.deepEqual([subnets[0].dns_nameservers, subnets[0].host_routes], [['9.9.9.9'], [{ destination: '192.168.0.0/16', nexthop: '10.20.0.254' }]]);
  });

  test('a router is made, led outside, put on the network; routes come and go', async () => {
    await list('Routers');
    await press('Create router');
    await user.dialog().getByLabel('Name', { exact: true }).fill('edge');
    await user.confirm('Create');
    await page.getByRole('link', { name: 'edge', exact: true }).click();
    await heading('edge');
    await press('Set gateway');
    await user.confirm('Save');
    await page
      .getByText(/^172\.24\.4\.\d+$/)
      .first()
      .waitFor();
    await press('Add interface');
    await choose('Subnet', /shop: 10\.20\.0\.0\/24/);
    await user.confirm('Add');
    await row(/10\.20\.0\.1/).waitFor();
    await press('Add routes');
    await user.dialog().getByLabel('Static routes').fill('10.99.0.0/16, 10.20.0.50');
    await user.confirm('Add');
    await row(/10\.99\.0\.0\/16/).waitFor();
    await user.fine('router');
    await page.getByRole('checkbox', { name: 'Select 10.99.0.0/16' }).check();
    await page.getByRole('main').getByRole('button', { name: 'Remove', exact: true }).last().click();
    await user.confirm('Remove');
    await page.getByText('No further routes.').waitFor();
    // it has an interface
    await user.off(page.getByRole('main').getByRole('button', { name: 'Delete', exact: true }));
  });

  test('a router gets a second way out, which takes the place of the first when that goes; both are commands', async () => {
    const outside = { name: 'elsewhere', 'router:external': true };
    const { network } = await cloud.ok('POST', '/network/v2.0/networks', { network: outside });
    await cloud.ok('POST', '/network/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, cidr: '198.51.100.0/24', enable_dhcp: false } });
    const gateways = async (): Promise<{ network_id: string; external_fixed_ips: { ip_address: string }[] }[]> =>
      (await cloud.ok('GET', '/network/v2.0/routers?name=ways')).routers[0].external_gateways;
    const token = await cloud.login('ann', PASSWORD, 'alpha');
    const out = (await cloud.ok('GET', '/network/v2.0/networks?name=public')).networks[0].id;
    const { router } = await cloud.ok('POST', '/network/v2.0/routers', { router: { name: 'ways', external_gateway_info: { network_id: out } } }, { token });
    await page.goto(user.at(`/console/routers/${router.id}`));
    await press('Add gateway');
    await choose('External network', 'elsewhere');
    await user.confirm('Add');
    await row(/^(Select )?198\.51\.100\.\d+.* No$/).waitFor();
    const [first, second] = await gateways();
    assert.equal(second?.network_id, network.id);
    await row(new RegExp(`${first?.external_fixed_ips[0]?.ip_address}.* Yes$`)).waitFor();
    await user.fine('router-gateways');
    await page.getByRole('checkbox', { name: `Select ${first?.external_fixed_ips[0]?.ip_address}` }).check();
    // the first is of the interfaces
    await page.getByRole('main').getByRole('button', { name: 'Remove', exact: true }).nth(1).click();
    await user.confirm('Remove');
    await row(/^(Select )?198\.51\.100\.\d+.* Yes$/).waitFor();
    assert.deepEqual(
      (await gateways()).map(({ network_id }) => network_id),
      [network.id],
    );
    await user.button('Open the activity panel').click();
    for (const verb of ['add', 'remove']) {
      await page.getByRole('button', { name: new RegExp(`^PUT /network/v2.0/routers/.*/${verb}_external_gateways`) }).click();
      await user.shown(new RegExp(`^openstack router ${verb} gateway .*[0-9a-f-]{36}$`));
    }
    await user.button('Close the activity panel').click();
    // the tests that follow know of one external network
    await cloud.ok('DELETE', `/network/v2.0/routers/${router.id}`);
    await cloud.ok('DELETE', `/network/v2.0/networks/${network.id}`);
  });

  test('a port is made with an address, pairs and groups, and changed', async () => {
    await list('Ports');
    await press('Create port');
    await choose('Network', 'shop');
    await user.dialog().getByLabel('Name', { exact: true }).fill('web-port');
    await user.dialog().getByLabel('Addresses', { exact: true }).fill('10.20.0.40');
    await user.dialog().getByLabel('Further addresses that it may send with').fill('10.20.0.200');
    await user.confirm('Create');
    await page.getByRole('link', { name: 'web-port', exact: true }).click();
    await heading('web-port');
    await row(/10\.20\.0\.200/).waitFor();
    await press('Edit');
    await user.dialog().getByLabel('Switched on').uncheck();
    await user.dialog().getByLabel('Port security').uncheck();
    await user.confirm('Save');
    await row(/10\.20\.0\.200/).waitFor({ state: 'hidden' });
    await user.fine('port');
    const { ports } = await cloud.ok('GET', '/network/v2.0/ports?name=web-port');
    assert.deepEqual([ports[0].admin_state_up, ports[0].port_security_enabled, ports[0].security_groups], [false, false, []]);
    await cloud.ok('PUT', `/network/v2.0/ports/${ports[0].id}`, { port: { admin_state_up: true, port_security_enabled: true } });
  });

  test('a floating IP is allocated, forwards a port, is associated and released', async () => {
    await list('Floating IPs');
    await press('Allocate floating IP');
    await choose('External network', 'public');
    await user.confirm('Allocate');
    await page.getByRole('link', { name: /^172\.24\.4\.\d+$/ }).click();
    await heading(/^172\.24\.4\./);
    await press('Forward ports');
    await user.dialog().getByLabel('Ports outside').fill('2222');
    await choose('Leads to', /10\.20\.0\.40/);
    await user.dialog().getByLabel('Ports inside').fill('22');
    await user.confirm('Create');
    await row(/2222/).waitFor();
    await user.fine('floating-ip');
    await page.getByRole('checkbox', { name: 'Select tcp 2222' }).check();
    await press('Delete');
    await user.confirm('Delete');
    await page.getByText('No ports are forwarded.').waitFor();
    await list('Floating IPs');
    await page.getByRole('checkbox', { name: /^Select 172/ }).check();
    await press('Associate');
    await choose('Leads to', /10\.20\.0\.40/);
    await user.confirm('Associate');
    await page.getByRole('link', { name: '10.20.0.40' }).waitFor();
    await user.fine('floating-ips');
  });

  test('subnet pools, address scopes, QoS policies and trunks are listed', async () => {
    const { ports } = await cloud.ok('GET', '/network/v2.0/ports?name=web-port');
    const { project_id, network_id } = ports[0];
    const sub = await cloud.ok('POST', '/network/v2.0/ports', { port: { network_id, project_id, name: 'vlan-100' } });
    const parent = await cloud.ok('POST', '/network/v2.0/ports', { port: { network_id, project_id, name: 'parent' } });
    const sub_ports = [{ port_id: sub.port.id, segmentation_type: 'vlan', segmentation_id: 100 }];
    await cloud.ok('POST', '/network/v2.0/trunks', { trunk: { name: 'many', project_id, port_id: parent.port.id, sub_ports } });
    const { policy } = await cloud.ok('POST', '/network/v2.0/qos/policies', { policy: { name: 'slow', shared: true } });
    await cloud.ok('POST', `/network/v2.0/qos/policies/${policy.id}/bandwidth_limit_rules`, { bandwidth_limit_rule: { max_kbps: 1000 } });
    await list('Trunks');
    await row(/many/).getByText('vlan 100').waitFor();
    await cloud.ok('POST', '/network/v2.0/ports', { port: { network_id, project_id, name: 'vlan-200' } });
    await page.getByRole('link', { name: 'many', exact: true }).click();
    await heading('many');
    await press('Add subport');
    await choose('Port', /^vlan-200/);
    await user.dialog().getByLabel('VLAN', { exact: true }).fill('200');
    await user.confirm('Add');
    await row(/vlan 200/).waitFor();
    await page.getByRole('checkbox', { name: 'Select vlan 100' }).check();
    await press('Remove');
    await user.confirm('Remove');
    await row(/vlan 100/).waitFor({ state: 'hidden' });
    await user.fine('trunk');
    await list('QoS policies');
    await row(/slow/)
      .getByText(/max_kbps=1000/)
      .waitFor();
    await page.getByRole('link', { name: 'slow', exact: true }).click();
    await heading('slow');
    await row(/At most so much bandwidth/).waitFor();
    // administrators do this
    await user.off(page.getByRole('button', { name: 'Add rule' }));
    await user.fine('qos-policy');
    await list('Subnet pools');
    await press('Create address scope');
    await user.dialog().getByLabel('Name', { exact: true }).fill('inside');
    await user.confirm('Create');
    await row(/inside/).waitFor();
    await press('Create subnet pool');
    await user.dialog().getByLabel('Name', { exact: true }).fill('mine');
    await user.dialog().getByLabel('Ranges').fill('10.200.0.0/16');
    await user.confirm('Create');
    await row(/mine/).waitFor();
    await page.getByRole('checkbox', { name: 'Select mine' }).check();
    await page.getByRole('main').getByRole('button', { name: 'Edit', exact: true }).first().click();
    await user.dialog().getByLabel('Name', { exact: true }).fill('ours');
    await user.dialog().getByLabel('Ranges').fill('10.200.0.0/16\n10.201.0.0/16');
    await user.dialog().getByLabel('Prefix length of the smallest subnet').fill('29');
    await choose('Address scope', 'inside');
    await user.fine('subnet-pool-edit');
    await user.confirm('Save');
    await row(/ours/).getByText('10.200.0.0/15').or(row(/ours/).getByText('10.200.0.0/16, 10.201.0.0/16')).waitFor();
    await row(/ours/)
      .getByText(/ – \/29/)
      .waitFor();
    await user.fine('subnet-pools');
  });

  test('hundreds of servers are readable in the topology', async () => {
    const { networks } = await cloud.ok('GET', '/network/v2.0/networks?name=shop');
    const servers = Array.from({ length: 150 }, (_, i) => ({ id: `vm-${i}`, name: `server-${i}`, status: i % 10 === 0 ? 'ERROR' : 'ACTIVE', addresses: {} }));
    const ports = servers.map(({ id }, i) => ({
      ...{ id: `port-${i}`, name: '', status: i % 10 === 0 ? 'DOWN' : 'ACTIVE', network_id: networks[0].id, device_id: id, device_owner: 'compute:nova' },
      fixed_ips: [{ subnet_id: 's', ip_address: `10.20.0.${i}` }],
    }));
    await page.route('**/compute/v2.1/servers/detail*', (route) => route.fulfill({ json: { servers } }));
    await page.route('**/network/v2.0/ports?*', (route) => route.fulfill({ json: { ports } }));
    await page.goto(user.at('/console/topology'));
    await page.locator('.react-flow__node', { hasText: 'server-149' }).waitFor();
    const boxes = await page.locator('.react-flow__node').evaluateAll((nodes) => nodes.map((node) => node.getBoundingClientRect().toJSON()));
    assert.ok(boxes.length >= 150);
    const apart = (a: DOMRect, b: DOMRect): boolean => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
    for (const [i, a] of boxes.entries()) for (const b of boxes.slice(i + 1)) assert.ok(apart(a, b), 'two lie on each other');
    await page.locator('.react-flow__minimap').waitFor();
    await user.fine('topology-many');
    await page.unroute('**/compute/v2.1/servers/detail*');
    await page.unroute('**/network/v2.0/ports?*');
    await page.reload();
  });

  test('rules are made from templates, for groups and addresses; a group says which ports it is for', async () => {
    const ports = (await cloud.ok('GET', '/network/v2.0/ports?name=web-port')).ports;
    await list('Address groups');
    await press('Create address group');
    await user.dialog().getByLabel('Name', { exact: true }).fill('offices');
    await user.dialog().getByLabel('Addresses', { exact: true }).fill('192.0.2.0/24\n198.51.100.0/24');
    await user.confirm('Create');
    await page.getByRole('checkbox', { name: 'Select offices' }).check();
    await press('Edit');
    await user.dialog().getByLabel('Addresses', { exact: true }).fill('192.0.2.0/24\n203.0.113.0/24');
    await user.confirm('Save');
    await row(/203\.0\.113\.0\/24/).waitFor();
    const { address_groups: offices } = await cloud.ok('GET', '/network/v2.0/address-groups?name=offices');
    assert.deepEqual([...offices[0].addresses].sort(), ['192.0.2.0/24', '203.0.113.0/24']);

    await list('Security groups');
    await press('Create security group');
    await user.dialog().getByLabel('Name', { exact: true }).fill('db');
    await user.dialog().getByLabel('Stateful').uncheck();
    await user.confirm('Create');
    await page.getByRole('link', { name: 'db', exact: true }).click();
    await heading('db');
    await press('Add rule');
    await choose('Template', 'PostgreSQL');
    await choose('Other side', 'Members of a security group');
    await choose('Security group', 'default');
    await user.dialog().getByLabel('Description').fill('the shop');
    await user.confirm('Create');
    await row(/5432.*default.*the shop/).waitFor();
    await press('Add rule');
    await choose('Template', /^Ping/);
    await choose('IP version', 'IPv6');
    await user.dialog().getByLabel('ICMP code').fill('0');
    await user.dialog().getByText('a code needs a type').first().waitFor();
    await user.dialog().getByLabel('ICMP type').fill('128');
    await choose('Other side', 'A network');
    await user.confirm('Create');
    await row(/IPv6.*128\/0/).waitFor();
    await press('Add rule');
    await choose('Template', 'HTTPS');
    await choose('Other side', 'An address group');
    await choose('Address group', /^offices/);
    await user.confirm('Create');
    await row(/443.*offices/).waitFor();
    await press('Edit');
    await user.dialog().getByLabel('Name', { exact: true }).fill('database');
    await user.confirm('Save');
    await heading('database');
    await page.getByText('No port uses it.').waitFor();
    const { security_groups: groups } = await cloud.ok('GET', '/network/v2.0/security-groups?name=database');
    assert.equal(groups[0].stateful, false);
    await cloud.ok('PUT', `/network/v2.0/ports/${ports[0].id}`, { port: { security_groups: [groups[0].id] } });
    await page.getByRole('link', { name: 'web-port' }).waitFor();
    await user.fine('rules');
  });

  test('why a packet does not pass: from outside to the group that stops it, then through', async () => {
    const token = await cloud.login('ann', PASSWORD, 'alpha');
    const { ports } = await cloud.ok('GET', '/network/v2.0/ports?name=web-port');
    const image = (await cloud.ok('GET', '/image/v2/images?name=cirros')).images[0].id;
    const body = { server: { name: 'shop-vm', imageRef: image, flavorRef: '42', networks: [{ port: ports[0].id }] } };
    const { server } = await cloud.ok('POST', '/compute/v2.1/servers', body, { token });
    const status = async (): Promise<string> => (await cloud.ok('GET', `/compute/v2.1/servers/${server.id}`, undefined, { token })).server.status;
    await cloud.until('the server', async () => (await status()) === 'ACTIVE');
    const { security_group: group } = await cloud.ok('POST', '/network/v2.0/security-groups', { security_group: { name: 'web' } }, { token });
    await cloud.ok('PUT', `/network/v2.0/ports/${ports[0].id}`, { port: { security_groups: [group.id] } });

    await list('Floating IPs');
    await page.getByRole('link', { name: /^172\.24\.4\.\d+$/ }).click();
    await heading(/^172\.24\.4\./);
    await page.getByRole('link', { name: 'Follow a packet' }).last().click();
    await heading('Why does this packet not pass?');
    const main = page.getByRole('main');
    await page.locator('[data-kind=security_group][data-verdict=drop]').waitFor();
    await choose('Protocol', 'TCP', main);
    await main.getByLabel('Port of the destination').fill('80');
    await press('Follow the packet');
    await page
      .getByText(/lets TCP port 80 from/)
      .first()
      .waitFor();
    assert.match(page.url(), /\/console\/path\?from=outside&to=[0-9a-f-]{36}&protocol=tcp&port=/);
    assert.deepEqual(
      await page.locator('.path-station').evaluateAll((nodes) => nodes.map((node) => `${node.getAttribute('data-kind')} ${node.getAttribute('data-verdict')}`)),
      ['outside pass', 'nat nat', 'router pass', 'network pass', 'security_group drop'],
    );
    await user.fine('path-stopped');
    const asked = page.url();
    await page.getByRole('link', { name: 'Add this rule here' }).click();
    await heading('web');
    assert.equal(await user.dialog().getByLabel('Ports').inputValue(), '80');
    await user.confirm('Create');
    await row(/172\.24\.4\.1/).waitFor();
    await page.goto(asked);
    await page.locator('div[data-verdict=pass]').waitFor();
    // the page hears of it by itself
    await cloud.ok('PUT', `/network/v2.0/ports/${ports[0].id}`, { port: { admin_state_up: false } });
    await page.locator('div[data-verdict=drop]').waitFor();
    await cloud.ok('PUT', `/network/v2.0/ports/${ports[0].id}`, { port: { admin_state_up: true } });
    await page.locator('div[data-verdict=pass]').waitFor();
    await page.getByRole('heading', { name: 'The way back' }).waitFor();
    await page.getByRole('link', { name: /^Rule [0-9a-f]{8} of web$/ }).waitFor();
    await user.fine('path');

    await list('Topology');
    const box = (name: string) => page.locator('.react-flow__node', { hasText: name });
    await box('shop-vm')
      .getByRole('link', { name: /^172\.24\.4\./ })
      .waitFor();
    await page.locator('.react-flow__edge.edge-up').first().waitFor({ state: 'attached' });
    await page.locator('.react-flow__edge', { hasText: '10.20.0.40' }).waitFor({ state: 'attached' });
    await user.fine('topology-floating');
    // moved by keyboard, and still there after the page is loaded anew
    const place = async (): Promise<readonly number[]> =>
      (/translate\(([-\d.]+)px, ?([-\d.]+)px\)/.exec((await box('shop-vm').getAttribute('style')) ?? '') ?? []).slice(1).map(Number);
    const [x = 0, y = 0] = await place();
    // five pixels a press
    const moved = async (): Promise<boolean> => JSON.stringify(await place()) === JSON.stringify([x, y + 25]);
    await box('shop-vm').focus();
    await page.keyboard.press('Enter');
    await page.locator('.react-flow__node.selected', { hasText: 'shop-vm' }).waitFor();
    for (let i = 0; i < 5; i += 1) await page.keyboard.press('ArrowDown');
    await cloud.until('it was moved', moved);
    await page.reload();
    await box('shop-vm').waitFor();
    await cloud.until('it is where it was put', moved);
    await press('Arrange anew');
    await cloud.until('it is where it was', async () => JSON.stringify(await place()) === JSON.stringify([x, y]));
    // by mouse; what comes to be meanwhile does not take it out of the hand
    const grip = await box('shop-vm').boundingBox();
    assert.ok(grip);
    await page.mouse.move(grip.x + 8, grip.y + 8);
    await page.mouse.down();
    await page.mouse.move(grip.x + 48, grip.y + 68, { steps: 5 });
    await cloud.until('it is in the hand', async () => JSON.stringify(await place()) !== JSON.stringify([x, y]));
    const held = await place();
    await cloud.ok('POST', '/network/v2.0/networks', { network: { name: 'meanwhile' } }, { token });
    await box('meanwhile').waitFor();
    assert.deepEqual(await place(), held);
    await page.mouse.up();
    await cloud.until('its place is kept', () =>
      page.evaluate(() => Object.entries({ ...localStorage }).some(([key, kept]) => key.startsWith('cairn.topology.') && kept !== '{}')),
    );
    assert.deepEqual(await place(), held);
    await page
      .getByRole('main')
      .getByRole('button', { name: /^Show|Show$/ })
      .first()
      .click();
    await page.getByRole('option', { name: 'public' }).click();
    await box('shop-vm').waitFor({ state: 'hidden' });
    assert.match(page.url(), /topology\?network=/);
    await page.goto(user.at(`/console/topology?network=${ports[0].network_id}`));
    await box('shop-vm').getByRole('link', { name: 'shop-vm' }).click();
    await heading('shop-vm');

    // from the server's port to an address that nobody has
    await page.goto(user.at(`/console/path?from=${server.id}&to=10.20.0.77`));
    await page
      .getByText(/Nobody on the network has 10\.20\.0\.77/)
      .first()
      .waitFor();
  });
});
