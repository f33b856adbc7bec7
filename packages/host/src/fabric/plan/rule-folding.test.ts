import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Cidr, contains, formatCidr, type Ip, lastOf, parseCidr } from './address.ts';
import { type Element, fold, type Folded, foldedMatch, type Range, type Term } from './rule-folding.ts';
import { randomOf } from '../testing/random.ts';

const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31));

interface Packet {
  readonly family: 'IPv4' | 'IPv6';
  readonly protocol: number;
  readonly value: number;
  readonly source: Ip;
  readonly beside: string;
}

const within = (range: Range | undefined, value: number): boolean => !range || (range.min <= value && value <= range.max);
const inside = (cidr: Cidr | undefined, ip: Ip): boolean => !cidr || contains(cidr, ip);

const allows = (term: Term, packet: Packet): boolean =>
  term.family === packet.family &&
  (term.protocol === undefined || term.protocol === packet.protocol) &&
  within(term.values, packet.value) &&
  inside(term.cidr, packet.source) &&
  (term.beside === '' || term.beside === packet.beside);

const finds = (folded: Folded, packet: Packet): boolean =>
  folded.family === packet.family &&
  (folded.protocol === undefined || folded.protocol === packet.protocol) &&
  (folded.beside === '' || folded.beside === packet.beside) &&
  folded.elements.some(({ protocols, values, cidr }) => within(protocols, packet.protocol) && within(values, packet.value) && inside(cidr, packet.source));

const meet = (a: Range | undefined, b: Range | undefined): boolean => !a || !b || (a.min <= b.max && b.min <= a.max);
const overlap = (a: Element, b: Element): boolean =>
  meet(a.protocols, b.protocols) && meet(a.values, b.values) && (!a.cidr || !b.cidr || contains(a.cidr, b.cidr) || contains(b.cidr, a.cidr));

test(`look-ups allow what the list of rules allows, and no element overlaps with another (SEED=${seed})`, () => {
  const random = randomOf(seed);
  const pick = <T>(from: readonly T[]): T => from[random(from.length)] as T;
  const cidrOf = (family: 'IPv4' | 'IPv6'): Cidr => {
    const text =
      family === 'IPv4'
        ? `10.${random(2)}.${random(4) * 64}.${random(256)}/${pick([1, 8, 9, 16, 17, 24, 25, 31, 32])}`
        : `fd00::${random(4)}:${random(8)}/${pick([8, 64, 112, 126, 127, 128])}`;
    return parseCidr(text) as Cidr;
  };
  for (let round = 0; round < 300; round++) {
    const terms = Array.from({ length: 1 + random(40) }, (): Term => {
      const family = pick(['IPv4', 'IPv6'] as const);
      const protocol = pick([undefined, 6, 7, 17, 47]);
      const min = random(30);
      return {
        family,
        beside: pick(['', '', '@one', '@two']),
        ...(protocol !== undefined && { protocol }),
        ...(protocol !== undefined && random(3) > 0 && { values: { min, max: min + pick([0, 0, 1, 5, 30]) } }),
        ...(random(2) > 0 && { cidr: cidrOf(family) }),
      };
    });
    const folded = fold(terms);
    for (const one of folded) {
      assert.ok(one.elements.length > 0);
      one.elements.forEach((a, i) =>
        one.elements.slice(i + 1).forEach((b) => assert.ok(!overlap(a, b), foldedMatch(one, { values: 'port', address: 'saddr' }))),
      );
    }
    assert.ok(folded.length <= terms.length);
    const addresses = terms.flatMap(({ cidr }) => (cidr ? [cidr, lastOf(cidr), { ...cidr, value: cidr.value - 1n }] : [])).filter(({ value }) => value >= 0n);
    for (let i = 0; i < 200; i++) {
      const family = pick(['IPv4', 'IPv6'] as const);
      const known = addresses.filter(({ version }) => version === (family === 'IPv4' ? 4 : 6));
      const source = known.length > 0 && random(4) > 0 ? pick(known) : cidrOf(family);
      const packet = {
        family,
        protocol: pick([6, 7, 8, 17, 47]),
        value: random(64),
        source: { version: source.version, value: source.value },
        beside: pick(['', '@one', '@two']),
      };
      assert.equal(
        folded.some((one) => finds(one, packet)),
        terms.some((term) => allows(term, packet)),
        `${round}: ${packet.family} ${packet.protocol} ${packet.value} ${formatCidr({ ...packet.source, prefixLength: packet.family === 'IPv4' ? 32 : 128 })} ${packet.beside}`,
      );
    }
  }
});

test('the number of look-ups does not grow with the ports and networks', () => {
  const terms = Array.from(
    { length: 3000 },
    (_, i): Term => ({
      family: 'IPv4',
      protocol: 6,
      beside: '',
      values: { min: i, max: i + (i % 7) },
      cidr: parseCidr(`10.${i % 200}.${i % 13}.0/${i % 3 === 0 ? 16 : 24}`) as Cidr,
    }),
  );
  assert.equal(fold(terms).length, 2);
});
