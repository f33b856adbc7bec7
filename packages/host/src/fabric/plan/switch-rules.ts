import type { PortSpec } from '../../interface/fabric.ts';
import { bridgeName, identifier } from '../names.ts';
import type { FabricView } from '../objects.ts';
import type { Chain, Ruleset, SetModel, Table } from '../ruleset/model.ts';
import { TABLE } from '../ruleset/read.ts';
import { formatCidr, minimise, parseCidr } from './address.ts';
import { type SwitchMemory, Generations } from './memory.ts';
import { planLocalIps } from './local-ips.ts';
import { LogPlan } from './logs.ts';
import { portFilter } from './port-filter.ts';
import { egressRules, ingressRules } from './qos.ts';
import { partRules } from './router-part.ts';
import { addressSet, type Direction, groupChain, groupRules, MATCHED, memberAddresses, memberSet, type Policy, policyOf } from './security-group.ts';

/**
 * The rules of the switch namespace. A frame's way:
 *  1. bridge prerouting: the tap's chain checks the sender (port-filter.ts) and marks the packet with the port's number;
 *  2. inet raw, conntrack: the connection is found in the network's own zone;
 *  3. inet prerouting: by mark, the policy of the port it comes from;
 *  4. bridge forward: the mark becomes that of the port it goes to;
 *  5. inet forward: by mark, the policy of that port.
 * The inet hooks see bridged packets by br_netfilter, and see the bridge where the tap should be; hence the marks.
 * A tap that no map names passes nothing.
 */
export const INET = `inet ${TABLE}`;
export const BRIDGE = `bridge ${TABLE}`;
export const ZONE_MAP = 'zones';
/** Sets of addresses of members of security groups, and of address groups. */
export const MEMBER_SET = /^[ag][46]_/;

/** Whether connections through the tap are judged by security groups. */
const isFiltered = (port: PortSpec): boolean => port.portSecurity && port.adminUp;

export function switchRules(view: FabricView, memory: SwitchMemory): Ruleset {
  const ports = [...view.guestPorts.values()].filter((port) => view.networks.has(port.networkId));
  const filtered = ports.filter(isFiltered);
  const policies = new Map<string, Policy>();
  const policyByPort = new Map<string, Policy>();
  for (const port of filtered) {
    const policy = policyOf(view, port.securityGroups);
    policies.set(policy.name, policy);
    policyByPort.set(port.id, policy);
  }
  memory.marks.keepOnly((id) => view.guestPorts.has(id));
  return new Map<string, Table>([
    [BRIDGE, bridgeTable(view, ports, memory)],
    [INET, inetTable(view, filtered, policies, policyByPort, memory)],
  ]);
}

interface FilterChains {
  readonly mark: number;
  readonly from: Chain;
  readonly to: Chain;
}

const filters = new WeakMap<PortSpec, FilterChains>();

/** The same chains for the same port, so that comparing them costs nothing. */
function filterOf(port: PortSpec, mark: number): FilterChains {
  let known = filters.get(port);
  if (known?.mark !== mark) {
    const { from, to } = portFilter(port, mark);
    filters.set(port, (known = { mark, from: { rules: from }, to: { rules: to } }));
  }
  return known;
}

const BRIDGE_PREROUTING = ['iifname vmap @from', 'iifname "tap*" drop'];
const BRIDGE_FORWARD = ['meta mark set 0x0', 'oifname vmap @to', 'oifname "tap*" drop'];

function bridgeTable(view: FabricView, ports: readonly PortSpec[], memory: SwitchMemory): Table {
  const chains = new Map<string, Chain>();
  const from = new Map<string, string>();
  const to = new Map<string, string>();
  for (const port of ports) {
    if (port.attachment.kind === 'none') continue;
    const { tap } = port.attachment;
    if (isFiltered(port)) {
      const name = identifier(tap);
      const filter = filterOf(port, memory.marks.of(port.id));
      chains.set(`from_${name}`, filter.from);
      chains.set(`to_${name}`, filter.to);
      from.set(tap, `goto from_${name}`);
      to.set(tap, `goto to_${name}`);
    } else if (port.adminUp && port.qos) {
      const name = identifier(tap);
      chains.set(`from_${name}`, { rules: [...egressRules(port.qos), 'accept'] });
      chains.set(`to_${name}`, { rules: [...ingressRules(port.qos), 'accept'] });
      from.set(tap, `goto from_${name}`);
      to.set(tap, `goto to_${name}`);
    } else {
      const verdict = port.adminUp ? 'accept' : 'drop';
      from.set(tap, verdict);
      to.set(tap, verdict);
    }
  }
  chains.set('prerouting', { hook: { type: 'filter', hook: 'prerouting', priority: -300 }, rules: BRIDGE_PREROUTING });
  chains.set('forward', { hook: { type: 'filter', hook: 'forward', priority: -200 }, rules: BRIDGE_FORWARD });
  const local = planLocalIps(ports);
  const parts = partRules(view);
  for (const [name, chain] of [...local.chains, ...parts.chains]) chains.set(name, chain);
  const verdicts = (elements: ReadonlyMap<string, string>): SetModel => ({ kind: 'map', declaration: 'type ifname : verdict', elements });
  return {
    family: 'bridge',
    name: TABLE,
    sets: new Map([['from', verdicts(from)], ['to', verdicts(to)], ...local.sets, ...parts.sets]),
    chains,
  };
}

// What every filtered guest may do and must not do, whatever its groups say; after upstream's provider rules. These rules stand
// behind defragmentation, so fragments do not hide a DHCP offer or a router advertisement.
const GUEST_OUT = [
  'meta nfproto ipv4 udp sport 67 udp dport 68 drop',
  'meta nfproto ipv6 udp sport 547 udp dport 546 drop',
  'icmpv6 type { 134, 137 } drop',
  'meta nfproto ipv4 udp sport 68 udp dport 67 accept',
  'meta nfproto ipv6 udp sport 546 udp dport 547 accept',
  'icmpv6 type { 130, 131, 132, 133, 135, 136, 143 } accept',
];
const GUEST_IN = [
  'meta nfproto ipv4 udp sport 67 udp dport 68 accept',
  'meta nfproto ipv6 udp sport 547 udp dport 546 accept',
  'icmpv6 type { 130, 131, 132, 134, 135, 136, 143 } accept',
];
const RAW = [`ct zone set iifname map @${ZONE_MAP}`];
const INET_PREROUTING = ['meta mark vmap @from'];
const INET_FORWARD = ['meta mark vmap @to'];

function inetTable(
  view: FabricView,
  ports: readonly PortSpec[],
  policies: ReadonlyMap<string, Policy>,
  policyByPort: ReadonlyMap<string, Policy>,
  memory: SwitchMemory,
): Table {
  const chains = new Map<string, Chain>([
    ['raw', { hook: { type: 'filter', hook: 'prerouting', priority: -300 }, rules: RAW }],
    ['prerouting', { hook: { type: 'filter', hook: 'prerouting', priority: -100 }, rules: INET_PREROUTING }],
    ['forward', { hook: { type: 'filter', hook: 'forward', priority: -1 }, rules: INET_FORWARD }],
    ['guest_out', { rules: GUEST_OUT }],
    ['guest_in', { rules: GUEST_IN }],
  ]);
  const members = memberSets(view, policies.values());
  const shrunk = new Set(
    [...memory.members].filter(([name, before]) => [...before.keys()].some((element) => members.get(name)?.has(element) !== true)).map(([name]) => name),
  );
  memory.members = members;
  const logs = new LogPlan();
  for (const port of ports) {
    const policy = policyByPort.get(port.id);
    if (policy) logs.add(port, policy, String(memory.marks.of(port.id)));
  }
  logs.addChains(view, policies.values(), chains);
  for (const policy of policies.values()) addPolicy(view, policy, shrunk, memory, chains, logs);
  memory.generations.keepOnly((chain) => chains.has(chain));

  const from = new Map<string, string>();
  const to = new Map<string, string>();
  for (const port of ports) {
    const mark = String(memory.marks.of(port.id));
    const policy = policyByPort.get(port.id);
    if (!policy) continue;
    from.set(mark, `goto ${policy.name}_from`);
    to.set(mark, `goto ${policy.name}_to`);
  }
  const zones = new Map<string, string>();
  for (const network of view.networks.values()) zones.set(bridgeName(network.id), String(memory.zones.of(bridgeName(network.id))));
  memory.zones.keepOnly((bridge) => zones.has(bridge));

  const sets = new Map<string, SetModel>([
    [ZONE_MAP, { kind: 'map', declaration: 'typeof iifname : ct zone', elements: zones }],
    ['from', { kind: 'map', declaration: 'type mark : verdict', elements: from }],
    ['to', { kind: 'map', declaration: 'type mark : verdict', elements: to }],
  ]);
  for (const [name, elements] of members)
    sets.set(name, { kind: 'set', declaration: `type ${name[1] === '4' ? 'ipv4_addr' : 'ipv6_addr'}; flags interval`, elements });
  for (const [name, set] of logs.sets) sets.set(name, set);
  return { family: 'inet', name: TABLE, sets, chains, objects: logs.objects };
}

/** The address sets that some rule in force refers to: of security groups' members, and of address groups. */
function memberSets(view: FabricView, policies: Iterable<Policy>): Map<string, ReadonlyMap<string, string>> {
  const wanted = new Map<string, Set<'IPv4' | 'IPv6'>>();
  const sets = new Map<string, ReadonlyMap<string, string>>();
  for (const { groupIds } of policies) {
    for (const groupId of groupIds) {
      for (const rule of view.groups.get(groupId)?.rules ?? []) {
        if (rule.remoteAddresses) {
          const name = addressSet(rule.remoteAddresses.groupId, rule.ethertype);
          if (!sets.has(name)) sets.set(name, elementsOf(rule.remoteAddresses.cidrs));
        }
        if (rule.remoteGroupId === undefined) continue;
        const families = wanted.get(rule.remoteGroupId);
        if (families) families.add(rule.ethertype);
        else wanted.set(rule.remoteGroupId, new Set([rule.ethertype]));
      }
    }
  }
  for (const [groupId, families] of wanted) {
    const addresses = memberAddresses(view, groupId);
    for (const family of families) sets.set(memberSet(groupId, family), addresses[family]);
  }
  return sets;
}

const elementSets = new WeakMap<readonly string[], ReadonlyMap<string, string>>();

/** Networks as the elements of a set: without overlap; the same for the same list, which is large. */
function elementsOf(cidrs: readonly string[]): ReadonlyMap<string, string> {
  let elements = elementSets.get(cidrs);
  if (!elements) {
    const networks = minimise(cidrs.map(parseCidr).filter((cidr) => cidr !== undefined));
    elementSets.set(cidrs, (elements = new Map(networks.map((cidr) => [formatCidr(cidr), '']))));
  }
  return elements;
}

function addPolicy(view: FabricView, policy: Policy, shrunk: ReadonlySet<string>, memory: SwitchMemory, chains: Map<string, Chain>, logs: LogPlan): void {
  const { name, stateful } = policy;
  const entry = (provider: string, answers: Direction, asks: Direction): readonly string[] => [
    `meta l4proto { udp, icmpv6 } jump ${provider}`,
    // An answer belongs to a connection that came the other way, and so did its permission.
    ...(stateful ? ['ct state related accept', `ct direction reply goto ${name}_${chainSuffix(answers)}`] : []),
    `goto ${name}_${chainSuffix(asks)}`,
  ];
  chains.set(`${name}_from`, { rules: entry('guest_out', 'ingress', 'egress') });
  chains.set(`${name}_to`, { rules: entry('guest_in', 'egress', 'ingress') });
  for (const direction of ['ingress', 'egress'] as const) {
    const groups = policy.groupIds.map((id) => view.groups.get(id)).filter((group) => group !== undefined);
    for (const group of groups) chains.set(groupChain(group.id, direction, stateful), { rules: groupRules(group, direction, stateful) });
    const jumps = groups.map((group) => `jump ${groupChain(group.id, direction, stateful)}`);
    const chain = `${name}_${chainSuffix(direction)}`;
    const told = logs.rulesOf(policy, direction);
    chains.set(chain, {
      rules: stateful
        ? judge(
            chain,
            direction,
            groups.map((group) => groupRules(group, direction, true)),
            jumps,
            told,
            shrunk,
            memory,
          )
        : [...told.accepts, ...jumps, ...told.drops, 'drop'],
    });
  }
}

const chainSuffix = (direction: Direction): string => (direction === 'ingress' ? 'in' : 'out');

/**
 * Judges a connection once per generation: the lower half of the connection's mark remembers for the port that is called, the upper
 * half for the port that calls.
 */
function judge(
  chain: string,
  direction: Direction,
  rules: readonly (readonly string[])[],
  jumps: readonly string[],
  told: ReturnType<LogPlan['rulesOf']>,
  shrunk: ReadonlySet<string>,
  memory: SwitchMemory,
): readonly string[] {
  const lostMember =
    shrunk.size > 0 && rules.some((list) => list.some((rule) => [...rule.matchAll(/@([ag][46]_\w+)/g)].some(([, set]) => shrunk.has(set ?? ''))));
  const content = Generations.contentOf(rules);
  const generation = memory.generations.of(chain, content, lostMember);
  const [mask, keep, stamp] = direction === 'ingress' ? ['0x0000ffff', '0xffff0000', generation] : ['0xffff0000', '0x0000ffff', generation * 0x10000];
  const stampText = `0x${stamp.toString(16).padStart(8, '0')}`;
  return [
    `ct state established ct mark and ${mask} == ${stampText} accept`,
    ...jumps,
    ...told.drops,
    `meta mark and ${MATCHED} == 0x0 drop`,
    ...told.accepts,
    `ct mark set ct mark and ${keep} or ${stampText} accept comment "generation ${generation} of ${content}"`,
  ];
}
