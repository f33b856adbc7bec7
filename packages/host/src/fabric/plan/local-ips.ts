import type { PortSpec } from '../../interface/fabric.ts';
import { identifier, shortId } from '../names.ts';
import type { Chain, SetModel } from '../ruleset/model.ts';
import { canonicalIp, canonicalMac } from './address.ts';

/**
 * Local IPs: an address of a network that each host leads to a port of its own. Whoever is on the network and on the host asks for the address
 * and hears of that port; its packets get the port's address and MAC where they enter the switch, behind the check of the sender and before
 * connections are looked up, so the security groups of both see whom they really deal with. What comes back is turned where it leaves the
 * switch: sets remember for a while who has asked. The port itself reaches the one that has the address in truth.
 */
export interface LocalIpPlan {
  readonly chains: ReadonlyMap<string, Chain>;
  readonly sets: ReadonlyMap<string, SetModel>;
}

/** Seconds that a conversation may be silent, and that an answer to a question may take. */
const TALK_SECONDS = 300;
const ASK_SECONDS = 1;

const remembering = (type: string, seconds: number): SetModel => ({
  kind: 'set',
  declaration: `${type}; flags dynamic,timeout; timeout ${seconds}s; size 65536`,
  elements: new Map(),
  isDynamic: true,
});

/** The rules for the ports of this host, of all networks. */
export function planLocalIps(ports: readonly PortSpec[]): LocalIpPlan {
  const chains = new Map<string, Chain>();
  const sets = new Map<string, SetModel>();
  const byNetwork = Map.groupBy(
    ports.filter((port) => port.localIps?.length && port.adminUp),
    (port) => port.networkId,
  );
  if (byNetwork.size === 0) return { chains, sets };
  const taps = new Map<string, string>();
  const back: string[] = [];
  for (const [networkId, owners] of [...byNetwork].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const there: string[] = [];
    const led = new Set<string>();
    for (const owner of owners.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
      const mac = canonicalMac(owner.mac) ?? owner.mac;
      for (const { id, ip: text, fixedIp } of owner.localIps ?? []) {
        const [ip, fixed] = [canonicalIp(text), canonicalIp(fixedIp)];
        // of several ports of one host the first has it
        if (led.has(ip)) continue;
        led.add(ip);
        const name = identifier(`${id}_${shortId(owner.id)}`);
        sets.set(`lt_${name}`, remembering('type ipv4_addr . inet_proto . inet_service . inet_service', TALK_SECONDS));
        sets.set(`le_${name}`, remembering('typeof ip saddr . icmp id', TALK_SECONDS));
        sets.set(`la_${name}`, remembering('type ipv4_addr', ASK_SECONDS));
        const turn = `ether daddr set ${mac} ip daddr set ${fixed}`;
        there.push(
          `ether type arp arp operation request arp daddr ip ${ip} arp saddr ip != ${fixed} update @la_${name} { arp saddr ip } arp daddr ip set ${fixed}`,
          `ether type ip ip daddr ${ip} ip saddr != ${fixed} meta l4proto { tcp, udp } update @lt_${name} { ip saddr . meta l4proto . th sport . th dport } ${turn}`,
          `ether type ip ip daddr ${ip} ip saddr != ${fixed} icmp type echo-request update @le_${name} { ip saddr . icmp id } ${turn}`,
        );
        const from = `ether type ip ether saddr ${mac} ip saddr ${fixed}`;
        back.push(
          `ether type arp ether saddr ${mac} arp operation reply arp saddr ip ${fixed} arp daddr ip @la_${name} arp saddr ip set ${ip}`,
          `${from} ip daddr . meta l4proto . th dport . th sport @lt_${name} ip saddr set ${ip}`,
          `${from} icmp type echo-reply ip daddr . icmp id @le_${name} ip saddr set ${ip}`,
        );
      }
    }
    const chain = `local_${identifier(networkId)}`;
    chains.set(chain, { rules: there });
    for (const { networkId: other, attachment } of ports) if (other === networkId && attachment.kind !== 'none') taps.set(attachment.tap, `goto ${chain}`);
  }
  sets.set('local_taps', { kind: 'map', declaration: 'type ifname : verdict', elements: taps });
  chains.set('local_in', { hook: { type: 'filter', hook: 'prerouting', priority: -299 }, rules: ['iifname vmap @local_taps'] });
  chains.set('local_out', { hook: { type: 'filter', hook: 'postrouting', priority: 0 }, rules: back });
  return { chains, sets };
}
