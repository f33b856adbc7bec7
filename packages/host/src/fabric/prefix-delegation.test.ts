import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { tapName } from '../interface/fabric.ts';
import { run } from '../process/run.ts';
import type { KernelFabric } from './fabric.ts';
import { type Background, cannotRun, type Guest, Machine, until } from './testing/machine.ts';
import { egressAll, group, macOf, network, port, put, router, rule, subnet } from './testing/objects.ts';

const ONE = '0b2a8a5e-7d0c-4f2b-9d3e-000000000001';
const TWO = '0b2a8a5e-7d0c-4f2b-9d3e-000000000002';
const SERVER = fileURLToPath(new URL('./testing/prefix-server.fixture.ts', import.meta.url));
/** What a loaded machine may take. */
const LONG_MS = 60_000;

describe('prefix delegation, with packets', { skip: cannotRun }, () => {
  let machine: Machine;
  let fabric: KernelFabric;
  let guest: Guest;
  let provider: Background;
  const leases = (): Map<string, string | undefined> =>
    new Map(machine.events.flatMap((event) => (event.kind === 'prefix' ? [[event.subnetId, event.lease?.prefix] as const] : [])));

  const gateway = { networkId: 'p-net', mac: macOf(20), addresses: [{ ip: '2001:db8:1::10', prefixLength: 64, nexthop: '2001:db8:1::1' }], snat: true };
  const addressOf = (prefix: string): string => prefix.replace('::/64', '::1');
  /** The objects once these prefixes are delegated. */
  const objects = (prefixes: Readonly<Record<string, string | undefined>>, before: Readonly<Record<string, string>> = {}) => [
    network(
      'a-net',
      Object.entries(prefixes).flatMap(([id, cidr]) => (cidr ? [subnet(id, cidr, { gatewayIp: addressOf(cidr), ipv6AddressMode: 'slaac' })] : [])),
    ),
    router('r-pd', {
      gateway,
      interfaces: [
        {
          portId: 'r-a-port',
          networkId: 'a-net',
          mac: macOf(22),
          addresses: Object.values(prefixes).flatMap((cidr) => (cidr ? [{ ip: addressOf(cidr), prefixLength: 64 }] : [])),
        },
      ],
      prefixDelegation: Object.entries(prefixes).map(([subnetId, prefix]) => ({
        subnetId,
        ...(prefix && { prefix }),
        ...(before[subnetId] && { before: before[subnetId] }),
      })),
    }),
  ];
  const others = [
    network('p-net', [subnet('p-sub', '2001:db8:1::/64')], { mtu: 1500, segment: { type: 'flat', physicalNetwork: 'public' } }),
    group('open', [...egressAll, rule('ingress', { ethertype: 'IPv6' })]),
  ];
  /** The guest has whatever address it makes of what is announced. */
  const guestPort = (...prefixes: readonly string[]) =>
    port(
      '1-a-port',
      'a-net',
      1,
      prefixes.map((prefix) => [ONE, prefix.replace('::/64', ':f816:3eff:fe00:1')]),
      { securityGroups: ['open'] },
    );

  before(async () => {
    machine = await Machine.create();
    fabric = machine.fabric();
    await fabric.patch([...others, ...objects({}), guestPort()].map(put));
    guest = await machine.guest(fabric, { tap: tapName('1-a-port'), mac: macOf(1), cidr: '10.1.0.11/24' });
    await outsideHasIpv6();
    provider = machine.outsideSpawn(process.execPath, SERVER, 'pub0');
    assert.ok(await provider.says(/^serves$/m, LONG_MS), provider.output);
  });
  after(async () => await machine?.destroy());

  /** Providers have a link-local address. An apply sees to it that the host's end has no address that it was not given. */
  const outsideHasIpv6 = async (): Promise<void> => {
    await run('ip', ['-n', machine.outer, 'addr', 'replace', 'fe80::1/64', 'dev', 'pub0', 'nodad']);
    await run('ip', ['-n', machine.outer, 'addr', 'replace', '2001:db8:1::1/64', 'dev', 'pub0', 'nodad']);
  };
  const rules = async (more: object): Promise<void> => {
    const times = provider.output.split('has rules').length;
    provider.write(`${JSON.stringify(more)}\n`);
    await until(async () => provider.output.split('has rules').length > times, LONG_MS);
  };
  const delegated = async (subnetId: string, as: RegExp = /./): Promise<string> => {
    await until(async () => as.test(leases().get(subnetId) ?? ''), LONG_MS);
    return leases().get(subnetId) as string;
  };
  const addressesOfGuest = async (): Promise<string> => (await guest.run('ip', '-6', '-o', 'addr', 'show', 'scope', 'global')).stdout;

  test('a guest makes its address of the delegated prefix, and is reached by it from outside', async () => {
    await fabric.patch(objects({ [ONE]: undefined }).map(put));
    const prefix = await delegated(ONE);
    assert.match(prefix, /^2001:db8:a:[0-9a-f:]+::\/64$/);
    await fabric.patch([...objects({ [ONE]: prefix }), guestPort(prefix)].map(put));
    const own = prefix.replace('::/64', ':f816:3eff:fe00:1');
    await until(async () => (await addressesOfGuest()).includes(own), LONG_MS);
    await until(async () => (await machine.outside('ping', '-6', '-n', '-c', '1', '-w', '3', own)).stdout.includes(' bytes from '), LONG_MS);
    assert.equal(provider.output.match(/^request /gm)?.length, 1);
  });

  test('a restart keeps the prefix, and asks whether it may', async () => {
    const prefix = await delegated(ONE);
    const all = [...others, ...objects({ [ONE]: prefix }), guestPort(prefix)];
    await fabric.apply(all);
    await fabric.stop();
    machine.events.length = 0;
    fabric = machine.fabric();
    await fabric.apply(all);
    assert.equal(fabric.changes, 0);
    await outsideHasIpv6();
    assert.equal(await delegated(ONE), prefix);
    assert.ok(await provider.says(/^rebind /m, LONG_MS));
    assert.doesNotMatch(provider.output, /^release /m);
  });

  test('several subnets of a router have a prefix each; one that is detached is given back, the other stays', async () => {
    const one = await delegated(ONE);
    await fabric.patch(objects({ [ONE]: one, [TWO]: undefined }).map(put));
    const two = await delegated(TWO);
    assert.notEqual(one, two);
    await fabric.patch(objects({ [ONE]: one, [TWO]: two }).map(put));
    await fabric.patch(objects({ [ONE]: one }).map(put));
    assert.ok(await provider.says(new RegExp(`^release ${TWO.replaceAll('-', '')} `, 'm'), LONG_MS));
    assert.doesNotMatch(provider.output, new RegExp(`^release ${ONE.replaceAll('-', '')} `, 'm'));
  });

  test('nobody inside can play the provider', async () => {
    const { stdout } = await run('ip', ['netns', 'exec', `cairn-${machine.instance}-qrouter-r-pd`, 'cat', '/proc/net/udp6']);
    const [, local] = /: ([0-9A-F]+):0222 /.exec(stdout) ?? [];
    assert.match(local ?? '', /^000080FE/, 'the socket is bound to a link-local address, and so to the link to the outside');
  });

  test('a prefix that the provider changes is told at the next renewal', async () => {
    const before = await delegated(ONE);
    // what was given for long is renewed late, so it is asked for anew
    await rules({ renewSeconds: 1, rebindSeconds: 100, validSeconds: 1000 });
    await fabric.stop();
    fabric = machine.fabric();
    await fabric.apply([...others, ...objects({ [ONE]: before }), guestPort(before)]);
    await outsideHasIpv6();
    assert.ok(await provider.says(/^renew /m, LONG_MS));
    await rules({ base: '2001:db8:b::' });
    const prefix = await delegated(ONE, /^2001:db8:b:/);
    const all = [...others, ...objects({ [ONE]: prefix }, { [ONE]: before }), guestPort(prefix)];
    await fabric.patch(all.map(put));
    const own = prefix.replace('::/64', ':f816:3eff:fe00:1');
    await until(async () => (await machine.outside('ping', '-6', '-n', '-c', '1', '-w', '3', own)).stdout.includes(' bytes from '), LONG_MS);
    // the guest has its old address still, and uses it no longer; the router routes nothing there
    await until(async () => new RegExp(`${before.replace('::/64', ':f816:3eff:fe00:1')}/64 scope global deprecated `).test(await addressesOfGuest()), LONG_MS);
    assert.match(await addressesOfGuest(), new RegExp(`${own}/64 scope global (?!deprecated)`));
    const inRouter = async (...args: string[]): Promise<string> => (await run('ip', ['-n', `cairn-${machine.instance}-qrouter-r-pd`, '-6', ...args])).stdout;
    assert.doesNotMatch(await inRouter('route'), new RegExp(before));
    assert.match(await inRouter('addr', 'show'), new RegExp(`${addressOf(before)}/64 scope global nodad deprecated (dynamic )?noprefixroute`));
    // a restart finds it so; after a while it goes
    await fabric.apply(all);
    const { changes } = fabric;
    await fabric.apply(all);
    assert.equal(fabric.changes, changes);
    await outsideHasIpv6();
    await fabric.patch(objects({ [ONE]: prefix }).map(put));
    assert.doesNotMatch(await inRouter('addr', 'show'), new RegExp(addressOf(before)));
  });

  test('a router that goes to another host keeps its prefix; one that is deleted gives it back before its link goes', async () => {
    const prefix = await delegated(ONE);
    const released = (): number => provider.output.match(new RegExp(`^release ${ONE.replaceAll('-', '')} `, 'gm'))?.length ?? 0;
    await fabric.patch([{ op: 'remove', kind: 'router', id: 'r-pd' }]);
    assert.equal(released(), 0);
    machine.events.length = 0;
    await fabric.patch(objects({ [ONE]: prefix }).map(put));
    assert.equal(await delegated(ONE), prefix);
    await fabric.patch([{ op: 'remove', kind: 'router', id: 'r-pd', isGone: true }]);
    await until(async () => released() === 1, LONG_MS);
    assert.deepEqual(
      (await fabric.status()).namespaces.filter((name) => name.includes('qrouter')),
      [],
    );
  });
});
