import type { TestAnswer } from '@cairn/kit/testing/world';
import type { NetworkGround } from './ground.ts';
import { isInterface, type PortView, secondAddress, type Views } from './views.ts';

/** What a step is done with. Names and addresses come from the choices of the step alone, so that a walk replays. */
interface Scene {
  readonly ground: NetworkGround;
  readonly views: Views;
  /** A whole number below this. */
  readonly below: (limit: number) => number;
  /** The number of the step. */
  readonly step: number;
}

type Answer = TestAnswer | undefined;
/** Undefined where there is nothing to do it to. */
type Action = (scene: Scene) => Promise<Answer>;

const MOST = { networks: 4, guests: 6, routers: 3, groups: 4, rules: 24, floating: 5, addressGroups: 2, delegated: 2 };

const call = ({ ground }: Scene, method: string, path: string, body?: unknown): Promise<TestAnswer> => ground.world.call('admin', method, path, body);
const pick = <T>({ below }: Scene, list: readonly T[]): T | undefined => list[below(list.length || 1)];
const chance = ({ below }: Scene, of: number): boolean => below(of) === 0;
const guest = (scene: Scene): PortView | undefined => pick(scene, scene.views.guestPorts());
const updatePort = (scene: Scene, port: PortView, values: object): Promise<TestAnswer> => call(scene, 'PUT', `/ports/${port.id}`, { port: values });
const someGroups = (scene: Scene): string[] => {
  // groups that remember and groups that do not are not mixed on a port
  const stateful = !chance(scene, 4);
  const fitting = scene.views.groups.filter((group) => group.stateful === stateful).map((group) => group.id);
  const one = chance(scene, 5) ? undefined : pick(scene, fitting);
  return fitting.filter((id) => id === one || chance(scene, 3));
};
/** Those that are off come on more often than others go off, or all would be off in the end. */
const pickToSwitch = <T extends { readonly admin_state_up: boolean }>(scene: Scene, list: readonly T[]): T | undefined =>
  pick(scene, chance(scene, 3) ? list : list.filter((each) => !each.admin_state_up)) ?? pick(scene, list);

const makeNetwork: Action = async (scene) => {
  if (scene.views.tenants().length >= MOST.networks) return undefined;
  const type = pick(scene, ['geneve', 'vxlan', 'geneve']) as string;
  const made = await call(scene, 'POST', '/networks', { network: { name: `n${scene.step}`, 'provider:network_type': type } });
  if (made.status !== 201) return made;
  const { id } = made.body.network as { id: string };
  // few ranges, so that networks have the same addresses now and then
  const n = scene.below(5);
  const made4 = await call(scene, 'POST', '/subnets', {
    subnet: { network_id: id, ip_version: 4, cidr: `10.${n}.0.0/24`, enable_dhcp: !chance(scene, 3), ...(chance(scene, 8) && { gateway_ip: null }) },
  });
  if (made4.status !== 201 || chance(scene, 2)) return made4;
  const mode = pick(scene, [
    {},
    { ipv6_ra_mode: 'slaac', ipv6_address_mode: 'slaac' },
    { ipv6_ra_mode: 'dhcpv6-stateful', ipv6_address_mode: 'dhcpv6-stateful' },
  ]);
  return await call(scene, 'POST', '/subnets', { subnet: { network_id: id, ip_version: 6, cidr: `fd00:0:0:${scene.step + 1}::/64`, ...mode } });
};

const makeDelegated: Action = async (scene) => {
  const { views } = scene;
  const taken = new Set(views.subnets.filter((subnet) => subnet.ip_version === 6).map((subnet) => subnet.network_id));
  const network = pick(
    scene,
    views.tenants().filter((each) => !taken.has(each.id)),
  );
  if (!network || views.delegated().length >= MOST.delegated) return undefined;
  const mode = pick(scene, ['slaac', 'dhcpv6-stateless']);
  const subnet = { network_id: network.id, ip_version: 6, subnetpool_id: 'prefix_delegation', ipv6_ra_mode: mode, ipv6_address_mode: mode };
  return await call(scene, 'POST', '/subnets', { subnet });
};

const removeDelegated: Action = async (scene) => {
  const subnet = pick(scene, scene.views.delegated());
  return subnet && (await call(scene, 'DELETE', `/subnets/${subnet.id}`));
};

/** The provider gives other prefixes, and hosts hear of it. */
const otherPrefixes: Action = async (scene) => {
  if (scene.views.delegated().every((subnet) => subnet.cidr === '::/64')) return undefined;
  await scene.ground.changePrefixes(scene.views);
  return { status: 200, headers: new Headers(), body: {} };
};

const removeNetwork: Action = async (scene) => {
  const network = pick(scene, scene.views.tenants());
  return network && (await call(scene, 'DELETE', `/networks/${network.id}`));
};

const makeGuest: Action = async (scene) => {
  const network = pick(scene, scene.views.tenants());
  if (!network || scene.views.guestPorts().length >= MOST.guests) return undefined;
  return await call(scene, 'POST', '/ports', {
    port: {
      network_id: network.id,
      name: `g${scene.step}`,
      device_owner: 'compute:nova',
      device_id: `server-${scene.step}`,
      'binding:host_id': pick(scene, scene.ground.hosts),
      ...(!chance(scene, 3) && { security_groups: someGroups(scene) }),
    },
  });
};

const makeRule: Action = async (scene) => {
  const group = pick(scene, scene.views.groups);
  if (!group || scene.views.groups.reduce((sum, each) => sum + each.security_group_rules.length, 0) >= MOST.rules) return undefined;
  const ethertype = chance(scene, 3) ? 'IPv6' : 'IPv4';
  const protocol = pick(scene, [null, 'tcp', 'tcp', 'udp', ethertype === 'IPv4' ? 'icmp' : 'ipv6-icmp', '6', '17']) ?? null;
  const ported = protocol !== null && protocol !== 'icmp' && protocol !== 'ipv6-icmp';
  const ports = pick(scene, [
    {},
    { port_range_min: 22, port_range_max: 22 },
    { port_range_min: 50, port_range_max: 85 },
    { port_range_min: 40_000, port_range_max: 65_535 },
  ]);
  const addressGroup = pick(scene, scene.views.addressGroups);
  const member = guest(scene)?.fixed_ips.find(({ ip_address: ip }) => ip.includes(':') === (ethertype === 'IPv6'))?.ip_address;
  const remote = pick(scene, [
    {},
    {},
    { remote_group_id: pick(scene, scene.views.groups)?.id },
    member === undefined ? {} : { remote_ip_prefix: member },
    { remote_ip_prefix: ethertype === 'IPv6' ? 'fd00::/16' : pick(scene, ['10.1.0.0/24', '10.0.0.0/8', '172.24.4.0/24', '10.2.0.0/15', '0.0.0.0/0']) },
    addressGroup === undefined || ethertype === 'IPv6' ? {} : { remote_address_group_id: addressGroup.id },
  ]);
  return await call(scene, 'POST', '/security-group-rules', {
    security_group_rule: {
      security_group_id: group.id,
      direction: chance(scene, 4) ? 'egress' : 'ingress',
      ethertype,
      protocol,
      ...(ported ? ports : protocol === 'icmp' && chance(scene, 3) ? { port_range_min: pick(scene, [0, 8]), port_range_max: 0 } : {}),
      ...remote,
    },
  });
};

/** Lets everything in, so that not all is shut most of the time. */
const open: Action = async (scene) => {
  const group = pick(scene, scene.views.groups);
  const ethertype = chance(scene, 3) ? 'IPv6' : 'IPv4';
  const values = group && { security_group_id: group.id, direction: chance(scene, 4) ? 'egress' : 'ingress', ethertype };
  return values && (await call(scene, 'POST', '/security-group-rules', { security_group_rule: values }));
};

const removeRule: Action = async (scene) => {
  const rule = pick(
    scene,
    scene.views.groups.flatMap((group) => group.security_group_rules),
  );
  return rule && (await call(scene, 'DELETE', `/security-group-rules/${rule.id}`));
};

const makeGroup: Action = async (scene) =>
  scene.views.groups.length >= MOST.groups
    ? undefined
    : await call(scene, 'POST', '/security-groups', { security_group: { name: `sg${scene.step}`, stateful: !chance(scene, 3) } });

const removeGroup: Action = async (scene) => {
  const group = pick(
    scene,
    scene.views.groups.filter((each) => each.name !== 'default'),
  );
  return group && (await call(scene, 'DELETE', `/security-groups/${group.id}`));
};

const makeRouter: Action = async (scene) => {
  if (scene.views.routers.length >= MOST.routers) return undefined;
  const outside = scene.views.external();
  return await call(scene, 'POST', '/routers', {
    router: {
      name: `r${scene.step}`,
      ha: chance(scene, 2),
      distributed: chance(scene, 2),
      ...(!chance(scene, 3) && outside && { external_gateway_info: { network_id: outside.id } }),
    },
  });
};

const removeRouter: Action = async (scene) => {
  const router = pick(scene, scene.views.routers);
  return router && (await call(scene, 'DELETE', `/routers/${router.id}`));
};

const addInterface: Action = async (scene) => {
  const router = pick(scene, scene.views.routers);
  const tenants = new Set(scene.views.tenants().map((network) => network.id));
  const routed = new Set(scene.views.ports.filter(isInterface).flatMap((port) => port.fixed_ips.map((fixed) => fixed.subnet_id)));
  const subnet = pick(
    scene,
    scene.views.subnets.filter((each) => tenants.has(each.network_id) && !routed.has(each.id)),
  );
  return router && subnet && (await call(scene, 'PUT', `/routers/${router.id}/add_router_interface`, { subnet_id: subnet.id }));
};

const removeInterface: Action = async (scene) => {
  const port = pick(scene, scene.views.ports.filter(isInterface));
  return port && (await call(scene, 'PUT', `/routers/${port.device_id}/remove_router_interface`, { subnet_id: port.fixed_ips[0]?.subnet_id }));
};

const changeRouter: Action = async (scene) => {
  const router = pickToSwitch(scene, scene.views.routers);
  const outside = scene.views.external();
  if (!router || !outside) return undefined;
  const gateway = { network_id: outside.id };
  const values = pick(scene, [
    { admin_state_up: !router.admin_state_up },
    { external_gateway_info: router.external_gateway_info ? {} : gateway },
    { external_gateway_info: { ...gateway, enable_snat: router.external_gateway_info?.enable_snat === false } },
    { external_gateway_info: { ...gateway, enable_snat: true } },
  ]);
  return await call(scene, 'PUT', `/routers/${router.id}`, { router: values });
};

const makeFloating: Action = async (scene) => {
  const outside = scene.views.external();
  if (!outside || scene.views.floatingIps.length >= MOST.floating) return undefined;
  const port = chance(scene, 4) ? undefined : guest(scene);
  return await call(scene, 'POST', '/floatingips', { floatingip: { floating_network_id: outside.id, ...(port && { port_id: port.id }) } });
};

const changeFloating: Action = async (scene) => {
  const floating = pick(scene, scene.views.floatingIps);
  const port = floating && chance(scene, 3) ? undefined : guest(scene);
  return floating && (await call(scene, 'PUT', `/floatingips/${floating.id}`, { floatingip: { port_id: port?.id ?? null } }));
};

const removeFloating: Action = async (scene) => {
  const floating = pick(scene, scene.views.floatingIps);
  return floating && (await call(scene, 'DELETE', `/floatingips/${floating.id}`));
};

const forward: Action = async (scene) => {
  const floating = pick(
    scene,
    scene.views.floatingIps.filter((each) => each.port_id === null),
  );
  const port = guest(scene);
  const ip = port?.fixed_ips.find((fixed) => !fixed.ip_address.includes(':'))?.ip_address;
  if (!floating || !port || ip === undefined) return undefined;
  const udp = chance(scene, 3);
  return await call(scene, 'POST', `/floatingips/${floating.id}/port_forwardings`, {
    port_forwarding: {
      protocol: udp ? 'udp' : 'tcp',
      internal_port_id: port.id,
      internal_ip_address: ip,
      internal_port: udp ? 53 : pick(scene, [22, 80]),
      external_port: pick(scene, udp ? [53, 1053] : [22, 2022, 80]),
    },
  });
};

const unforward: Action = async (scene) => {
  const floating = pick(
    scene,
    scene.views.floatingIps.filter((each) => each.port_forwardings.length > 0),
  );
  const forwarding = floating && pick(scene, floating.port_forwardings);
  return forwarding && (await call(scene, 'DELETE', `/floatingips/${floating.id}/port_forwardings/${forwarding.id}`));
};

const changeGroupsOfPort: Action = async (scene) => {
  const port = guest(scene);
  return port && (await updatePort(scene, port, { security_groups: someGroups(scene) }));
};

const pairs: Action = async (scene) => {
  const port = guest(scene);
  const ip = port?.fixed_ips.find((fixed) => !fixed.ip_address.includes(':'))?.ip_address;
  if (!port || ip === undefined) return undefined;
  const second = secondAddress(ip);
  const found = pick(scene, [[], [{ ip_address: second }], [{ ip_address: second }], [{ ip_address: second.replace(/\d+$/, '192/26') }]]);
  return await updatePort(scene, port, { allowed_address_pairs: found });
};

const portSecurity: Action = async (scene) => {
  const port = guest(scene);
  if (!port) return undefined;
  const off = { port_security_enabled: false, security_groups: [], allowed_address_pairs: [] };
  return await updatePort(scene, port, port.port_security_enabled ? off : { port_security_enabled: true, security_groups: someGroups(scene) });
};

const switchPort: Action = async (scene) => {
  const port = pickToSwitch(scene, scene.views.guestPorts());
  return port && (await updatePort(scene, port, { admin_state_up: !port.admin_state_up }));
};

const readdress: Action = async (scene) => {
  const port = guest(scene);
  const subnets = scene.views.subnets.filter((subnet) => subnet.network_id === port?.network_id);
  if (!port || subnets.length === 0) return undefined;
  return await updatePort(scene, port, {
    fixed_ips: subnets
      .filter((subnet) => subnet.ip_version === 4 || subnet.cidr.startsWith('fd'))
      .map((subnet) =>
        subnet.ip_version === 4 ? { subnet_id: subnet.id, ip_address: subnet.cidr.replace('0/24', String(20 + scene.below(30))) } : { subnet_id: subnet.id },
      ),
  });
};

const migrate: Action = async (scene) => {
  const port = guest(scene);
  const host = pick(
    scene,
    scene.ground.hosts.filter((each) => each !== port?.['binding:host_id']),
  );
  return port && host !== undefined ? await updatePort(scene, port, { 'binding:host_id': host }) : undefined;
};

const removeGuest: Action = async (scene) => {
  const port = guest(scene);
  return port && (await call(scene, 'DELETE', `/ports/${port.id}`));
};

const addressGroup: Action = async (scene) => {
  const group = pick(scene, scene.views.addressGroups);
  const address = pick(scene, ['10.1.0.0/24', '10.2.0.0/24', '172.24.4.1/32', '10.0.0.0/13']) as string;
  if (!group || (scene.views.addressGroups.length < MOST.addressGroups && chance(scene, 3)))
    return await call(scene, 'POST', '/address-groups', { address_group: { name: `ag${scene.step}`, addresses: [address] } });
  const verb = chance(scene, 2) ? 'add' : 'remove';
  return await call(scene, 'PUT', `/address-groups/${group.id}/${verb}_addresses`, { addresses: [address] });
};

/** Routers and DHCP go to another host. */
const moveRouter: Action = async (scene) => {
  const router = pick(scene, scene.views.routers);
  return router && (await moveService(scene, `/routers/${router.id}/l3-agents`, 'L3 agent', 'l3-routers', { router_id: router.id }));
};

const moveDhcp: Action = async (scene) => {
  const network = pick(scene, scene.views.networks);
  return network && (await moveService(scene, `/networks/${network.id}/dhcp-agents`, 'DHCP agent', 'dhcp-networks', { network_id: network.id }));
};

interface AgentView {
  readonly id: string;
  readonly host: string;
  readonly alive: boolean;
}

async function moveService(scene: Scene, where: string, type: string, verb: string, body: Record<string, string>): Promise<TestAnswer | undefined> {
  const { agents: serving } = (await call(scene, 'GET', where)).body as { agents: AgentView[] };
  const { agents } = (await call(scene, 'GET', `/agents?agent_type=${encodeURIComponent(type)}`)).body as { agents: AgentView[] };
  const [from] = serving;
  const to = pick(
    scene,
    agents.filter((agent) => agent.alive && agent.id !== from?.id).toSorted((a, b) => (a.host < b.host ? -1 : 1)),
  );
  if (!from || !to) return undefined;
  await call(scene, 'DELETE', `/agents/${from.id}/${verb}/${Object.values(body)[0]}`);
  return await call(scene, 'POST', `/agents/${to.id}/${verb}`, body);
}

const restart: Action = async (scene) => {
  await scene.ground.restart(pick(scene, scene.ground.hosts) as string);
  return { status: 200, headers: new Headers(), body: {} };
};

/** Kinds of steps, with how often they are taken. */
export const ACTIONS: Readonly<Record<string, readonly [weight: number, action: Action]>> = {
  makeNetwork: [3, makeNetwork],
  removeNetwork: [1, removeNetwork],
  makeGuest: [9, makeGuest],
  removeGuest: [2, removeGuest],
  makeRule: [10, makeRule],
  removeRule: [4, removeRule],
  open: [3, open],
  makeGroup: [2, makeGroup],
  removeGroup: [1, removeGroup],
  changeGroupsOfPort: [4, changeGroupsOfPort],
  addressGroup: [3, addressGroup],
  makeRouter: [3, makeRouter],
  removeRouter: [1, removeRouter],
  addInterface: [6, addInterface],
  removeInterface: [1, removeInterface],
  changeRouter: [3, changeRouter],
  makeFloating: [4, makeFloating],
  changeFloating: [4, changeFloating],
  removeFloating: [2, removeFloating],
  forward: [4, forward],
  unforward: [2, unforward],
  pairs: [3, pairs],
  portSecurity: [3, portSecurity],
  switchPort: [3, switchPort],
  readdress: [2, readdress],
  migrate: [3, migrate],
  moveRouter: [3, moveRouter],
  moveDhcp: [2, moveDhcp],
  makeDelegated: [3, makeDelegated],
  removeDelegated: [1, removeDelegated],
  otherPrefixes: [2, otherPrefixes],
  restart: [1, restart],
};
