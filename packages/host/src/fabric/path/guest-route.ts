import type { NetworkSpec, PortSpec, SubnetSpec } from '../../interface/fabric.ts';
import { type Cidr, contains, parseCidr, parseIp } from '../plan/address.ts';
import { guestRoutes } from '../plan/dnsmasq.ts';

/** Where a guest sends a packet that it has made: to `nexthop`, which is the destination itself on its own wire. Undefined: nowhere. */
export interface GuestRoute {
  readonly nexthop: string;
  readonly by: 'wire' | 'route' | 'gateway';
}

/**
 * The way of a guest that has done what DHCP (or router advertisements) told it; one that is set up otherwise by hand has ways of its own.
 */
export function guestRoute(network: NetworkSpec, port: PortSpec, destination: string): GuestRoute | undefined {
  const ip = parseIp(destination);
  if (!ip) return undefined;
  let best: { readonly cidr: Cidr; readonly route: GuestRoute } | undefined;
  const consider = (cidr: Cidr | undefined, route: GuestRoute): void => {
    if (cidr && contains(cidr, ip) && (!best || cidr.prefixLength > best.cidr.prefixLength)) best = { cidr, route };
  };
  const own = new Set(port.fixedIps.map((fixed) => fixed.subnetId));
  for (const subnet of network.subnets) {
    if (!own.has(subnet.id) || subnet.ipVersion !== ip.version) continue;
    consider(parseCidr(subnet.cidr), { nexthop: destination, by: 'wire' });
    for (const { cidr, nexthop } of toldRoutes(network, subnet))
      consider(cidr, nexthop === '0.0.0.0' ? { nexthop: destination, by: 'wire' } : { nexthop, by: cidr?.prefixLength === 0 ? 'gateway' : 'route' });
  }
  return best?.route;
}

function toldRoutes(network: NetworkSpec, subnet: SubnetSpec): { readonly cidr: Cidr | undefined; readonly nexthop: string }[] {
  if (subnet.ipVersion === 6) return subnet.gatewayIp === undefined ? [] : [{ cidr: parseCidr('::/0'), nexthop: subnet.gatewayIp }];
  const { gateway, routes } = guestRoutes(network, subnet);
  const told = routes.map((text) => {
    const [cidr = '', nexthop = ''] = text.split(',');
    return { cidr: parseCidr(cidr), nexthop };
  });
  return gateway === undefined ? told : [...told, { cidr: parseCidr('0.0.0.0/0'), nexthop: gateway }];
}
