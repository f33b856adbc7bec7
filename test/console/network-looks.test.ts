/** The pages of networks in Chinese, in the dark and on a phone: every page in its words, readable, reachable. Chromium on a whole cloud with simulated hosts. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { noBrowser, type Page } from '../support/browser.ts';
import type { TestCloud } from '../support/cloud.ts';
import { ConsoleUser, PASSWORD } from '../support/console.ts';

describe('the pages of networks, in Chinese, in the dark and on a phone', { skip: noBrowser() ?? false }, () => {
  let user: ConsoleUser;
  let cloud: TestCloud;
  let page: Page;
  let proxied: string;
  let pages: readonly (readonly [path: string, heading: string | RegExp])[];

  before(async () => {
    user = await ConsoleUser.start();
    ({ cloud, page } = user);
    const token = await cloud.login('ann', PASSWORD, 'alpha');
    const make = async (kind: string, path: string, body: object, as: { token?: string } = { token }) =>
      (await cloud.ok('POST', `/network/v2.0/${path}`, { [kind]: body }, as))[kind];
    const outside = (await cloud.ok('GET', '/network/v2.0/networks?router:external=true', undefined, { token })).networks[0];
    const scope = await make('address_scope', 'address-scopes', { name: 'six', ip_version: 6, shared: true }, {});
    const sixes = { name: 'six', address_scope_id: scope.id, prefixes: ['2001:db8::/32'], default_prefixlen: 64, shared: true };
    const pool = await make('subnetpool', 'subnetpools', sixes, {});
    await make('subnet', 'subnets', { network_id: outside.id, ip_version: 6, subnetpool_id: pool.id, enable_dhcp: false }, {});
    const network = await make('network', 'networks', { name: 'shop' });
    const subnet = await make('subnet', 'subnets', { network_id: network.id, ip_version: 4, cidr: '10.20.0.0/24' });
    const router = await make('router', 'routers', { name: 'gate', external_gateway_info: { network_id: outside.id }, enable_ndp_proxy: true });
    const six = await make('subnet', 'subnets', { network_id: network.id, ip_version: 6, subnetpool_id: pool.id });
    for (const { id } of [subnet, six]) await cloud.ok('PUT', `/network/v2.0/routers/${router.id}/add_router_interface`, { subnet_id: id }, { token });
    const [a, b] = [await make('port', 'ports', { network_id: network.id, name: 'a' }), await make('port', 'ports', { network_id: network.id, name: 'b' })];
    const floating = await make('floatingip', 'floatingips', { floating_network_id: outside.id, port_id: a.id });
    const proxy = await make('ndp_proxy', 'ndp-proxies', { router_id: router.id, port_id: a.id });
    const group = await make('security_group', 'security-groups', { name: 'web' });
    const trunk = await make('trunk', 'trunks', { name: 'many', port_id: b.id });
    await make('address_group', 'address-groups', { name: 'office', addresses: ['198.51.100.0/24'] });
    await make('subnetpool', 'subnetpools', { name: 'range', prefixes: ['10.64.0.0/16'], default_prefixlen: 24 });
    const policy = await make('policy', 'qos/policies', { name: 'slow', shared: true }, {});
    await make('bandwidth_limit_rule', `qos/policies/${policy.id}/bandwidth_limit_rules`, { max_kbps: 1000 }, {});
    proxied = proxy.ip_address;
    pages = [
      ['networks', '网络'],
      [`networks/${network.id}`, 'shop'],
      ['topology', '网络拓扑'],
      ['routers', '路由器'],
      [`routers/${router.id}`, 'gate'],
      ['ports', '端口'],
      [`ports/${a.id}`, 'a'],
      ['floating-ips', '浮动 IP'],
      [`floating-ips/${floating.id}`, floating.floating_ip_address],
      ['security-groups', '安全组'],
      [`security-groups/${group.id}`, 'web'],
      ['address-groups', '地址组'],
      ['subnet-pools', '子网池'],
      ['qos-policies', /QoS/],
      [`qos-policies/${policy.id}`, 'slow'],
      ['trunks', /中继|Trunk/],
      [`trunks/${trunk.id}`, 'many'],
      [`path?from=outside&to=${proxy.id}&protocol=tcp&port=80`, '数据包为何不通？'],
      [`path?from=${a.id}&to=10.20.0.77&protocol=tcp&port=80`, '数据包为何不通？'],
    ];
    await user.signIn();
  });
  after(async () => await user?.stop());

  const open = async (path: string, heading: string | RegExp): Promise<void> => {
    await page.goto(user.at(`/console/${path}`));
    await page
      .getByRole('main')
      .getByRole('heading', { name: heading, ...(typeof heading === 'string' && { exact: false }) })
      .first()
      .waitFor();
  };

  test('in Chinese and in the dark', async () => {
    await user.choose('Language and colours', '简体中文');
    await user.choose('语言与配色', '深色');
    for (const [path, heading] of pages) {
      await open(path, heading);
      await user.fine(`zh-dark ${path.replace(/[/?].*/, '')}`);
    }
  });

  test('an address that a router answers for outside is a way in, as a floating IP is', async () => {
    const asked = pages.find(([path]) => path.startsWith('path?from=outside')) ?? pages[0];
    await open(...(asked as (typeof pages)[number]));
    await page.locator('.path-station[data-kind=outside]').first().waitFor();
    await page.getByRole('main').getByRole('button', { name: /^目的/ }).click();
    await page.getByRole('option').filter({ hasText: proxied }).getByText('NDP 代理', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await open(...(pages.at(-1) as (typeof pages)[number]));
  });

  test('why a packet does not pass is said in Chinese, with the sentence of the service below', async () => {
    await user.shown('端口未接入任何正在运行的设备。');
    const said = await page.locator('.path-station').last().textContent();
    assert.match(said ?? '', /[\u4e00-\u9fff].*The port/su);
  });

  test('on a phone nothing is wider than the page', async () => {
    await page.setViewportSize({ width: 390, height: 780 });
    for (const [path, heading] of pages) {
      await open(path, heading);
      await user.fine(`phone ${path.replace(/[/?].*/, '')}`);
      assert.ok(((await page.evaluate('document.documentElement.scrollWidth')) as number) <= 390, path);
    }
  });
});
