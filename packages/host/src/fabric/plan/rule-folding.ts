import { type Cidr, contains, formatCidr } from './address.ts';

/**
 * Rules that only ever allow are one question: is the packet in the union? A list answers it rule by rule; here rules that ask the same fields
 * become one look-up in a set, so that what a packet costs does not grow with their number. The union is the same, packet by packet.
 */

/** From `min` to `max`, both included. */
export interface Range {
  readonly min: number;
  readonly max: number;
}

/** What one rule allows: that of which all fits that is named. */
export interface Term {
  readonly family: 'IPv4' | 'IPv6';
  readonly protocol?: number;
  /** Of the protocol: ports, or type and code of ICMP. */
  readonly values?: Range;
  readonly cidr?: Cidr;
  /** What is asked beside, as nft has it (sets with names). The same text is the same question. */
  readonly beside: string;
}

/** One look-up. All its elements name the same fields, and none overlaps with another: a set of nftables refuses that. */
export interface Folded {
  readonly family: 'IPv4' | 'IPv6';
  readonly beside: string;
  /** Set where `values` are: those of this protocol. */
  readonly protocol?: number;
  readonly elements: readonly Element[];
}

export interface Element {
  readonly protocols?: Range;
  readonly values?: Range;
  readonly cidr?: Cidr;
}

/** The same union in few look-ups; their number grows with the protocols, the texts of `beside` and how deeply networks lie in each other alone. */
export function fold(terms: readonly Term[]): readonly Folded[] {
  const alike = Map.groupBy(terms, ({ family, protocol, values, cidr, beside }) =>
    [family, beside, values ? protocol : '', protocol !== undefined, values !== undefined, cidr !== undefined].join('|'),
  );
  return [...alike.values()].flatMap((same) => {
    const [first] = same;
    if (!first) return [];
    const { family, beside, protocol, values } = first;
    const about = { family, beside, ...(values && protocol !== undefined && { protocol }) };
    const element = (range: Range, cidr?: Cidr): Element => ({
      ...(values ? { values: range } : protocol !== undefined && { protocols: range }),
      ...(cidr && { cidr }),
    });
    if (!first.cidr) return [{ ...about, elements: merge(same.map(rangeOf)).map((range) => element(range)) }];
    return layers(same).map((layer) => ({ ...about, elements: layer.flatMap(({ cidr, ranges }) => ranges.map((range) => element(range, cidr))) }));
  });
}

/** What of a term is not its network: ports, or the protocol, or nothing, which is the same for all then. */
const rangeOf = ({ values, protocol = 0 }: Term): Range => values ?? { min: protocol, max: protocol };

/** Sorted, without overlap; neighbours become one. */
function merge(ranges: readonly Range[]): readonly Range[] {
  const merged: Range[] = [];
  for (const range of ranges.toSorted((a, b) => a.min - b.min || a.max - b.max)) {
    const last = merged.at(-1);
    if (last && range.min <= last.max + 1) merged[merged.length - 1] = { min: last.min, max: Math.max(last.max, range.max) };
    else merged.push(range);
  }
  return merged;
}

interface Network {
  readonly cidr: Cidr;
  readonly ranges: readonly Range[];
}

/**
 * Networks lie in each other or apart. Those of a layer lie apart; each layer lies in the one before. What a network around allows anyway is
 * left out.
 */
function layers(terms: readonly Term[]): readonly (readonly Network[])[] {
  const networks = [...Map.groupBy(terms, ({ cidr }) => (cidr ? formatCidr(cidr) : '')).values()]
    .flatMap((same) => (same[0]?.cidr ? [{ cidr: same[0].cidr, ranges: merge(same.map(rangeOf)) }] : []))
    .toSorted(({ cidr: a }, { cidr: b }) => (a.value < b.value ? -1 : a.value > b.value ? 1 : a.prefixLength - b.prefixLength));
  const made: Network[][] = [];
  const around: Network[] = [];
  for (const { cidr, ranges } of networks) {
    for (let outer = around.at(-1); outer && !contains(outer.cidr, cidr); outer = around.at(-1)) around.pop();
    const own = ranges.filter((range) => !around.some((outer) => outer.ranges.some(({ min, max }) => min <= range.min && range.max <= max)));
    if (own.length === 0) continue;
    const network = { cidr, ranges: own };
    const layer = made[around.length];
    if (layer) layer.push(network);
    else made.push([network]);
    around.push(network);
  }
  return made;
}

/** Where nft finds the fields. */
export interface Fields {
  readonly values: string;
  readonly address: string;
}

/** The match of a look-up, for a rule of nftables. */
export function foldedMatch({ family, beside, protocol, elements }: Folded, fields: Fields): string {
  const out = [`meta nfproto ${family.toLowerCase()}`];
  if (protocol !== undefined) out.push(`meta l4proto ${protocol}`);
  const [first] = elements;
  const names = [...(first?.protocols ? ['meta l4proto'] : []), ...(first?.values ? [fields.values] : []), ...(first?.cidr ? [fields.address] : [])];
  const texts = elements.map(({ protocols, values, cidr }) => [
    ...(protocols ? [rangeText(protocols)] : []),
    ...(values ? [rangeText(values)] : []),
    ...(cidr ? [formatCidr(cidr)] : []),
  ]);
  if (texts.length === 1) out.push(...names.map((name, i) => `${name} ${texts[0]?.[i]}`));
  else out.push(`${names.join(' . ')} { ${texts.map((parts) => parts.join(' . ')).join(', ')} }`);
  return [...out, ...(beside === '' ? [] : [beside])].join(' ');
}

const rangeText = ({ min, max }: Range): string => (min === max ? String(min) : `${min}-${max}`);
