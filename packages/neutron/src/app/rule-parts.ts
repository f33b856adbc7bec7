import { IP_PROTOCOLS } from '@cairn/kit/net/ip-protocols';
import type { Values } from '../attributes/resource.ts';
import { standardView } from '../attributes/times.ts';
import { invalidInputText } from '../errors.ts';
import { networkText, parseCidr } from '../net/cidr.ts';
import type { SecurityGroupRuleRow } from '../store/tables.ts';

export function ruleView(row: SecurityGroupRuleRow): Record<string, unknown> {
  const view = standardView(row);
  view.security_group_id = row.security_group_id;
  view.ethertype = row.ethertype;
  view.direction = row.direction;
  view.protocol = row.protocol;
  view.port_range_min = row.port_range_min;
  view.port_range_max = row.port_range_max;
  view.remote_ip_prefix = row.remote_ip_prefix;
  view.normalized_cidr = normalized(row.remote_ip_prefix);
  view.remote_group_id = row.remote_group_id;
  view.remote_address_group_id = row.remote_address_group_id;
  view.belongs_to_default_sg = row.belongs_to_default_sg === 1;
  return view;
}

function normalized(prefix: string | null): string | null {
  const cidr = prefix === null ? undefined : parseCidr(prefix);
  return cidr ? networkText(cidr) : null;
}

/** What a rule lets through. */
export type RuleParts = Pick<
  SecurityGroupRuleRow,
  'direction' | 'ethertype' | 'port_range_min' | 'port_range_max' | 'protocol' | 'remote_group_id' | 'remote_ip_prefix' | 'remote_address_group_id'
>;

const NUMBER_TO_NAME = new Map(
  Object.entries(IP_PROTOCOLS)
    .filter(([name]) => name !== 'icmpv6')
    .map(([name, number]) => [String(number), name]),
);

/** Equal for rules that mean the same (upstream's _rule_to_key): protocol 6 is tcp, 0.0.0.0/0 is no prefix. */
export function ruleKey(rule: RuleParts): string {
  const prefix = rule.remote_ip_prefix === '0.0.0.0/0' || rule.remote_ip_prefix === '::/0' ? null : rule.remote_ip_prefix;
  const protocol = rule.protocol === null ? '+' : (NUMBER_TO_NAME.get(rule.protocol) ?? rule.protocol);
  const remotes = [rule.remote_group_id ?? '+', prefix ?? '+', ...(rule.remote_address_group_id === null ? [] : [rule.remote_address_group_id])];
  return [rule.direction, rule.ethertype, rule.port_range_max ?? '+', rule.port_range_min ?? '+', protocol, ...remotes].join('_');
}

const PORT_PROTOCOLS = ['dccp', 'sctp', 'tcp', 'udp', 'udplite'];
const IPV6_ONLY = ['ipv6-encap', 'ipv6-frag', 'ipv6-icmp', 'icmpv6', 'ipv6-nonxt', 'ipv6-opts', 'ipv6-route'];
const IPV6_ONLY_PROTOCOLS = new Set([...IPV6_ONLY, ...IPV6_ONLY.map((name) => String(IP_PROTOCOLS[name]))]);

/** Checks what only the whole of a rule can tell, and brings it into its canonical form (db/securitygroups_db.py). */
export function canonicalRule(values: Values): RuleParts {
  const rule = {
    direction: String(values.direction),
    ethertype: String(values.ethertype),
    protocol: values.protocol as string | null,
    port_range_min: values.port_range_min as number | null,
    port_range_max: values.port_range_max as number | null,
    remote_group_id: (values.remote_group_id as string | null) || null,
    remote_ip_prefix: values.remote_ip_prefix as string | null,
    remote_address_group_id: (values.remote_address_group_id as string | null) || null,
  };
  if (rule.ethertype === 'IPv6') {
    if (rule.protocol === 'icmp' || rule.protocol === 'icmpv6') rule.protocol = 'ipv6-icmp';
    else if (rule.protocol === '1') rule.protocol = '58';
  }
  if (rule.port_range_min === 1 && rule.port_range_max === 65535) rule.port_range_min = rule.port_range_max = null;
  checkPorts(rule);
  const cidr = rule.remote_ip_prefix === null ? undefined : parseCidr(rule.remote_ip_prefix);
  if (cidr && rule.ethertype !== `IPv${cidr.version}`) {
    throw invalidInputText('SecurityGroupRuleParameterConflict', `Conflicting value ethertype ${rule.ethertype} for CIDR ${rule.remote_ip_prefix}`);
  }
  if (rule.protocol !== null && rule.ethertype === 'IPv4' && IPV6_ONLY_PROTOCOLS.has(rule.protocol)) {
    throw invalidInputText('SecurityGroupEthertypeConflictWithProtocol', `Invalid ethertype ${rule.ethertype} for protocol ${rule.protocol}.`);
  }
  if ([rule.remote_ip_prefix, rule.remote_group_id, rule.remote_address_group_id].filter((remote) => remote !== null).length > 1) {
    throw invalidInputText('SecurityGroupMultipleRemoteEntites', 'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.');
  }
  return rule;
}

function checkPorts(rule: RuleParts): void {
  const { port_range_min: min, port_range_max: max } = rule;
  if (min === null && max === null) return;
  if (rule.protocol === null) throw invalidInputText('SecurityGroupProtocolRequiredWithPorts', 'Must also specify protocol if port range is given.');
  const number = IP_PROTOCOLS[rule.protocol] ?? Number(rule.protocol);
  if (PORT_PROTOCOLS.some((name) => IP_PROTOCOLS[name] === number)) {
    if (min === 0 || max === 0) throw invalidInputText('SecurityGroupInvalidPortValue', 'Invalid value for port 0');
    if (min === null || max === null || min > max) {
      throw invalidInputText('SecurityGroupInvalidPortRange', 'For TCP/UDP protocols, port_range_min must be <= port_range_max');
    }
  } else if (number === IP_PROTOCOLS.icmp || number === IP_PROTOCOLS['ipv6-icmp']) {
    for (const [attribute, field, value] of [
      ['port_range_min', 'type', min],
      ['port_range_max', 'code', max],
    ] as const) {
      if (value !== null && value > 255)
        throw invalidInputText('SecurityGroupInvalidIcmpValue', `Invalid value for ICMP ${field} (${attribute}) ${value}. It must be 0 to 255.`);
    }
    if (min === null)
      throw invalidInputText('SecurityGroupMissingIcmpType', `ICMP code (port-range-max) ${max} is provided but ICMP type (port-range-min) is missing.`);
  } else {
    throw invalidInputText(
      'SecurityGroupInvalidProtocolForPort',
      `Ports cannot be specified for protocol ${number}. Ports are only supported for ${PORT_PROTOCOLS.map((name) => name.toUpperCase()).join(', ')}.`,
    );
  }
}
