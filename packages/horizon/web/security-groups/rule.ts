import type { SecurityGroupRule } from './queries.ts';

/** What the rule form asks for. */
export interface RuleForm {
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4' | 'IPv6';
  /** Empty for any. */
  readonly protocol: '' | 'tcp' | 'udp' | 'icmp';
  /** `22`, `8000-8010`, or empty for all. */
  readonly ports: string;
  /** A network in CIDR form; empty for everywhere. */
  readonly remote: string;
}

/** First and last port; null for all ports, undefined when the text is no range. */
export function portsIn(text: string): readonly [number, number] | null | undefined {
  if (text.trim() === '') return null;
  const match = /^\s*(\d{1,5})(?:\s*[-:]\s*(\d{1,5}))?\s*$/.exec(text);
  if (match === null) return undefined;
  const from = Number(match[1]);
  const to = match[2] === undefined ? from : Number(match[2]);
  return from >= 1 && to <= 65_535 && from <= to ? [from, to] : undefined;
}

/** The body of POST /security-group-rules; undefined when the ports are no range. */
export function ruleBody(groupId: string, form: RuleForm): { readonly security_group_rule: Readonly<Record<string, unknown>> } | undefined {
  const ports = form.protocol === 'tcp' || form.protocol === 'udp' ? portsIn(form.ports) : null;
  if (ports === undefined) return undefined;
  return {
    security_group_rule: {
      security_group_id: groupId,
      direction: form.direction,
      ethertype: form.ethertype,
      ...(form.protocol !== '' && { protocol: form.protocol === 'icmp' && form.ethertype === 'IPv6' ? 'ipv6-icmp' : form.protocol }),
      ...(ports !== null && { port_range_min: ports[0], port_range_max: ports[1] }),
      ...(form.remote.trim() !== '' && { remote_ip_prefix: form.remote.trim() }),
    },
  };
}

/** The ports of a rule as people write them; undefined for all. */
export const portsText = ({ port_range_min: from, port_range_max: to }: Pick<SecurityGroupRule, 'port_range_min' | 'port_range_max'>): string | undefined =>
  from === null && to === null ? undefined : from === to || to === null ? String(from) : `${from ?? ''}-${to}`;
