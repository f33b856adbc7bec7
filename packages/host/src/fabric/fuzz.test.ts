import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { test } from 'node:test';
import type { FabricChange, FabricObject, SecurityGroupRuleSpec } from '../interface/fabric.ts';
import { run } from '../process/run.ts';
import { Objects } from './objects.ts';
import { SwitchMemory } from './plan/memory.ts';
import { INET, MEMBER_SET, ZONE_MAP, switchRules } from './plan/switch-rules.ts';
import { diffRules } from './ruleset/diff.ts';
import { asKernel, type KernelRules } from './ruleset/model.ts';
import { readRules } from './ruleset/read.ts';
import { cannotRun, Machine } from './testing/machine.ts';
import { group, macOf, network, port, put, remove, router, subnet } from './testing/objects.ts';
import { randomOf } from './testing/random.ts';
import { validate } from './validate.ts';

/** Random changes of a small world: everything in it meets everything else before long. */
class World {
  readonly #next: (below: number) => number;

  constructor(seed: number) {
    this.#next = randomOf(seed);
  }

  #one<T>(...choices: readonly T[]): T {
    return choices[this.#next(choices.length)] as T;
  }

  #some<T>(choices: readonly T[]): readonly T[] {
    return choices.filter(() => this.#next(2) === 0);
  }

  #rule(): SecurityGroupRuleSpec {
    const ethertype = this.#one('IPv4', 'IPv6');
    const protocol = this.#one(undefined, 'tcp', 'udp', 'icmp', 'ipv6-icmp', 'icmpv6', 'sctp', 'dccp', 'udplite', 'vrrp', 'gre', '0', '6', '58', '255', 'any');
    const isIcmp = protocol?.includes('icmp') || protocol === '58';
    const low = this.#next(isIcmp ? 256 : 65536);
    const ports = this.#next(2)
      ? {}
      : isIcmp
        ? { portMin: low, ...(this.#next(2) ? { portMax: this.#next(256) } : {}) }
        : { portMin: low, portMax: low + this.#next(65536 - low) };
    const remote = this.#one(
      {},
      { remoteGroupId: this.#one('ga', 'gb', 'gc', 'unknown') },
      {
        remoteCidr: ethertype === 'IPv4' ? this.#one('0.0.0.0/0', '10.0.0.7', '10.0.0.77/25', '255.255.255.255/32') : this.#one('::/0', 'fd00::/7', '::1/128'),
      },
    );
    return {
      id: `r${this.#next(1000)}`,
      direction: this.#one('ingress', 'egress'),
      ethertype,
      ...(protocol === undefined ? {} : { protocol }),
      ...(protocol === undefined ? {} : ports),
      ...remote,
    };
  }

  change(): FabricChange {
    const ids = {
      network: ['net-a', 'net-b', 'net-c'],
      securityGroup: ['ga', 'gb', 'gc'],
      port: ['p1', 'p2', 'p3', 'p4', 'p5'],
      router: ['router-a', 'router-b'],
    } as const;
    const kind = this.#one('network', 'securityGroup', 'securityGroup', 'port', 'port', 'port', 'router');
    const id = this.#one<string>(...ids[kind]);
    if (this.#next(5) === 0) return remove(kind, id);
    return put(this.#object(kind, id));
  }

  #object(kind: FabricObject['kind'], id: string): FabricObject {
    const n = id.charCodeAt(id.length - 1) & 31;
    if (kind === 'network') {
      const dhcp = (ip: string) => (this.#next(2) ? { dhcp: { ip, mac: macOf(500 + n) } } : {});
      const v4 = subnet(`${id}-4`, `10.${n}.0.0/24`, { gatewayIp: `10.${n}.0.1`, isolated: this.#next(2) === 0, ...dhcp(`10.${n}.0.2`) });
      const v6 = subnet(`${id}-6`, `fd00:0:0:${n}::/64`, {
        gatewayIp: `fd00:0:0:${n}::1`,
        ipv6AddressMode: this.#one('slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'),
        ...dhcp(`fd00:0:0:${n}::2`),
      });
      return network(id, this.#some([v4, v6]), {
        mtu: this.#one(1450, 1500, 1400),
        ...(id === 'net-a' && this.#next(2) ? { segment: { type: 'flat' as const, physicalNetwork: 'public' } } : {}),
      });
    }
    if (kind === 'securityGroup')
      return group(
        id,
        Array.from({ length: this.#next(6) }, () => this.#rule()),
        { stateful: this.#next(4) > 0 },
      );
    const net = (): string => this.#one('net-a', 'net-b', 'net-c');
    if (kind === 'port') {
      const at = net();
      const m = at.charCodeAt(4) & 31;
      return port(
        id,
        at,
        n,
        this.#some([
          [`${at}-4`, `10.${m}.0.${10 + n}`],
          [`${at}-6`, `fd00:0:0:${m}::${10 + n}`],
        ]),
        {
          adminUp: this.#next(6) > 0,
          portSecurity: this.#next(6) > 0,
          securityGroups: this.#some(['ga', 'gb', 'gc', 'unknown']),
          allowedAddressPairs: this.#some(['10.0.0.0/8', '10.2.0.5', '10.2.0.5/32', '0.0.0.0/0', 'fd00::/8', 'fd00::5', '::/0', '10.2.0.0/31']).map((cidr) => ({
            mac: this.#one(macOf(n), macOf(100 + n)),
            cidr,
          })),
        },
      );
    }
    const networks = this.#some(['net-b', 'net-c']);
    return router(id, {
      adminUp: this.#next(6) > 0,
      interfaces: networks.map((at) => {
        const m = at.charCodeAt(4) & 31;
        return {
          portId: `${id}-${at}`.replace('router-', 'rp').replace('net-', ''),
          networkId: at,
          mac: macOf(600 + n * 8 + m),
          addresses: [
            { ip: `10.${m}.0.${n}`, prefixLength: 24 },
            { ip: `fd00:0:0:${m}::${n}`, prefixLength: 64 },
          ],
        };
      }),
      ...(this.#next(2)
        ? {
            gateway: {
              networkId: 'net-a',
              mac: macOf(700 + n),
              snat: this.#next(2) === 0,
              addresses: [{ ip: `172.24.4.${10 + n}`, prefixLength: 24, nexthop: this.#one('172.24.4.1', '172.25.0.1') }],
            },
          }
        : {}),
      routes: this.#some([
        { destination: '192.168.0.0/16', nexthop: '10.2.0.99' },
        { destination: '192.168.0.0/24', nexthop: '10.3.0.99' },
        { destination: '0.0.0.0/0', nexthop: '10.2.0.98' },
        { destination: 'fd01::/64', nexthop: 'fd00:0:0:2::99' },
      ]),
      floatingIps: this.#some(['172.24.4.50', '172.24.4.51']).map((floatingIp, i) => ({
        id: `f${i}`,
        floatingIp,
        fixedIp: this.#one('10.2.0.11', '10.3.0.12'),
      })),
    });
  }
}

const sorted = (rules: KernelRules): unknown =>
  Object.fromEntries(
    [...rules].toSorted().map(([key, { sets, chains }]) => [
      key,
      {
        sets: Object.fromEntries([...sets].toSorted().map(([name, set]) => [name, { kind: set.kind, elements: [...set.elements].toSorted() }])),
        chains: Object.fromEntries([...chains].toSorted().map(([name, { hook, digest }]) => [name, { hook, digest }])),
      },
    ]),
  );

test('whatever the objects, the kernel takes the rules, and shows them as they were meant', { skip: cannotRun }, async (t) => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const netns = `fuzz${process.pid}`;
  await run('ip', ['netns', 'add', netns]);
  try {
    const world = new World(seed);
    const objects = new Objects();
    let memory = new SwitchMemory();
    let kernel: KernelRules = new Map();
    for (let step = 0; step < 120; step++) {
      const changes = Array.from({ length: 1 + (step % 3) }, () => world.change());
      for (const change of changes) if (change.op === 'put') validate(change.object);
      objects.change(changes);
      const wanted = switchRules(objects, memory);
      const script = diffRules(kernel, wanted);
      if (script) await run('nft', ['-f', '-'], { netns, input: script });
      const read = readRules((await run('nft', ['-j', 'list', 'ruleset'], { netns, maxOutputBytes: 1e8 })).stdout);
      assert.deepEqual(sorted(read), sorted(asKernel(wanted)), `SEED=${seed} step ${step}`);
      kernel = asKernel(wanted);
      // Now and then the program starts anew and knows only what the kernel tells.
      if (step % 10 === 9) {
        memory = SwitchMemory.seed(read, { table: INET, zoneMap: ZONE_MAP, memberSetPattern: MEMBER_SET });
        assert.equal(diffRules(read, switchRules(objects, memory)), '', `SEED=${seed} step ${step}: after a restart`);
        kernel = read;
      }
    }
  } finally {
    await run('ip', ['netns', 'delete', netns]);
  }
});

test('whatever the way, the same wanted state is the same kernel', { skip: cannotRun }, async (t) => {
  const seed = Number(process.env.SEED ?? randomInt(2 ** 31));
  t.diagnostic(`SEED=${seed}`);
  const machine = await Machine.create();
  try {
    const world = new World(seed);
    const wanted = new Map<string, FabricObject>();
    const fabric = machine.fabric();
    for (let step = 0; step < 50; step++) {
      const changes = Array.from({ length: 1 + (step % 3) }, () => world.change()).filter((change) => {
        // A guest's port needs its network.
        if (change.op === 'put') return change.object.kind !== 'port' || wanted.has(`network ${change.object.networkId}`);
        return true;
      });
      await fabric.patch(changes);
      for (const change of changes) {
        if (change.op === 'put') wanted.set(`${change.object.kind} ${change.object.id}`, change.object);
        else wanted.delete(`${change.kind} ${change.id}`);
      }
      if (step % 10 < 9) continue;
      const before = fabric.changes;
      await fabric.apply([...wanted.values()]);
      assert.equal(fabric.changes, before, `SEED=${seed} step ${step}: the kernel is as remembered`);
    }
    await fabric.stop();
    const later = machine.fabric();
    await later.apply([...wanted.values()]);
    assert.equal(later.changes, 0, `SEED=${seed}: a new run finds all as wanted`);
    await later.apply([]);
    assert.deepEqual((await later.status()).namespaces, [later.switchNamespace]);
    await later.stop();
  } finally {
    await machine.destroy();
  }
});
