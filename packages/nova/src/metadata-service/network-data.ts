import { tapName } from '@cairn/host/interface/fabric';
import type { PortFacts } from '@cairn/neutron/face';

type FixedIp = PortFacts['fixedIps'][number];

/** `network_data.json` (nova/virt/netutils.py, get_network_metadata): links, networks and DNS servers; of each port the first IPv4 and the first IPv6 address. */
export function networkData(ports: readonly PortFacts[]): object {
  const links: object[] = [];
  const networks: object[] = [];
  const services = new Map<string, object>();
  for (const port of ports) {
    const [v4, v6] = ([4, 6] as const).map((version) => port.fixedIps.find((ip) => ip.ipVersion === version));
    if (v4 === undefined && v6 === undefined) continue;
    const link = tapName(port.id);
    links.push({ id: link, vif_id: port.id, type: 'phy', mtu: port.networkMtu, ethernet_mac_address: port.mac });
    for (const ip of [v4, v6]) {
      if (ip === undefined) continue;
      networks.push(network(port, ip, `network${networks.length}`, link));
      for (const address of ip.dnsServers) services.set(address, { type: 'dns', address });
    }
  }
  return { links, networks, services: [...services.values()] };
}

function network(port: PortFacts, ip: FixedIp, id: string, link: string): object {
  const type = `ipv${ip.ipVersion}`;
  if (ip.ipv6AddressMode === null && ip.dhcp) return { id, type: `${type}_dhcp`, link, network_id: port.networkId };
  const anywhere = ip.ipVersion === 4 ? '0.0.0.0' : '::';
  const routes = ip.gatewayIp === null ? [] : [{ network: anywhere, netmask: anywhere, gateway: ip.gatewayIp }];
  return {
    id,
    type: ip.ipv6AddressMode === null ? type : `${type}_${ip.ipv6AddressMode}`,
    link,
    ip_address: ip.ip,
    netmask: netmaskOf(ip.cidr),
    routes: [
      ...routes,
      ...ip.hostRoutes.map(({ destination, nexthop }) => ({ network: destination.split('/')[0], netmask: netmaskOf(destination), gateway: nexthop })),
    ],
    network_id: port.networkId,
    services: ip.dnsServers.map((address) => ({ type: 'dns', address })),
  };
}

/** `255.255.255.0` of `10.0.0.0/24`, `ffff:ffff:ffff:ffff::` of a /64. */
export function netmaskOf(cidr: string): string {
  const [address = '', length = '0'] = cidr.split('/');
  const bits = Number(length);
  if (!address.includes(':')) {
    return [0, 1, 2, 3].map((at) => 256 - 2 ** (8 - Math.min(8, Math.max(0, bits - at * 8)))).join('.');
  }
  const groups = Array.from({ length: 8 }, (_, at) => (65_536 - 2 ** (16 - Math.min(16, Math.max(0, bits - at * 16)))).toString(16));
  const zeros = groups.findIndex((group) => group === '0');
  if (zeros < 0) return groups.join(':');
  if (zeros === 7) return groups.join(':');
  return `${groups.slice(0, zeros).join(':')}::`;
}
