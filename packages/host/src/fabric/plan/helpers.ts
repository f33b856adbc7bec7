import type { ConntrackHelperSpec } from '../../interface/fabric.ts';
import type { ObjectModel } from '../ruleset/model.ts';

/** Helpers that the kernel has for IPv6 too; the other protocols know IPv4 alone. */
const IPV6_HELPERS = new Set(['amanda', 'ftp', 'sane', 'sip', 'tftp']);

/** Names what the kernel has or has not: `tftp udp`. */
export const helperKey = ({ helper, protocol }: Pick<ConntrackHelperSpec, 'helper' | 'protocol'>): string => `${helper} ${protocol}`;

/** nftables names hold no more than letters, digits and a few signs; what a helper is called is checked before (validate.ts). */
const objectName = (spec: ConntrackHelperSpec): string => `helper_${spec.helper.replaceAll('-', '_')}_${spec.protocol}`;

const declaration = ({ helper, protocol }: Pick<ConntrackHelperSpec, 'helper' | 'protocol'>, family: 'ip' | 'ip6'): string =>
  `type "${helper}" protocol ${protocol}; l3proto ${family}`;

/** The helpers of a router in one of its two tables: what is declared, and the rules that give connections to them. */
export function helperRules(
  specs: readonly ConntrackHelperSpec[],
  family: 'ip' | 'ip6',
): { readonly objects: ReadonlyMap<string, ObjectModel>; readonly rules: readonly string[] } {
  const fitting = specs.filter(({ helper }) => family === 'ip' || IPV6_HELPERS.has(helper));
  const objects = new Map(fitting.map((spec) => [objectName(spec), { kind: 'ct helper', declaration: declaration(spec, family) }] as const));
  const rules = fitting.map((spec) => `${spec.protocol} dport ${spec.port} ct helper set "${objectName(spec)}"`).toSorted();
  return { objects, rules: [...new Set(rules)] };
}

/** A ruleset that a kernel takes only if it has the helper. */
export const helperProbe = (spec: Pick<ConntrackHelperSpec, 'helper' | 'protocol'>): string =>
  `table ip cairn_probe {\n  ct helper probe {\n    ${declaration(spec, 'ip')};\n  }\n}\n`;
