import { portsIn } from '../security-groups/rule.ts';
import type { PortForwarding } from '../networks/queries.ts';

/** What the form of a port forwarding asks for. */
export interface ForwardingForm {
  readonly protocol: string;
  /** `80` or `8000-8010`. */
  readonly outer: string;
  /** The same number of ports, or one; empty for those of outside. */
  readonly inner: string;
  readonly portId: string;
  readonly address: string;
  readonly description: string;
}

/** The body of a forwarding; undefined while something is missing or the ranges are not of one size. */
export function forwardingOf(form: ForwardingForm): Readonly<Record<string, unknown>> | undefined {
  const outer = portsIn(form.outer);
  const inner = form.inner.trim() === '' ? outer : portsIn(form.inner);
  if (!outer || !inner || form.portId === '') return undefined;
  const size = ([from, to]: readonly [number, number]): number => to - from;
  if (size(inner) !== size(outer) && size(inner) !== 0) return undefined;
  const single = size(outer) === 0 && size(inner) === 0;
  const text = ([from, to]: readonly [number, number]): string => (from === to ? String(from) : `${from}:${to}`);
  return {
    protocol: form.protocol,
    internal_port_id: form.portId,
    internal_ip_address: form.address,
    ...(single ? { external_port: outer[0], internal_port: inner[0] } : { external_port_range: text(outer), internal_port_range: text(inner) }),
    ...(form.description !== '' && { description: form.description }),
  };
}

/** The ports of one side as people write them: the number, or the range that the API writes with a colon. */
export const sideText = (forwarding: PortForwarding, side: 'external' | 'internal'): string =>
  String(forwarding[`${side}_port`] ?? forwarding[`${side}_port_range`] ?? '').replace(':', '-');
