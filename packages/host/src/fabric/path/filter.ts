import type { PortSpec, SecurityGroupRuleSpec, SecurityGroupSpec } from '../../interface/fabric.ts';
import { canonicalMac, contains, linkLocalOf, parseCidr, parseIp } from '../plan/address.ts';
import { pairsOf } from '../plan/port-filter.ts';
import { type Direction, policyOf, portsOf, protocolNumber, WITH_PORTS } from '../plan/security-group.ts';
import { type Flow, type Hop, trafficText } from './flow.ts';
import type { PathWorld } from './world.ts';

type Finding = Pick<Hop, 'verdict' | 'code' | 'reason'> & Partial<Pick<Hop, 'remedy' | 'rule' | 'groupIds'>>;

/** Whether a port may send with this source address and its own MAC (port-filter.ts makes the rules of it). */
export function mayClaim(port: PortSpec, source: string): Finding {
  if (!port.portSecurity) return { verdict: 'pass', code: 'port_security_off', reason: 'Port security is off, so the sender may have any address.' };
  const own = canonicalMac(port.mac) ?? port.mac;
  const ip = parseIp(source);
  const allowed = pairsOf(port, own).get(own) ?? [];
  if (!ip) return { verdict: 'drop', code: 'not_an_address', reason: `${source} is no address.` };
  if (port.fixedIps.length === 0)
    return { verdict: 'pass', code: 'no_own_addresses', reason: 'The port has no addresses of its own, so its guest may use any with its MAC.' };
  if (contains(linkLocalOf(own), ip)) return { verdict: 'pass', code: 'link_local', reason: `${source} is the link-local address of the port's MAC.` };
  if (allowed.some((cidr) => contains(cidr, ip)))
    return { verdict: 'pass', code: 'own_address', reason: `${source} is an address of the port, or of its allowed address pairs.` };
  return {
    verdict: 'drop',
    code: 'spoofed',
    reason: `Anti-spoofing: ${source} is neither an address of the port nor among its allowed address pairs.`,
    remedy: `Send from an address of the port, or allow this one: openstack port set --allowed-address ip-address=${source} ${port.id}`,
  };
}

/** What every guest may or must not do, whatever its groups say (GUEST_OUT and GUEST_IN of switch-rules.ts). */
function byProvider(flow: Flow, direction: Direction): Finding | undefined {
  const udp = (source: number, destination: number): boolean => flow.protocol === 17 && flow.sourcePort === source && flow.destinationPort === destination;
  const neighbours = direction === 'egress' ? [130, 131, 132, 133, 135, 136, 143] : [130, 131, 132, 134, 135, 136, 143];
  const [asks, answers] = flow.version === 4 ? ([68, 67] as const) : ([546, 547] as const);
  if (direction === 'egress' && udp(answers, asks))
    return {
      verdict: 'drop',
      code: 'dhcp_server_forbidden',
      reason: 'Guests may not act as DHCP servers.',
      remedy: 'Turn port security off where a guest is to be the DHCP server.',
    };
  if (direction === 'egress' && flow.protocol === 58 && (flow.icmpType === 134 || flow.icmpType === 137))
    return {
      verdict: 'drop',
      code: 'router_advertisement_forbidden',
      reason: 'Guests may not send router advertisements.',
      remedy: 'Turn port security off where a guest is to be the router.',
    };
  if (direction === 'egress' ? udp(asks, answers) : udp(answers, asks))
    return { verdict: 'pass', code: 'dhcp_passes', reason: 'DHCP passes whatever the groups say.' };
  if (flow.protocol === 58 && neighbours.includes(flow.icmpType ?? -1))
    return { verdict: 'pass', code: 'neighbour_discovery_passes', reason: 'Neighbour discovery passes whatever the groups say.' };
  return undefined;
}

type Part = 'IP version' | 'protocol' | 'ports' | 'addresses';

/** The first part of a rule that a packet (of a stateful group: the one that begins the connection) does not fit. Undefined: the rule allows it. */
async function mismatch(world: PathWorld, rule: SecurityGroupRuleSpec, flow: Flow): Promise<Part | undefined> {
  if (rule.ethertype !== `IPv${flow.version}`) return 'IP version';
  const protocol = rule.protocol === undefined ? 0 : protocolNumber(rule.protocol, rule.ethertype);
  if (protocol) {
    if (protocol !== flow.protocol) return 'protocol';
    const ports = portsOf(rule);
    if (ports && protocol in WITH_PORTS) {
      const port = flow.destinationPort ?? 0;
      if (port < ports.min || port > ports.max) return 'ports';
    } else if ((protocol === 1 || protocol === 58) && rule.portMin !== undefined) {
      if (flow.icmpType !== rule.portMin || (rule.portMax ?? 0) !== 0) return 'ports';
    }
  }
  const remote = rule.direction === 'ingress' ? flow.source : flow.destination;
  const cidr = rule.remoteCidr === undefined ? undefined : parseCidr(rule.remoteCidr);
  const ip = parseIp(remote);
  if (cidr && cidr.prefixLength > 0 && !(ip && contains(cidr, ip))) return 'addresses';
  const among = rule.remoteAddresses?.cidrs.map(parseCidr);
  if (among && !(ip && among.some((one) => one !== undefined && contains(one, ip)))) return 'addresses';
  if (rule.remoteGroupId !== undefined && !(await world.isMember(rule.remoteGroupId, remote))) return 'addresses';
  return undefined;
}

/** A port's groups, and whether answers pass by themselves. */
export async function groupsOf(world: PathWorld, port: PortSpec): Promise<{ readonly stateful: boolean; readonly groups: readonly SecurityGroupSpec[] }> {
  const found = await Promise.all(port.securityGroups.map((id) => world.group(id)));
  const groups = new Map(found.flatMap((group) => (group ? [[group.id, group] as const] : [])));
  return { stateful: policyOf({ groups }, port.securityGroups).stateful, groups: [...groups.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1)) };
}

/** What the security groups of a port say to a packet that begins something, or to any packet where the groups are stateless. */
export async function judge(world: PathWorld, port: PortSpec, direction: Direction, flow: Flow): Promise<Finding> {
  if (!port.portSecurity) return { verdict: 'pass', code: 'port_security_off', reason: 'Port security is off, so no security group is asked.' };
  const provider = byProvider(flow, direction);
  if (provider) return provider;
  const { groups } = await groupsOf(world, port);
  const groupIds = groups.map((group) => group.id);
  const way = direction === 'ingress' ? 'in' : 'out';
  if (groups.length === 0)
    return {
      verdict: 'drop',
      code: 'no_group',
      reason: `The port has no security group, and such a port lets nothing ${way}.`,
      remedy: `Give it one: openstack port set --security-group GROUP ${port.id}`,
      groupIds,
    };
  const near: { rule: SecurityGroupRuleSpec; part: Part }[] = [];
  let asked = 0;
  for (const group of groups) {
    for (const rule of group.rules) {
      if (rule.direction !== direction) continue;
      asked++;
      const part = await mismatch(world, rule, flow);
      if (part === undefined)
        return {
          verdict: 'pass',
          code: 'rule_allows',
          reason: `Rule ${rule.id} of security group ${group.id} lets ${trafficText(flow)} ${way}.`,
          rule,
          groupIds: [group.id],
        };
      if (part === 'addresses' || part === 'ports') near.push({ rule, part });
    }
  }
  const best = near.find(({ part }) => part === 'addresses') ?? near[0];
  const remote = direction === 'ingress' ? flow.source : flow.destination;
  const nearest = best ? ` Nearest is rule ${best.rule.id}, but its ${best.part} do not fit.` : '';
  return {
    verdict: 'drop',
    code: 'no_rule',
    reason: `None of the ${asked} ${direction} rules of the port's security groups lets ${trafficText(flow)} ${direction === 'ingress' ? 'from' : 'to'} ${remote} ${way}.${nearest}`,
    remedy: `Allow it: ${ruleCommand(direction, flow, remote, groupIds[0] ?? 'GROUP')}`,
    groupIds,
  };
}

function ruleCommand(direction: Direction, flow: Flow, remote: string, groupId: string): string {
  const ports = flow.destinationPort === undefined ? '' : ` --dst-port ${flow.destinationPort}`;
  const ethertype = flow.version === 6 ? ' --ethertype IPv6' : '';
  const name = { 1: 'icmp', 6: 'tcp', 17: 'udp', 58: 'ipv6-icmp' }[flow.protocol] ?? String(flow.protocol);
  return `openstack security group rule create --${direction}${ethertype} --protocol ${name}${ports} --remote-ip ${remote} ${groupId}`;
}
