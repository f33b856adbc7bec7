import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { NetworkWorld } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

/** Classes of faults that upstream had, by the advisory that told of one. Those of packets: firewall.test.ts of the host's fabric, test/guests/odd-rules.test.ts. */
describe('what upstream was warned of', () => {
  let world: NetworkWorld;
  let here: { network: Body; subnet: Body };
  before(async () => {
    world = await NetworkWorld.start();
    here = await world.network();
  });
  after(() => world.close());

  const hostile = ['a\nb', 'a\rb', '\n', 'a\0b', 'a\u001bb', 'a\u0085b', 'a\u2028b', 'x\ndhcp-script=/bin/sh'];

  it('OSSA-2021-005: no control character gets to where text meets the configuration of a DHCP server', async () => {
    const mine = await world.create('member', 'port', { network_id: here.network.id });
    const tries: readonly (readonly [path: string, body: (text: string) => object])[] = [
      [`/ports/${mine.id}`, (text) => ({ port: { extra_dhcp_opts: [{ opt_name: 'bootfile-name', opt_value: text }] } })],
      [`/ports/${mine.id}`, (text) => ({ port: { extra_dhcp_opts: [{ opt_name: text, opt_value: 'pxe.0' }] } })],
      [`/ports/${mine.id}`, (text) => ({ port: { extra_dhcp_opts: [{ opt_name: 'mtu', opt_value: '1', ip_version: text }] } })],
      [`/ports/${mine.id}`, (text) => ({ port: { dns_name: text } })],
      [`/networks/${here.network.id}`, (text) => ({ network: { dns_domain: text } })],
      [`/subnets/${here.subnet.id}`, (text) => ({ subnet: { dns_nameservers: [text] } })],
      [`/subnets/${here.subnet.id}`, (text) => ({ subnet: { host_routes: [{ destination: text, nexthop: '10.0.0.9' }] } })],
      [`/subnets/${here.subnet.id}`, (text) => ({ subnet: { host_routes: [{ destination: '10.9.0.0/24', nexthop: `10.0.0.9${text}` }] } })],
      [`/subnets/${here.subnet.id}`, (text) => ({ subnet: { gateway_ip: `10.0.0.1${text}` } })],
      [`/ports/${mine.id}`, (text) => ({ port: { allowed_address_pairs: [{ ip_address: `10.0.0.7${text}` }] } })],
    ];
    const shown = async (): Promise<Body[]> => [
      await world.show('admin', 'port', mine.id),
      await world.show('admin', 'network', here.network.id),
      await world.show('admin', 'subnet', here.subnet.id),
    ];
    const as = await shown();
    for (const [path, body] of tries) {
      for (const text of hostile) {
        const { status } = await world.call('admin', 'PUT', path, body(text));
        assert.equal(status, 400, `${path} ${JSON.stringify(body(text))}`);
      }
    }
    assert.deepEqual(await shown(), as, 'and nothing changed');
  });
});
