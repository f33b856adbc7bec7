import { isIPv4, isIPv6 } from 'node:net';
import { invalidInput } from '@cairn/kit/errors/errors';

/** A rule as the old API takes it; nothing of it was ever checked by a schema. */
export interface OldRule {
  readonly parent_group_id: string;
  readonly group_id?: string | null;
  readonly cidr?: unknown;
  readonly ip_protocol?: unknown;
  readonly from_port?: unknown;
  readonly to_port?: unknown;
}

/** What is opened: to a group or to addresses, and which ports. Protocol and ports are absent together. */
export interface Opening {
  readonly groupId?: string;
  readonly cidr?: string;
  readonly protocol?: string;
  readonly fromPort?: number;
  readonly toPort?: number;
}

const range = (from: number, to: number, why: string): Error => invalidInput(`Invalid port range ${from}:${to}. ${why}`, { field: 'from_port' });

/** The addresses of a rule; without any, all of IPv4. Throws InvalidInput. */
export function cidrOf(given: unknown): string {
  if (given === undefined || given === null || given === '') return '0.0.0.0/0';
  const refuse = (): Error => invalidInput(`${String(given)} is not a valid IP network.`, { field: 'cidr' });
  let cidr: string;
  try {
    cidr = decodeURIComponent(String(given));
  } catch {
    throw refuse();
  }
  const [address = '', length = '', rest] = cidr.split('/');
  const bits = isIPv4(address) ? 32 : isIPv6(address) ? 128 : -1;
  if (rest !== undefined || !/^\d{1,3}$/.test(length) || Number(length) > bits) throw refuse();
  if (Number(length) === 0 && address !== '0.0.0.0' && address !== '::') throw invalidInput(`Bad prefix for network in cidr ${cidr}`, { field: 'cidr' });
  return cidr;
}

/** What an old rule opens, checked in upstream's words (nova/network/security_group_api.py). Throws InvalidInput. */
export function openingOf(rule: OldRule): Opening {
  const groupId = rule.group_id ?? undefined;
  const protocol = typeof rule.ip_protocol === 'string' && rule.ip_protocol !== '' ? rule.ip_protocol : undefined;
  const whole = (protocol ?? '').toUpperCase();
  let from = rule.from_port ?? undefined;
  let to = rule.to_port ?? undefined;
  if (groupId !== undefined && from === undefined && to === undefined) {
    if (whole === 'ICMP') from = to = -1;
    else if (whole === 'TCP' || whole === 'UDP') [from, to] = [1, 65_535];
  }
  const target = groupId === undefined ? { cidr: cidrOf(rule.cidr) } : { groupId };
  if (protocol === undefined || from === undefined || to === undefined) {
    if (groupId !== undefined) return target;
    throw invalidInput('Not enough parameters to build a valid rule.');
  }
  return { ...target, protocol, ...ports(whole, protocol, from, to) };
}

function ports(whole: string, protocol: string, from: unknown, to: unknown): { readonly fromPort: number; readonly toPort: number } {
  const integer = (value: unknown): number => (/^\s*[+-]?\d{1,10}\s*$/.test(String(value)) ? Number(value) : Number.NaN);
  const [fromPort, toPort] = [integer(from), integer(to)];
  if (Number.isNaN(fromPort) || Number.isNaN(toPort)) {
    throw invalidInput(
      `Invalid input received: ${whole === 'ICMP' ? 'Type and Code must be integers for ICMP protocol type' : 'To and From ports must be integers'}`,
      { field: 'from_port' },
    );
  }
  if (!['TCP', 'UDP', 'ICMP'].includes(whole)) throw invalidInput(`Invalid IP protocol ${protocol}.`, { field: 'ip_protocol' });
  if (whole === 'ICMP') {
    if (Math.min(fromPort, toPort) < -1 || Math.max(fromPort, toPort) > 255) throw range(fromPort, toPort, 'For ICMP, the type:code must be valid');
    return { fromPort, toPort };
  }
  if (fromPort > toPort) throw range(fromPort, toPort, 'Former value cannot be greater than the later');
  if (fromPort < 1 || toPort > 65_535) throw range(fromPort, toPort, `Valid ${whole} ports should be between 1-65535`);
  return { fromPort, toPort };
}
