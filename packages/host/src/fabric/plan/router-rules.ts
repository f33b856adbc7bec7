import type { RouterSpec } from '../../interface/fabric.ts';
import type { Chain, Ruleset, SetModel, Table } from '../ruleset/model.ts';
import { TABLE } from '../ruleset/read.ts';
import { canonicalIp, formatCidr, minimise, parseCidr } from './address.ts';
import { FIXED_MAP, type RouterGateway } from './gateways.ts';
import { helperRules } from './helpers.ts';
import { meterRules } from './meters.ts';
import { limitRules } from './qos.ts';

/** The router's tables. The NAT of floating addresses is two maps: to associate one is one element in each. */
export const NAT_TABLE = `ip ${TABLE}`;
export const FLOATING_MAP = 'floating_to_fixed';
/** (address, protocol, port) outside -> (address, port) inside. */
export const FORWARDING_MAP = 'forwardings';
/** Fixed addresses whose floating ones are at other hosts. */
const ELSEWHERE = 'floating_elsewhere';

/** Packet mark of what came in from the outside; in postrouting the link it came by is no longer known. */
const FROM_OUTSIDE = '0x1';

export function routerRules(router: RouterSpec, gateways: readonly RouterGateway[]): Ruleset {
  const toFixed = new Map<string, string>();
  const toFloating = new Map<string, Map<string, string>>();
  for (const gateway of gateways) {
    const own = new Map<string, string>();
    for (const { floatingIp, fixedIp } of [...gateway.floatingIps].toSorted((a, b) => (a.floatingIp < b.floatingIp ? -1 : 1))) {
      toFixed.set(canonicalIp(floatingIp), canonicalIp(fixedIp));
      // A fixed address with several floating ones leaves by the first.
      if (!own.has(canonicalIp(fixedIp))) own.set(canonicalIp(fixedIp), canonicalIp(floatingIp));
    }
    toFloating.set(gateway.fixedMap, own);
  }
  if (gateways.length === 0) toFloating.set(FIXED_MAP, new Map());
  const meters = meterRules(
    router.meters ?? [],
    gateways.map(({ link }) => link),
  );
  const helpers = helperRules(router.conntrackHelpers ?? [], 'ip');
  const helpers6 = helperRules(router.conntrackHelpers ?? [], 'ip6');
  const away = new Map((router.floatingElsewhere ?? []).map((ip) => [canonicalIp(ip), '']));
  // a connection that its part is about to take up must not be taken up here: the other side would end it
  const elsewhere = away.size === 0 ? [] : gateways.map(({ link }) => `oifname "${link}" ip saddr @${ELSEWHERE} drop`);
  const chains = new Map<string, Chain>([
    [
      'mangle',
      {
        hook: { type: 'filter', hook: 'prerouting', priority: -150 },
        rules: gateways.flatMap((gateway) => [`iifname "${gateway.link}" meta mark set ${FROM_OUTSIDE}`, ...limits(gateway, 'ingress')]),
      },
    ],
    [
      'prerouting',
      {
        hook: { type: 'nat', hook: 'prerouting', priority: -100 },
        rules: [`dnat to ip daddr map @${FLOATING_MAP}`, `dnat to ip daddr . meta l4proto . th dport map @${FORWARDING_MAP}`],
      },
    ],
    ['postrouting', { hook: { type: 'nat', hook: 'postrouting', priority: 100 }, rules: sourceNat(router, gateways) }],
    [
      'limits',
      {
        hook: { type: 'filter', hook: 'postrouting', priority: 200 },
        rules: [...(router.isPart ? gateways.map(keepUntranslated) : []), ...gateways.flatMap((gateway) => limits(gateway, 'egress'))],
      },
    ],
    [
      'forward',
      {
        hook: { type: 'filter', hook: 'forward', priority: 0 },
        rules: [...elsewhere, ...(router.gateway?.snat || router.isPart ? gateways.flatMap(filterForward) : [])],
      },
    ],
    ['input', { hook: { type: 'filter', hook: 'input', priority: 0 }, rules: [...METADATA_INPUT, ...gateways.map(keepSilent(router))] }],
    ...helperChain(helpers.rules),
    ...meters.chains,
  ]);
  const map = (elements: ReadonlyMap<string, string>) => ({ kind: 'map', declaration: 'type ipv4_addr : ipv4_addr', elements }) as const;
  return new Map<string, Table>([
    [
      NAT_TABLE,
      {
        family: 'ip',
        name: TABLE,
        sets: new Map<string, SetModel>([
          ...(away.size === 0 ? [] : ([[ELSEWHERE, { kind: 'set', declaration: 'type ipv4_addr', elements: away }]] as const)),
          [FLOATING_MAP, map(toFixed)],
          ...[...toFloating].map(([name, elements]) => [name, map(elements)] as const),
          [
            FORWARDING_MAP,
            { kind: 'map', declaration: 'type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service', elements: forwardings(gateways) },
          ],
        ]),
        chains,
        objects: new Map([...helpers.objects, ...meters.objects]),
      },
    ],
    [
      `ip6 ${TABLE}`,
      {
        family: 'ip6',
        name: TABLE,
        sets: new Map(),
        chains: new Map([...IPV6, ...(router.isPart ? QUIET6 : []), ...helperChain(helpers6.rules), ...proxyChain(router, gateways)]),
        objects: helpers6.objects,
      },
    ],
  ]);
}

/** From outside comes only what is for an address that the router answers for. */
function proxyChain(router: RouterSpec, gateways: readonly RouterGateway[]): readonly (readonly [string, Chain])[] {
  const link = gateways.find(({ fixedMap }) => fixedMap === FIXED_MAP)?.link;
  const { ndpProxy } = router;
  if (!ndpProxy || link === undefined || ndpProxy.cidrs.length === 0) return [];
  const list = (texts: readonly string[]): string => `{ ${[...new Set(texts)].toSorted().join(', ')} }`;
  const networks = minimise(ndpProxy.cidrs.map(parseCidr).filter((cidr) => cidr !== undefined)).map(formatCidr);
  const rules = [
    ...(ndpProxy.addresses.length > 0 ? [`iifname "${link}" ip6 daddr ${list(ndpProxy.addresses.map(canonicalIp))} accept`] : []),
    `iifname "${link}" ip6 daddr ${list(networks)} drop`,
  ];
  return [['forward', { hook: { type: 'filter', hook: 'forward', priority: 0 }, rules }]];
}

/** Behind connection tracking, before addresses are translated. */
const helperChain = (rules: readonly string[]): readonly (readonly [string, Chain])[] =>
  rules.length === 0 ? [] : [['helpers', { hook: { type: 'filter', hook: 'prerouting', priority: -140 }, rules }]];

function forwardings(gateways: readonly RouterGateway[]): ReadonlyMap<string, string> {
  const elements = new Map<string, string>();
  const all = gateways.flatMap((gateway) => gateway.portForwardings);
  for (const { floatingIp, protocol, externalFirst, externalLast, internalIp, internalFirst, internalLast } of all) {
    for (let port = externalFirst; port <= externalLast; port++) {
      const inside = internalLast > internalFirst ? internalFirst + port - externalFirst : internalFirst;
      elements.set(`${canonicalIp(floatingIp)} . ${protocol} . ${port}`, `${canonicalIp(internalIp)} . ${inside}`);
    }
  }
  return elements;
}

/** Limits by outside address: of what comes before it is translated, of what leaves after that. */
function limits({ link, source, qos, floatingIps }: RouterGateway, direction: 'ingress' | 'egress'): readonly string[] {
  const match = (ip: string): string => (direction === 'ingress' ? `iifname "${link}" ip daddr ${ip}` : `oifname "${link}" ip saddr ${ip}`);
  const rules = floatingIps.flatMap(({ floatingIp, qos: own }) => limitRules(own?.[direction], match(canonicalIp(floatingIp))));
  return source === undefined ? rules : [...rules, ...limitRules(qos?.[direction], match(source))];
}

function sourceNat(router: RouterSpec, gateways: readonly RouterGateway[]): readonly string[] {
  const rules: string[] = [];
  for (const { link, source, fixedMap } of gateways) {
    rules.push(`oifname "${link}" snat to ip saddr map @${fixedMap}`);
    if (source !== undefined && router.gateway?.snat) rules.push(`oifname "${link}" snat to ${source}`);
  }
  // Hairpin: from inside to a floating address of this router. The answer must come back here, so the caller appears under an address
  // of the router's.
  for (const { fixedMap } of gateways) rules.push(`ct status dnat meta mark != ${FROM_OUTSIDE} snat to ip saddr map @${fixedMap}`);
  const source = gateways.find((gateway) => gateway.source !== undefined)?.source;
  if (source !== undefined) rules.push(`ct status dnat meta mark != ${FROM_OUTSIDE} snat to ${source}`);
  return rules;
}

/** Behind source NAT nobody outside calls a fixed address, and no packet leaves untranslated. */
const filterForward = ({ link }: RouterGateway): readonly string[] => [
  `iifname "${link}" ct state new ct status & dnat == 0 drop`,
  `oifname "${link}" ct state invalid drop`,
];

// The metadata service knows its clients by their address, so it is for those alone whose address belongs to the link they came by.
const METADATA_INPUT = [
  'ip daddr 169.254.169.254 iifname != "qr-*" drop',
  'ip daddr 169.254.169.254 fib saddr . iif oif missing drop',
  'ip daddr 169.254.169.254 meta l4proto { tcp, udp } th dport != 80 drop',
];

// Router advertisements come from here, DHCPv6 from the network's DHCP server (dnsmasq does both or nothing).
const IPV6 = new Map<string, Chain>([['input', { hook: { type: 'filter', hook: 'input', priority: 0 }, rules: ['udp dport 547 drop'] }]]);

/** By a part leaves what has a floating address, and nothing else. */
const keepUntranslated = ({ link }: RouterGateway): string => `oifname "${link}" ct status & dnat == 0 ct status & snat == 0 drop`;

/**
 * Of a connection that another host is taking over with its floating address, tracking here does not know what was said there, and so calls what still
 * arrives here invalid and leaves it untranslated. The kernel would answer by a reset, which ends the connection. A part has nobody to answer for at all.
 */
const keepSilent =
  (router: RouterSpec) =>
  ({ link }: RouterGateway): string =>
    router.isPart ? `iifname "${link}" drop` : `iifname "${link}" ct state invalid drop`;

/** A part neither asks nor answers who has an address inside, and says nothing of itself. */
const QUIET6 = new Map<string, Chain>([
  ['output', { hook: { type: 'filter', hook: 'output', priority: 0 }, rules: ['oifname "qr-*" icmpv6 type { 133, 134, 135, 136, 137, 143 } drop'] }],
]);
