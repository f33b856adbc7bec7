import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type FabricObject, type PortSpec, type SecurityGroupRuleSpec, tapName } from '../interface/fabric.ts';
import type { KernelFabric } from './fabric.ts';
import { Objects } from './objects.ts';
import { tracePath } from './path/trace.ts';
import type { Flow, Path } from './path/flow.ts';
import { type Background, cannotRun, type Guest, Machine } from './testing/machine.ts';
import { group, macOf, network, port, put, router, subnet } from './testing/objects.ts';
import { pathWorldOf } from './testing/path-world.ts';
import { randomOf } from './testing/random.ts';

const PORTS = 6;
const portId = (n: number): string => `${n}-port-of-path`;

/** A small cloud by chance: three networks, two routers, floating addresses, groups of both kinds. */
function cloud(next: (below: number) => number): FabricObject[] {
  const one = <T>(...choices: readonly T[]): T => choices[next(choices.length)] as T;
  const some = <T>(choices: readonly T[], of = 2): T[] => choices.filter(() => next(of) === 0);
  const inner = ['a', 'b', 'c'].map((name, i) =>
    network(`${name}-path-net`, [subnet(`${name}-sub`, `10.${i + 1}.0.0/24`, { ...(next(9) > 0 && { gatewayIp: `10.${i + 1}.0.1` }) })]),
  );
  const outer = network('public-path-net', [subnet('public-sub', '172.24.4.0/24', { gatewayIp: '172.24.4.1' })], {
    mtu: 1500,
    segment: { type: 'flat', physicalNetwork: 'public' },
  });
  let rules = 0;
  const rule = (direction: 'ingress' | 'egress'): SecurityGroupRuleSpec => {
    const protocol = one(undefined, undefined, 'tcp', 'udp', 'icmp', '6');
    const ports =
      protocol === 'icmp'
        ? one({}, { portMin: 8, portMax: 0 }, { portMin: 8 }, { portMin: 0 })
        : one({}, {}, { portMin: 80, portMax: 80 }, { portMin: 1, portMax: 4000 }, { portMin: 40_000, portMax: 50_000 });
    const remote = one(
      {},
      {},
      {},
      {},
      { remoteCidr: one('10.1.0.0/24', '10.2.0.0/16', '172.24.4.0/24', '10.0.0.0/8', '10.1.0.11/32') },
      { remoteGroupId: one('ga', 'gb', 'gc') },
    );
    return {
      id: `rule-${rules++}`,
      direction,
      ethertype: 'remoteCidr' in remote ? 'IPv4' : one('IPv4', 'IPv4', 'IPv4', 'IPv6'),
      ...(protocol !== undefined && { protocol, ...ports }),
      ...remote,
    };
  };
  const groups = ['ga', 'gb', 'gc'].map((id) =>
    group(
      id,
      [
        ...Array.from({ length: 2 + next(3) }, () => rule('ingress')),
        ...(next(3) ? [{ id: `all-${id}`, direction: 'egress', ethertype: 'IPv4' } as const] : [rule('egress'), rule('egress')]),
      ],
      {
        stateful: id !== 'gc',
      },
    ),
  );
  const ports = Array.from({ length: PORTS }, (_, n) => {
    const at = n % 3;
    return port(portId(n), `${'abc'[at]}-path-net`, 50 + n, [[`${'abc'[at]}-sub`, `10.${at + 1}.0.${11 + n}`]], {
      securityGroups: next(5) === 0 ? ['gc'] : [...new Set([one('ga', 'gb'), ...some(['ga', 'gb'], 3)])],
      portSecurity: next(6) > 0,
      adminUp: next(10) > 0,
    });
  });
  const owner = ['a', 'b', 'c'].map(() => (next(3) > 0 ? 0 : next(5))); // 0, 1: router one; 2, 3: router two; 4: none
  const routers = [0, 1].map((r) => {
    const mine = [0, 1, 2].filter((i) => Math.floor((owner[i] ?? 4) / 2) === r);
    const address = `172.24.4.${10 + r}`;
    return router(`${r}-path-router`, {
      adminUp: next(12) > 0,
      ...(next(5) > 0 && {
        gateway: { networkId: outer.id, mac: macOf(80 + r), snat: next(4) > 0, addresses: [{ ip: address, prefixLength: 24, nexthop: '172.24.4.1' }] },
      }),
      interfaces: mine.map((i) => ({
        portId: `${r}${i}-router-port`,
        networkId: `${'abc'[i]}-path-net`,
        mac: macOf(90 + i),
        addresses: [{ ip: `10.${i + 1}.0.1`, prefixLength: 24 }],
      })),
      routes: next(6) === 0 ? [{ destination: `10.${1 + next(3)}.0.0/24`, nexthop: `172.24.4.${11 - r}` }] : [],
      floatingIps: ports.flatMap((each, n) =>
        mine.includes(n % 3) && next(2) ? [{ id: `f${n}`, floatingIp: `172.24.4.${100 + n}`, fixedIp: each.fixedIps[0]?.ip ?? '' }] : [],
      ),
      portForwardings:
        mine[0] === undefined
          ? []
          : [
              {
                id: `pf${r}`,
                floatingIp: `172.24.4.${200 + r}`,
                protocol: 'tcp',
                externalFirst: 8000,
                externalLast: 8000,
                internalIp: `10.${mine[0] + 1}.0.${11 + mine[0]}`,
                internalFirst: 80,
                internalLast: 80,
              },
            ],
    });
  });
  return [outer, ...inner, ...groups, ...ports, ...routers];
}

interface Attempt {
  readonly from: number;
  readonly flow: Flow;
  readonly path: Path;
}

const REACHED_WITHIN_MS = 15_000;
const SILENCE_MS = 900;

/** Sends what a flow says; whether it was answered. What is to pass has long, what is not to pass is listened for a while. */
async function reaches(guest: Guest, talker: Background, id: number, { flow, path }: Attempt): Promise<boolean> {
  const forMs = path.verdict === 'pass' ? REACHED_WITHIN_MS : SILENCE_MS;
  if (flow.protocol === 1) return path.verdict === 'pass' ? guest.pings(flow.destination, '-w', '10') : !(await guest.cannotPing(flow.destination));
  talker.write(`${JSON.stringify({ id, protocol: flow.protocol, host: flow.destination, port: flow.destinationPort, localPort: flow.sourcePort, forMs })}\n`);
  const answer = new RegExp(`^\\{"id":${id},"reached":(true|false)\\}$`, 'm');
  assert.ok(await talker.says(answer, forMs + 60_000), `no word of attempt ${id}: ${talker.output}`);
  return answer.exec(talker.output)?.[1] === 'true';
}

test('what the explanation of a path says, packets do', { skip: cannotRun, timeout: 240_000 }, async (t) => {
  const seed = Number(process.env.SEED ?? 13);
  t.diagnostic(`SEED=${seed}`);
  const next = randomOf(seed);
  const all = cloud(next);
  const objects = new Objects();
  objects.change(all.map(put));
  const machine = await Machine.create();
  try {
    const fabric: KernelFabric = machine.fabric();
    await fabric.apply(all);
    const ports = Array.from({ length: PORTS }, (_, n) => objects.ports.get(portId(n)) as PortSpec);
    const guests = await Promise.all(
      ports.map(async (each, n) => {
        const gateway = objects.networks.get(each.networkId)?.subnets[0]?.gatewayIp;
        return machine.guest(fabric, {
          tap: tapName(each.id),
          mac: macOf(50 + n),
          cidr: `${each.fixedIps[0]?.ip}/24`,
          ...(gateway !== undefined && { gateway }),
        });
      }),
    );
    const talkers = guests.map((guest) => guest.spawn(process.execPath, join(import.meta.dirname, 'testing/talker.fixture.ts')));
    for (const talker of talkers) assert.ok(await talker.says(/^ready$/m, 60_000), talker.output);
    const outer = [...objects.routers.values()].flatMap((each) => [
      ...each.floatingIps.map((floating) => floating.floatingIp),
      ...(each.gateway ? ['forwarded'] : []),
    ]);
    const world = pathWorldOf(objects);
    const attempts: Attempt[] = [];
    for (let i = 0; i < 60; i++) {
      const from = next(PORTS);
      const to = next(PORTS);
      const choice = next(8);
      const forwarded = choice === 0 && outer.includes('forwarded');
      const floating = outer.filter((ip) => ip !== 'forwarded');
      const destination = forwarded
        ? `172.24.4.${200 + next(2)}`
        : choice < 3 && floating.length > 0
          ? (floating[next(floating.length)] as string)
          : (ports[to]?.fixedIps[0]?.ip ?? '');
      if (!forwarded && (choice < 3 ? objects.routers.size === 0 : to === from)) continue;
      const protocol = forwarded ? 6 : ([1, 6, 6, 17, 17][next(5)] as number);
      const way: Partial<Flow> =
        protocol === 1
          ? { icmpType: 8 }
          : {
              sourcePort: 41_000 + i,
              destinationPort: forwarded ? 8000 : protocol === 6 ? ([22, 80, 8080][next(3)] as number) : ([53, 5000][next(2)] as number),
            };
      const flow: Flow = { version: 4, protocol, source: ports[from]?.fixedIps[0]?.ip ?? '', destination, ...way };
      attempts.push({ from, flow, path: await tracePath(world, ports[from] as PortSpec, flow) });
    }
    const outside: Flow = { version: 4, protocol: 1, icmpType: 8, source: '', destination: '172.24.4.1' };
    for (const [from, each] of ports.entries()) {
      const flow = { ...outside, source: each.fixedIps[0]?.ip ?? '' };
      attempts.push({ from, flow, path: await tracePath(world, each, flow) });
    }
    // of what is beyond the cloud, this machine alone is known to be there
    const certain = attempts.filter(
      ({ path, flow }) => path.verdict !== 'unknown' && (flow.destination === '172.24.4.1' || !path.hops.some((hop) => hop.kind === 'outside')),
    );
    const results = await Promise.all(certain.map((attempt, i) => reaches(guests[attempt.from] as Guest, talkers[attempt.from] as Background, i, attempt)));
    const passing = certain.filter(({ path }) => path.verdict === 'pass').length;
    t.diagnostic(`${certain.length} pairs, of which ${passing} pass`);
    const wrong = certain.filter(({ path }, i) => path.verdict !== (results[i] ? 'pass' : 'drop'));
    const story = ({ flow, path }: Attempt): string =>
      [
        JSON.stringify(flow),
        path.summary,
        ...path.hops.map((hop) => `  ${hop.leg} ${hop.kind} ${hop.object.id} ${hop.verdict}: ${hop.reason} ${JSON.stringify(hop.flow)}`),
      ].join('\n');
    assert.equal(wrong.length, 0, `SEED=${seed}: packets do otherwise than these say:\n${wrong.map(story).join('\n')}`);
    if (process.env.SEED === undefined) assert.ok(certain.length >= 36 && passing >= 12 && passing < certain.length - 12, 'both kinds are there');
  } finally {
    await machine.destroy();
  }
});
