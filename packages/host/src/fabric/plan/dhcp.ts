import type { NetworkSpec } from '../../interface/fabric.ts';
import { bridgeName, dhcpLinkName, type Names } from '../names.ts';
import { TABLE } from '../ruleset/read.ts';
import type { Table } from '../ruleset/model.ts';
import { canonicalIp, canonicalMac, METADATA_IP, parseCidr } from './address.ts';
import type { NamespacePlan } from './namespace.ts';

const SYSCTLS = [
  'net.ipv4.ip_forward=0',
  'net.ipv6.conf.all.forwarding=0',
  'net.ipv4.conf.all.arp_ignore=1',
  'net.ipv4.conf.all.arp_announce=2',
  'net.ipv4.conf.all.rp_filter=0',
  'net.ipv4.conf.default.rp_filter=0',
  'net.ipv6.conf.all.accept_ra=0',
  'net.ipv6.conf.default.accept_ra=0',
  'net.ipv6.conf.default.accept_dad=0',
];

/** The namespace of a network's DHCP server, which is its metadata server as well where no router is. Undefined without DHCP. */
export function planDhcpNamespace(network: NetworkSpec, names: Names): NamespacePlan | undefined {
  const served = network.subnets.filter((subnet) => subnet.dhcp !== undefined);
  const mac = served[0]?.dhcp?.mac;
  if (mac === undefined) return undefined;
  const addresses = served.map((subnet) => `${canonicalIp(subnet.dhcp?.ip ?? '')}/${parseCidr(subnet.cidr)?.prefixLength}`);
  if (hasMetadata(network)) addresses.push(`${METADATA_IP}/32`);
  const link = dhcpLinkName(network.id);
  return {
    name: names.dhcp(network.id),
    links: new Map([[link, { mac: canonicalMac(mac) ?? mac, mtu: network.mtu, bridge: bridgeName(network.id), addresses: [...new Set(addresses)] }]]),
    loopback: [],
    routes: new Map(),
    sysctls: SYSCTLS,
    rules: new Map([[`inet ${TABLE}`, INPUT]]),
  };
}

/** Whether guests of the network find the metadata service at its DHCP server. */
export const hasMetadata = (network: NetworkSpec): boolean =>
  network.subnets.some((subnet) => subnet.ipVersion === 4 && subnet.dhcp !== undefined && subnet.isolated);

/** DHCP, names and metadata are all that is asked for here. */
const INPUT: Table = {
  family: 'inet',
  name: TABLE,
  sets: new Map(),
  chains: new Map([
    [
      'input',
      {
        hook: { type: 'filter', hook: 'input', priority: 0 },
        rules: [
          'meta l4proto { icmp, icmpv6 } accept',
          'meta l4proto { tcp, udp } th dport 53 accept',
          'udp dport { 67, 547 } accept',
          'ip daddr 169.254.169.254 tcp dport 80 accept',
          'drop',
        ],
      },
    ],
  ]),
};
