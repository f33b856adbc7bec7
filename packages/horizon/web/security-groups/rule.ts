import type { SecurityGroupRule } from './queries.ts';

/** What the rule form asks for. */
export interface RuleForm {
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: 'IPv4' | 'IPv6';
  /** Empty for any; `other` for one that is named in `named`. */
  readonly protocol: '' | 'tcp' | 'udp' | 'icmp' | 'other';
  /** The name or number of another protocol. */
  readonly named: string;
  /** `22`, `8000-8010`, or empty for all. */
  readonly ports: string;
  /** Of ICMP, as numbers; empty for all. */
  readonly icmpType: string;
  readonly icmpCode: string;
  /** What the other side is. */
  readonly remote: 'network' | 'group' | 'addresses';
  /** A network in CIDR form; empty for everywhere. */
  readonly prefix: string;
  readonly groupId: string;
  readonly addressGroupId: string;
  readonly description: string;
}

export const NEW_RULE: RuleForm = {
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: 'tcp',
  named: '',
  ports: '22',
  icmpType: '',
  icmpCode: '',
  remote: 'network',
  prefix: '',
  groupId: '',
  addressGroupId: '',
  description: '',
};

/** Rules that people often want, and what they fill in. */
export const TEMPLATES = {
  ssh: { protocol: 'tcp', ports: '22' },
  http: { protocol: 'tcp', ports: '80' },
  https: { protocol: 'tcp', ports: '443' },
  ping: { protocol: 'icmp', icmpType: '', icmpCode: '' },
  dns: { protocol: 'udp', ports: '53' },
  rdp: { protocol: 'tcp', ports: '3389' },
  postgresql: { protocol: 'tcp', ports: '5432' },
  mysql: { protocol: 'tcp', ports: '3306' },
  allTcp: { protocol: 'tcp', ports: '' },
  allUdp: { protocol: 'udp', ports: '' },
  all: { protocol: '', ports: '' },
} as const satisfies Record<string, Partial<RuleForm>>;
export type TemplateName = keyof typeof TEMPLATES;
/** The template that the form is as, if it is as one. */
export const templateOf = (form: RuleForm): TemplateName | undefined =>
  (Object.entries(TEMPLATES) as [TemplateName, Partial<RuleForm>][]).find(([, template]) =>
    Object.entries(template).every(([key, value]) => form[key as keyof RuleForm] === value),
  )?.[0];

/** First and last port; null for all ports, undefined when the text is no range. */
export function portsIn(text: string): readonly [number, number] | null | undefined {
  if (text.trim() === '') return null;
  const match = /^\s*(\d{1,5})(?:\s*[-:]\s*(\d{1,5}))?\s*$/.exec(text);
  if (match === null) return undefined;
  const from = Number(match[1]);
  const to = match[2] === undefined ? from : Number(match[2]);
  return from >= 1 && to <= 65_535 && from <= to ? [from, to] : undefined;
}

/** A byte, null for nothing, undefined for what is none. */
function byteIn(text: string): number | null | undefined {
  if (text.trim() === '') return null;
  return /^\s*\d{1,3}\s*$/.test(text) && Number(text) <= 255 ? Number(text) : undefined;
}

/** What the numbers of a rule are: its ports, or ICMP's type and code; undefined when they are none. */
function numbersOf(form: RuleForm): readonly [number | null, number | null] | undefined {
  if (form.protocol === 'tcp' || form.protocol === 'udp') {
    const ports = portsIn(form.ports);
    return ports === null ? [null, null] : ports;
  }
  if (form.protocol !== 'icmp') return [null, null];
  const [type, code] = [byteIn(form.icmpType), byteIn(form.icmpCode)];
  return type === undefined || code === undefined || (type === null && code !== null) ? undefined : [type, code];
}

/** The field in which something is wrong or missing; undefined when the rule can be made. */
export function faultOf(form: RuleForm): 'numbers' | 'named' | 'remote' | undefined {
  if (numbersOf(form) === undefined) return 'numbers';
  if (form.protocol === 'other' && !/^[a-z\d-]+$/i.test(form.named.trim())) return 'named';
  if ((form.remote === 'group' && form.groupId === '') || (form.remote === 'addresses' && form.addressGroupId === '')) return 'remote';
  return undefined;
}

/** The body of POST /security-group-rules; undefined when something is wrong or missing. */
export function ruleBody(groupId: string, form: RuleForm): { readonly security_group_rule: Readonly<Record<string, unknown>> } | undefined {
  const numbers = numbersOf(form);
  if (faultOf(form) !== undefined || numbers === undefined) return undefined;
  const [min, max] = numbers;
  const protocol = form.protocol === 'other' ? form.named.trim() : form.protocol === 'icmp' && form.ethertype === 'IPv6' ? 'ipv6-icmp' : form.protocol;
  return {
    security_group_rule: {
      security_group_id: groupId,
      direction: form.direction,
      ethertype: form.ethertype,
      ...(protocol !== '' && { protocol }),
      ...(min !== null && { port_range_min: min }),
      ...(max !== null && { port_range_max: max }),
      ...(form.remote === 'network' && form.prefix.trim() !== '' && { remote_ip_prefix: form.prefix.trim() }),
      ...(form.remote === 'group' && { remote_group_id: form.groupId }),
      ...(form.remote === 'addresses' && { remote_address_group_id: form.addressGroupId }),
      ...(form.description !== '' && { description: form.description }),
    },
  };
}

const isIcmp = (protocol: string | null): boolean => /^(icmp|icmpv6|ipv6-icmp|1|58)$/.test(protocol ?? '');

/** The ports of a rule as people write them, or ICMP's `type 8, code 0` as `8/0`; undefined for all. */
export function portsText({
  protocol,
  port_range_min: from,
  port_range_max: to,
}: Pick<SecurityGroupRule, 'protocol' | 'port_range_min' | 'port_range_max'>): string | undefined {
  if (from === null && to === null) return undefined;
  if (isIcmp(protocol)) return to === null ? String(from) : `${from ?? ''}/${to}`;
  return from === to || to === null ? String(from) : `${from ?? ''}-${to}`;
}

/** A form that a link fills in: `ingress,IPv4,tcp,80,10.0.0.5`. Undefined for what is none. */
export function formOfLink(text: string | undefined): RuleForm | undefined {
  const [direction, ethertype, protocol, ports = '', prefix = ''] = (text ?? '').split(',');
  if ((direction !== 'ingress' && direction !== 'egress') || (ethertype !== 'IPv4' && ethertype !== 'IPv6')) return undefined;
  const known = protocol === 'tcp' || protocol === 'udp' || protocol === 'icmp' || protocol === '' ? protocol : 'other';
  return { ...NEW_RULE, direction, ethertype, protocol: known, named: known === 'other' ? (protocol ?? '') : '', ports, prefix };
}
