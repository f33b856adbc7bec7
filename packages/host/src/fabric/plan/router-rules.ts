import type { RouterSpec } from '../../interface/fabric.ts';
import type { Chain, Ruleset, Table } from '../ruleset/model.ts';
import { TABLE } from '../ruleset/read.ts';
import { canonicalIp } from './address.ts';
import { helperRules } from './helpers.ts';
import { meterRules } from './meters.ts';
import { limitRules } from './qos.ts';

/** The router's tables. The NAT of floating addresses is two maps: to associate one is one element in each. */
export const NAT_TABLE = `ip ${TABLE}`;
export const FLOATING_MAP = 'floating_to_fixed';
export const FIXED_MAP = 'fixed_to_floating';
/** (address, protocol, port) outside -> (address, port) inside. */
export const FORWARDING_MAP = 'forwardings';

/** Packet mark of what came in from the outside; in postrouting the link it came by is no longer known. */
const FROM_OUTSIDE = '0x1';

export function routerRules(router: RouterSpec, gatewayLink: string | undefined): Ruleset {
  const toFixed = new Map<string, string>();
  const toFloating = new Map<string, string>();
  for (const { floatingIp, fixedIp } of [...router.floatingIps].toSorted((a, b) => (a.floatingIp < b.floatingIp ? -1 : 1))) {
    if (!gatewayLink) break;
    toFixed.set(canonicalIp(floatingIp), canonicalIp(fixedIp));
    // A fixed address with several floating ones leaves by the first.
    if (!toFloating.has(canonicalIp(fixedIp))) toFloating.set(canonicalIp(fixedIp), canonicalIp(floatingIp));
  }
  const meters = meterRules(router.meters ?? [], gatewayLink);
  const helpers = helperRules(router.conntrackHelpers ?? [], 'ip');
  const helpers6 = helperRules(router.conntrackHelpers ?? [], 'ip6');
  const chains = new Map<string, Chain>([
    [
      'mangle',
      {
        hook: { type: 'filter', hook: 'prerouting', priority: -150 },
        rules: gatewayLink ? [`iifname "${gatewayLink}" meta mark set ${FROM_OUTSIDE}`, ...limits(router, gatewayLink, 'ingress')] : [],
      },
    ],
    [
      'prerouting',
      {
        hook: { type: 'nat', hook: 'prerouting', priority: -100 },
        rules: [`dnat to ip daddr map @${FLOATING_MAP}`, `dnat to ip daddr . meta l4proto . th dport map @${FORWARDING_MAP}`],
      },
    ],
    ['postrouting', { hook: { type: 'nat', hook: 'postrouting', priority: 100 }, rules: gatewayLink ? sourceNat(router, gatewayLink) : [] }],
    ['limits', { hook: { type: 'filter', hook: 'postrouting', priority: 200 }, rules: gatewayLink ? limits(router, gatewayLink, 'egress') : [] }],
    ['forward', { hook: { type: 'filter', hook: 'forward', priority: 0 }, rules: gatewayLink && router.gateway?.snat ? filterForward(gatewayLink) : [] }],
    ['input', { hook: { type: 'filter', hook: 'input', priority: 0 }, rules: METADATA_INPUT }],
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
        sets: new Map([
          [FLOATING_MAP, map(toFixed)],
          [FIXED_MAP, map(toFloating)],
          [
            FORWARDING_MAP,
            { kind: 'map', declaration: 'type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service', elements: forwardings(router, gatewayLink) },
          ],
        ]),
        chains,
        objects: new Map([...helpers.objects, ...meters.objects]),
      },
    ],
    [`ip6 ${TABLE}`, { family: 'ip6', name: TABLE, sets: new Map(), chains: new Map([...IPV6, ...helperChain(helpers6.rules)]), objects: helpers6.objects }],
  ]);
}

/** Behind connection tracking, before addresses are translated. */
const helperChain = (rules: readonly string[]): readonly (readonly [string, Chain])[] =>
  rules.length === 0 ? [] : [['helpers', { hook: { type: 'filter', hook: 'prerouting', priority: -140 }, rules }]];

function forwardings(router: RouterSpec, gatewayLink: string | undefined): ReadonlyMap<string, string> {
  const elements = new Map<string, string>();
  if (!gatewayLink) return elements;
  for (const { floatingIp, protocol, externalFirst, externalLast, internalIp, internalFirst, internalLast } of router.portForwardings ?? []) {
    for (let port = externalFirst; port <= externalLast; port++) {
      const inside = internalLast > internalFirst ? internalFirst + port - externalFirst : internalFirst;
      elements.set(`${canonicalIp(floatingIp)} . ${protocol} . ${port}`, `${canonicalIp(internalIp)} . ${inside}`);
    }
  }
  return elements;
}

/** The address that outgoing traffic without a floating address takes; undefined without one. */
export const sourceAddressOf = (router: RouterSpec): string | undefined => {
  const ip = router.gateway?.addresses.find((address) => !address.ip.includes(':'))?.ip;
  return ip === undefined ? undefined : canonicalIp(ip);
};

/** Limits by outside address: of what comes before it is translated, of what leaves after that. */
function limits(router: RouterSpec, gatewayLink: string, direction: 'ingress' | 'egress'): readonly string[] {
  const match = (ip: string): string => (direction === 'ingress' ? `iifname "${gatewayLink}" ip daddr ${ip}` : `oifname "${gatewayLink}" ip saddr ${ip}`);
  const rules = router.floatingIps.flatMap(({ floatingIp, qos }) => limitRules(qos?.[direction], match(canonicalIp(floatingIp))));
  const source = sourceAddressOf(router);
  return source === undefined ? rules : [...rules, ...limitRules(router.gateway?.qos?.[direction], match(source))];
}

function sourceNat(router: RouterSpec, gatewayLink: string): readonly string[] {
  const source = sourceAddressOf(router);
  const rules = [`oifname "${gatewayLink}" snat to ip saddr map @${FIXED_MAP}`];
  if (source !== undefined && router.gateway?.snat) rules.push(`oifname "${gatewayLink}" snat to ${source}`);
  // Hairpin: from inside to a floating address of this router. The answer must come back here, so the caller appears under an address
  // of the router's.
  rules.push(`ct status dnat meta mark != ${FROM_OUTSIDE} snat to ip saddr map @${FIXED_MAP}`);
  if (source !== undefined) rules.push(`ct status dnat meta mark != ${FROM_OUTSIDE} snat to ${source}`);
  return rules;
}

/** Behind source NAT nobody outside calls a fixed address, and no packet leaves untranslated. */
const filterForward = (gatewayLink: string): readonly string[] => [
  `iifname "${gatewayLink}" ct state new ct status & dnat == 0 drop`,
  `oifname "${gatewayLink}" ct state invalid drop`,
];

// The metadata service knows its clients by their address, so it is for those alone whose address belongs to the link they came by.
const METADATA_INPUT = [
  'ip daddr 169.254.169.254 iifname != "qr-*" drop',
  'ip daddr 169.254.169.254 fib saddr . iif oif missing drop',
  'ip daddr 169.254.169.254 meta l4proto { tcp, udp } th dport != 80 drop',
];

// Router advertisements come from here, DHCPv6 from the network's DHCP server (dnsmasq does both or nothing).
const IPV6 = new Map<string, Chain>([['input', { hook: { type: 'filter', hook: 'input', priority: 0 }, rules: ['udp dport 547 drop'] }]]);
