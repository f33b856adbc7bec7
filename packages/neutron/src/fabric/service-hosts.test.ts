import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FabricChange, FabricObject } from '@cairn/host/interface/fabric';
import type { SimulatedAgent } from '@cairn/host/simulated/agent';
import type { SimulatedFault } from '@cairn/host/simulated/faults';
import type { TestAnswer } from '@cairn/kit/testing/world';
import { NetworkWorld, type NetworkWorldOptions } from '../testing/network-world.ts';

type Body = TestAnswer['body'];

async function until(isSo: () => Promise<boolean>): Promise<void> {
  const end = Date.now() + 60_000;
  while (!(await isSo())) {
    if (Date.now() > end) throw new Error('it did not come to be in a minute');
    await sleep(20);
  }
}

async function inWorld(options: NetworkWorldOptions, test: (world: Spread) => Promise<void>): Promise<void> {
  const world = await NetworkWorld.start({ hosts: ['h1', 'h2', 'h3'], ...options });
  try {
    await test(new Spread(world));
  } finally {
    await world.close();
  }
}

/** Routers and DHCP over several hosts. */
class Spread {
  readonly world: NetworkWorld;

  constructor(world: NetworkWorld) {
    this.world = world;
  }

  async agent(kind: 'L3 agent' | 'DHCP agent', host: string): Promise<string> {
    let id: string | undefined;
    await until(async () => {
      const { agents } = await this.world.expect(200, 'admin', 'GET', `/agents?host=${host}`);
      id = agents.find((agent: Body) => agent.agent_type === kind)?.id;
      return id !== undefined;
    });
    return String(id);
  }

  /** A router with a gateway and one network. */
  async router(outside: string, third: number, values: Body = {}, who = 'member'): Promise<{ router: Body; network: Body; subnet: Body }> {
    const { network, subnet } = await this.world.network(who, `10.${third}.0.0/24`);
    const router = await this.world.create(who, 'router', { external_gateway_info: { network_id: outside }, ...values });
    await this.world.expect(200, who, 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id });
    return { router, network, subnet };
  }

  /** What the API says of a router's agents, by host. */
  async states(routerId: string): Promise<Record<string, string | null>> {
    const { agents } = await this.world.expect(200, 'admin', 'GET', `/routers/${routerId}/l3-agents`);
    return Object.fromEntries(agents.map((agent: Body) => [agent.host, agent.ha_state]).toSorted());
  }

  /** Where a router is by the API, by its ports, and by what hosts have been told. */
  async homes(routerId: string): Promise<readonly [agents: string[], ports: string[], fabric: string[]]> {
    await this.world.neutron.app.pusher.idle();
    const { agents } = await this.world.expect(200, 'admin', 'GET', `/routers/${routerId}/l3-agents`);
    const { ports } = await this.world.expect(200, 'admin', 'GET', `/ports?device_id=${routerId}`);
    const hosts = (rows: readonly string[]): string[] => [...new Set(rows)].toSorted();
    return [
      agents.map((agent: Body) => agent.host),
      hosts(ports.map((port: Body) => port['binding:host_id'])),
      this.world.hosts.names().filter((host) => this.fabric(host).has(`router ${routerId}`)),
    ];
  }

  async dhcpHosts(networkId: string): Promise<readonly [agents: string[], fabric: string[]]> {
    await this.world.neutron.app.pusher.idle();
    const { agents } = await this.world.expect(200, 'admin', 'GET', `/networks/${networkId}/dhcp-agents`);
    const serves = (host: string): boolean => {
      const object = this.fabric(host).get(`network ${networkId}`);
      return object?.kind === 'network' && object.subnets.some((subnet) => subnet.dhcp !== undefined);
    };
    return [agents.map((agent: Body) => agent.host), this.world.hosts.names().filter(serves)];
  }

  fabric(host: string): Map<string, FabricObject> {
    return (this.world.hosts.get(host) as SimulatedAgent).machine.fabric;
  }
}

const at = (host: string) => [[host], [host], [host]] as const;

describe('routers of several hosts', () => {
  it('are spread, each on the host that has the fewest, and stay there', () =>
    inWorld({}, async (spread) => {
      const { network: outside } = await spread.world.publicNetwork();
      const made = [];
      for (const third of [1, 2, 3, 4]) made.push((await spread.router(outside.id, third)).router.id);
      for (const [i, host] of ['h1', 'h2', 'h3', 'h1'].entries()) assert.deepEqual(await spread.homes(made[i]), at(host));
      // another port of it goes where it is
      const { subnet } = await spread.world.network('member', '10.9.0.0/24');
      await spread.world.expect(200, 'member', 'PUT', `/routers/${made[1]}/add_router_interface`, { subnet_id: subnet.id });
      assert.deepEqual(await spread.homes(made[1]), at('h2'));
      const { routers } = await spread.world.expect(200, 'admin', 'GET', `/agents/${await spread.agent('L3 agent', 'h2')}/l3-routers`);
      assert.deepEqual(
        routers.map((router: Body) => router.id),
        [made[1]],
      );
      assert.deepEqual((await spread.world.show('member', 'router', made[0])).availability_zones, ['nova']);
    }));

  it('go on at once where an operator puts them, and their floating IPs are DOWN in between', () =>
    inWorld({}, async (spread) => {
      const { world } = spread;
      const { network: outside } = await world.publicNetwork();
      const { router, network } = await spread.router(outside.id, 1);
      const port = await world.create('member', 'port', { network_id: network.id });
      const floating = await world.create('member', 'floatingip', { floating_network_id: outside.id, port_id: port.id });
      const status = async (): Promise<string> => {
        await world.neutron.app.pusher.idle();
        return (await world.show('member', 'floatingip', floating.id)).status;
      };
      assert.deepEqual([await spread.homes(router.id), await status()], [at('h1'), 'ACTIVE']);
      const [first, third] = [await spread.agent('L3 agent', 'h1'), await spread.agent('L3 agent', 'h3')];
      await world.expect(201, 'admin', 'POST', `/agents/${first}/l3-routers`, { router_id: router.id });
      const hosted = await world.call('admin', 'POST', `/agents/${third}/l3-routers`, { router_id: router.id });
      assert.deepEqual([hosted.status, hosted.body.NeutronError.type], [409, 'RouterHostedByL3Agent']);
      await world.expect(409, 'admin', 'DELETE', `/agents/${third}/l3-routers/${router.id}`);
      await world.expect(204, 'admin', 'DELETE', `/agents/${first}/l3-routers/${router.id}`);
      assert.deepEqual([await spread.homes(router.id), await status()], [[[], [''], []], 'DOWN']);
      assert.deepEqual((await world.show('member', 'router', router.id)).availability_zones, []);
      const { path } = await world.expect(200, 'member', 'GET', `/floatingips/${floating.id}/path?protocol=icmp`);
      assert.match(JSON.stringify(path), /The router is on no host/);
      // also a new address of it stays down, and a new port nowhere
      const second = await world.create('member', 'port', { network_id: network.id });
      const late = await world.create('member', 'floatingip', { floating_network_id: outside.id, port_id: second.id });
      await world.neutron.app.pusher.idle();
      assert.equal((await world.show('member', 'floatingip', late.id)).status, 'DOWN');
      assert.equal(await world.expect(201, 'admin', 'POST', `/agents/${third}/l3-routers`, { router_id: router.id }), null);
      assert.deepEqual([await spread.homes(router.id), await status()], [at('h3'), 'ACTIVE']);
      assert.equal((await world.show('member', 'floatingip', late.id)).status, 'ACTIVE');
      // what answers guests on the network knows them
      for (const id of [port.id, second.id]) assert.ok(spread.fabric('h3').has(`port ${id}`));
      // the whole says the same
      world.addHost('h3');
      assert.deepEqual(await spread.homes(router.id), at('h3'));
      for (const id of [port.id, second.id]) assert.ok(spread.fabric('h3').has(`port ${id}`));
    }));

  it('are refused by agents that cannot have them', () =>
    inWorld({}, async (spread) => {
      const { world } = spread;
      const { network: outside } = await world.publicNetwork();
      const { router } = await spread.router(outside.id, 1);
      const [first, second, third] = [await spread.agent('L3 agent', 'h1'), await spread.agent('L3 agent', 'h2'), await spread.agent('L3 agent', 'h3')];
      await world.expect(204, 'admin', 'DELETE', `/agents/${first}/l3-routers/${router.id}`);
      const give = async (agent: string, id = router.id): Promise<readonly [number, string]> => {
        const answer = await world.call('admin', 'POST', `/agents/${agent}/l3-routers`, { router_id: id });
        return [answer.status, answer.body.NeutronError.type];
      };
      assert.deepEqual(await give(await spread.agent('DHCP agent', 'h1')), [404, 'InvalidL3Agent']);
      assert.deepEqual(await give(first, first), [404, 'RouterNotFound']);
      assert.deepEqual(await give(router.id), [404, 'AgentNotFound']);
      await world.update('admin', 'agent', second, { admin_state_up: false });
      assert.deepEqual(await give(second), [404, 'InvalidL3Agent']);
      world.hosts.remove('h3');
      assert.deepEqual(await give(third), [409, 'RouterSchedulingFailed']);
      // new ones go to agents that are in service
      assert.deepEqual(await spread.homes((await spread.router(outside.id, 2)).router.id), at('h1'));
      assert.deepEqual(await spread.homes((await spread.router(outside.id, 3)).router.id), at('h1'));
    }));

  it('are put in the zones that their hints name', () =>
    inWorld({ availabilityZones: { east: ['h2'], west: ['h3'] } }, async (spread) => {
      const { world } = spread;
      const { network: outside } = await world.publicNetwork();
      const hinted = async (third: number, ...hints: string[]): Promise<string> =>
        (await spread.router(outside.id, third, { availability_zone_hints: hints })).router.id;
      const made = [await hinted(1, 'west'), await hinted(2, 'west'), await hinted(3, 'east', 'west'), await hinted(4, 'nova')];
      for (const [i, host] of ['h3', 'h3', 'h2', 'h1'].entries()) assert.deepEqual(await spread.homes(String(made[i])), at(host));
      assert.deepEqual((await world.show('member', 'router', String(made[0]))).availability_zones, ['west']);
      const { availability_zones: zones } = await world.expect(200, 'admin', 'GET', '/availability_zones?resource=router');
      assert.deepEqual(
        zones.map((zone: Body) => [zone.name, zone.state]),
        [
          ['east', 'available'],
          ['nova', 'available'],
          ['west', 'available'],
        ],
      );
      await spread.agent('L3 agent', 'h3');
      const { agents } = await world.expect(200, 'admin', 'GET', '/agents?availability_zone=west&agent_type=L3%20agent');
      assert.deepEqual(
        agents.map((agent: Body) => [agent.host, agent.availability_zone]),
        [['h3', 'west']],
      );
      assert.equal((await world.call('member', 'POST', '/routers', { router: { availability_zone_hints: ['north'] } })).status, 404);
      // nobody else of its zone is there: it waits for its host
      world.hosts.remove('h2');
      const lone = await hinted(5, 'east');
      assert.deepEqual(await spread.homes(lone), [[], [''], []]);
      world.addHost('h2');
      await until(async () => (await spread.homes(lone))[0][0] === 'h2');
      assert.deepEqual(await spread.homes(lone), at('h2'));
    }));

  it('and DHCP leave a host that is gone for those that are there, and do not come back', () =>
    inWorld({}, async (spread) => {
      const { world } = spread;
      const { network: outside } = await world.publicNetwork();
      const routers: string[] = [];
      const networks: string[] = [];
      for (const third of [1, 2, 3]) {
        const made = await spread.router(outside.id, third);
        routers.push(made.router.id);
        networks.push(made.network.id);
      }
      const port = await world.create('member', 'port', { network_id: networks[1] });
      const floating = await world.create('member', 'floatingip', { floating_network_id: outside.id, port_id: port.id });
      const { ports: before } = await world.expect(200, 'admin', 'GET', `/ports?network_id=${networks[1]}&device_owner=network:dhcp`);
      assert.deepEqual([await spread.homes(String(routers[1])), await spread.dhcpHosts(String(networks[1]))], [at('h2'), [['h2'], ['h2']]]);
      world.hosts.remove('h2');
      await until(async () => (await spread.homes(String(routers[1])))[0][0] !== 'h2' && (await spread.dhcpHosts(String(networks[1])))[0][0] !== 'h2');
      assert.deepEqual([await spread.homes(String(routers[1])), await spread.dhcpHosts(String(networks[1]))], [at('h1'), [['h1'], ['h1']]]);
      // by the same address, and with what it has to know
      const { ports: after } = await world.expect(200, 'admin', 'GET', `/ports?network_id=${networks[1]}&device_owner=network:dhcp`);
      assert.deepEqual(
        after.map((each: Body) => [each.id, each.fixed_ips]),
        before.map((each: Body) => [each.id, each.fixed_ips]),
      );
      assert.ok(spread.fabric('h1').has(`port ${port.id}`));
      assert.equal((await world.show('member', 'floatingip', floating.id)).status, 'ACTIVE');
      // the others stay where they are; the one that returns has nothing of them
      world.addHost('h2');
      await world.neutron.app.pusher.idle();
      assert.deepEqual(
        [await spread.homes(String(routers[0])), await spread.homes(String(routers[1])), await spread.homes(String(routers[2]))],
        [at('h1'), at('h1'), at('h3')],
      );
      assert.deepEqual(await spread.homes((await spread.router(outside.id, 4)).router.id), at('h2'));
    }));

  it('wait for a host where there is none', () =>
    inWorld({ hosts: [] }, async (spread) => {
      const { world } = spread;
      const { network: outside } = await world.publicNetwork();
      const { router, network } = await spread.router(outside.id, 1);
      assert.deepEqual(
        [await spread.homes(router.id), await spread.dhcpHosts(network.id)],
        [
          [[], [''], []],
          [[], []],
        ],
      );
      world.addHost('h7');
      await until(async () => (await spread.homes(router.id))[2].length > 0);
      await spread.agent('L3 agent', 'h7');
      assert.deepEqual([await spread.homes(router.id), await spread.dhcpHosts(network.id)], [at('h7'), [['h7'], ['h7']]]);
    }));
});

describe('highly available routers', () => {
  const inHa = (test: (spread: Spread, made: { router: Body; network: Body; floating: Body; port: Body }) => Promise<void>): Promise<void> =>
    inWorld({ hosts: ['h1', 'h2', 'h3', 'h4'] }, async (spread) => {
      const { world } = spread;
      const { network: outside } = await world.publicNetwork();
      const { router, network } = await spread.router(outside.id, 1, { ha: true }, 'admin');
      const port = await world.create('admin', 'port', { network_id: network.id });
      const floating = await world.create('admin', 'floatingip', { floating_network_id: outside.id, port_id: port.id });
      for (const host of ['h1', 'h2', 'h3', 'h4']) await spread.agent('L3 agent', host);
      await test(spread, { router, network, floating, port });
    });

  it('work on one host, and two others have all but the router', () =>
    inHa(async (spread, { router, network, floating, port }) => {
      const { world } = spread;
      const states = { h1: 'active', h2: 'standby', h3: 'standby' };
      assert.deepEqual(await spread.states(router.id), states);
      assert.deepEqual((await spread.homes(router.id)).slice(1), [['h1'], ['h1']]);
      const has = (key: string): boolean[] => ['h1', 'h2', 'h3', 'h4'].map((host) => spread.fabric(host).has(key));
      for (const key of [`network ${network.id}`, `port ${port.id}`]) assert.deepEqual(has(key), [true, true, true, false], key);
      // the whole says the same
      world.addHost('h2');
      await world.neutron.app.pusher.idle();
      for (const key of [`network ${network.id}`, `port ${port.id}`]) assert.deepEqual(has(key), [true, true, true, false], key);
      assert.deepEqual((await spread.homes(router.id))[2], ['h1']);
      const { routers } = await world.expect(200, 'admin', 'GET', `/agents/${await spread.agent('L3 agent', 'h3')}/l3-routers`);
      assert.deepEqual([routers.length, routers[0].id], [1, router.id]);
      // the active host is lost
      world.hosts.remove('h1');
      await until(async () => (await spread.states(router.id)).h2 === 'active');
      assert.deepEqual(await spread.states(router.id), { h1: 'unknown', h2: 'active', h3: 'standby' });
      assert.deepEqual((await spread.homes(router.id)).slice(1), [['h2'], ['h2']]);
      assert.equal((await world.show('admin', 'floatingip', floating.id)).status, 'ACTIVE');
      // and stands by when it is back
      world.addHost('h1');
      await world.neutron.app.pusher.idle();
      assert.deepEqual(await spread.states(router.id), { h1: 'standby', h2: 'active', h3: 'standby' });
      assert.deepEqual([(await spread.homes(router.id))[2], has(`network ${network.id}`)], [['h2'], [true, true, true, false]]);
    }));

  it('are put on further agents and taken off them; who stands by takes over', () =>
    inHa(async (spread, { router, network, floating }) => {
      const { world } = spread;
      const change = async (method: 'POST' | 'DELETE', host: string): Promise<void> => {
        const at = `/agents/${await spread.agent('L3 agent', host)}/l3-routers`;
        if (method === 'POST') await world.expect(201, 'admin', 'POST', at, { router_id: router.id });
        else await world.expect(204, 'admin', 'DELETE', `${at}/${router.id}`);
      };
      await change('POST', 'h4');
      assert.deepEqual(await spread.states(router.id), { h1: 'active', h2: 'standby', h3: 'standby', h4: 'standby' });
      await world.neutron.app.pusher.idle();
      assert.ok(spread.fabric('h4').has(`network ${network.id}`));
      await change('DELETE', 'h1');
      assert.deepEqual(await spread.states(router.id), { h2: 'active', h3: 'standby', h4: 'standby' });
      assert.deepEqual((await spread.homes(router.id)).slice(1), [['h2'], ['h2']]);
      for (const host of ['h4', 'h3', 'h2']) await change('DELETE', host);
      assert.deepEqual([await spread.states(router.id), (await spread.homes(router.id))[2]], [{}, []]);
      assert.equal((await world.show('admin', 'floatingip', floating.id)).status, 'DOWN');
      await change('POST', 'h3');
      assert.deepEqual([await spread.states(router.id), (await spread.homes(router.id))[2]], [{ h3: 'active' }, ['h3']]);
      assert.equal((await world.show('admin', 'floatingip', floating.id)).status, 'ACTIVE');
    }));

  it('become plain ones, and plain ones become these', () =>
    inHa(async (spread, { router }) => {
      const { world } = spread;
      const refused = await world.call('admin', 'PUT', `/routers/${router.id}`, { router: { ha: false } });
      assert.equal(refused.status, 400);
      assert.match(
        refused.body.NeutronError.message,
        /Cannot change HA attribute of active routers\. Please set router admin_state_up to False prior to upgrade/,
      );
      await world.update('admin', 'router', router.id, { ha: false, admin_state_up: false });
      assert.deepEqual([await spread.states(router.id), await spread.homes(router.id)], [{ h1: null }, at('h1')]);
      await world.update('admin', 'router', router.id, { ha: true });
      assert.deepEqual(Object.values(await spread.states(router.id)), ['active', 'standby', 'standby']);
    }));
});

describe('the DHCP of several hosts', () => {
  it('is on as many as are asked for, each with an address of its own', () =>
    inWorld({ dhcpAgentsPerNetwork: 2 }, async (spread) => {
      const { world } = spread;
      const { network } = await world.network();
      await spread.agent('DHCP agent', 'h2');
      assert.deepEqual(await spread.dhcpHosts(network.id), [
        ['h1', 'h2'],
        ['h1', 'h2'],
      ]);
      const servers = ['h1', 'h2'].map((host) => {
        const object = spread.fabric(host).get(`network ${network.id}`);
        return object?.kind === 'network' ? object.subnets[0]?.dhcp : undefined;
      });
      assert.deepEqual(
        servers.map((server) => server?.ip),
        ['10.0.0.2', '10.0.0.3'],
      );
      assert.equal(new Set(servers.map((server) => server?.mac)).size, 2);
      // a third one by hand, and the first away
      await world.expect(201, 'admin', 'POST', `/agents/${await spread.agent('DHCP agent', 'h3')}/dhcp-networks`, { network_id: network.id });
      await world.expect(204, 'admin', 'DELETE', `/agents/${await spread.agent('DHCP agent', 'h1')}/dhcp-networks/${network.id}`);
      assert.deepEqual(await spread.dhcpHosts(network.id), [
        ['h2', 'h3'],
        ['h2', 'h3'],
      ]);
      const { ports } = await world.expect(200, 'admin', 'GET', `/ports?network_id=${network.id}&device_owner=network:dhcp`);
      assert.deepEqual(ports.map((port: Body) => port['binding:host_id']).toSorted(), ['h2', 'h3']);
      // all servers know all ports
      const port = await world.create('member', 'port', { network_id: network.id });
      await world.neutron.app.pusher.idle();
      assert.deepEqual(
        ['h1', 'h2', 'h3'].map((host) => spread.fabric(host).has(`port ${port.id}`)),
        [false, true, true],
      );
    }));
});

describe('a prefix that the provider delegates', () => {
  it('goes with its router to another host, which asks to keep it; hosts give it back when the router is deleted, not when it leaves', () => {
    const removals: string[] = [];
    const fault: SimulatedFault = ({ host, method, args: [changes], when }) => {
      if (method !== 'fabric.patch' || when !== 'after') return;
      for (const change of changes as readonly FabricChange[])
        if (change.op === 'remove' && change.kind === 'router') removals.push(`${host} ${change.isGone ? 'gone' : 'elsewhere'}`);
    };
    return inWorld({ agent: { fault } }, async (spread) => {
      const { world } = spread;
      const { router, network, subnet } = await spread.router((await world.publicNetwork()).network.id, 7);
      const slaac = { ip_version: 6, ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac', subnetpool_id: 'prefix_delegation' };
      const { id } = await world.create('member', 'subnet', { network_id: network.id, ...slaac });
      await world.expect(200, 'member', 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: id });
      const has = (prefix: RegExp): Promise<void> => until(async () => prefix.test((await world.show('member', 'subnet', id)).cidr));
      await has(/^3fff:/);
      const [home = ''] = Object.keys(await spread.states(router.id));
      // one that no other host would think of
      (world.hosts.get(home) as SimulatedAgent).fabric.tellPrefix(router.id, id, '2001:db8:5::/64');
      await has(/^2001:db8:5::/);
      const other = home === 'h1' ? 'h2' : 'h1';
      await world.expect(204, 'admin', 'DELETE', `/agents/${await spread.agent('L3 agent', home)}/l3-routers/${router.id}`);
      await world.expect(201, 'admin', 'POST', `/agents/${await spread.agent('L3 agent', other)}/l3-routers`, { router_id: router.id });
      await world.neutron.app.pusher.idle();
      const object = spread.fabric(other).get(`router ${router.id}`);
      assert.deepEqual(
        (object?.kind === 'router' ? object.prefixDelegation : undefined)?.map(({ subnetId, prefix }) => ({ subnetId, prefix })),
        [{ subnetId: id, prefix: '2001:db8:5::/64' }],
      );
      assert.equal((await world.show('member', 'subnet', id)).cidr, '2001:db8:5::/64');
      assert.deepEqual(removals, [`${home} elsewhere`]);
      for (const subnet_id of [id, subnet.id]) await world.expect(200, 'member', 'PUT', `/routers/${router.id}/remove_router_interface`, { subnet_id });
      await world.expect(204, 'member', 'DELETE', `/routers/${router.id}`);
      await world.neutron.app.pusher.idle();
      assert.deepEqual(removals, [`${home} elsewhere`, `${other} gone`]);
    });
  });
});
