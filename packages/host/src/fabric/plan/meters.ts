import type { MeterReading, MeterRuleSpec, MeterSpec } from '../../interface/fabric.ts';
import { identifier } from '../names.ts';
import type { Chain, ObjectModel } from '../ruleset/model.ts';
import { formatCidr, parseCidr } from './address.ts';

const COUNTER = 'meter_';

/**
 * Meters of a router: a chain each, with a counter that outlives changes of the chain and of all else. A packet that an excluding rule names
 * leaves the chain before it is counted. They stand behind the router's filter, where addresses are those inside in both directions.
 */
export function meterRules(
  meters: readonly MeterSpec[],
  gatewayLinks: readonly string[],
): { readonly objects: ReadonlyMap<string, ObjectModel>; readonly chains: ReadonlyMap<string, Chain> } {
  const objects = new Map<string, ObjectModel>();
  const chains = new Map<string, Chain>();
  const sorted = [...meters].toSorted((a, b) => (a.id < b.id ? -1 : 1));
  for (const { id, rules } of sorted) {
    const name = `${COUNTER}${identifier(id)}`;
    objects.set(name, { kind: 'counter', declaration: '' });
    const texts = (excluded: boolean, verdict: string): string[] =>
      gatewayLinks.flatMap((link) => rules.filter((rule) => rule.excluded === excluded).map((rule) => `${match(rule, link)} ${verdict}`));
    chains.set(name, { rules: [...new Set([...texts(true, 'return').toSorted(), ...texts(false, `counter name "${name}" return`).toSorted()])] });
  }
  if (sorted.length > 0)
    chains.set('meters', {
      hook: { type: 'filter', hook: 'forward', priority: 10 },
      rules: sorted.map(({ id }) => `jump ${COUNTER}${identifier(id)}`),
    });
  return { objects, chains };
}

function match({ direction, source, destination }: MeterRuleSpec, gatewayLink: string): string {
  const out = [`${direction === 'egress' ? 'oifname' : 'iifname'} "${gatewayLink}"`];
  for (const [field, text] of [
    ['saddr', source],
    ['daddr', destination],
  ] as const) {
    const cidr = text === undefined ? undefined : parseCidr(text);
    if (cidr && cidr.prefixLength > 0) out.push(`ip ${field} ${formatCidr(cidr)}`);
  }
  return out.join(' ');
}

/** Reads `nft -j list counters`. */
export function readMeters(json: string, routerId: string, meters: readonly MeterSpec[]): readonly MeterReading[] {
  const entries = (JSON.parse(json) as { nftables?: readonly { counter?: { name: string; packets: number; bytes: number } }[] }).nftables ?? [];
  const byName = new Map(entries.flatMap(({ counter }) => (counter ? [[counter.name, counter] as const] : [])));
  return meters.flatMap(({ id }) => {
    const counter = byName.get(`${COUNTER}${identifier(id)}`);
    return counter ? [{ routerId, meterId: id, packets: counter.packets, bytes: counter.bytes }] : [];
  });
}
