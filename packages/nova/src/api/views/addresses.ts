import type { PortFacts } from '@cairn/neutron/face';

export interface AddressView {
  readonly version: 4 | 6;
  readonly addr: string;
  readonly 'OS-EXT-IPS:type'?: 'fixed' | 'floating';
  readonly 'OS-EXT-IPS-MAC:mac_addr'?: string;
}

/** A server's addresses by network name: fixed ones of all its ports in the network, then floating ones. */
export function addressesView(ports: readonly PortFacts[], extended: boolean): Readonly<Record<string, readonly AddressView[]>> {
  const networks = new Map<string, { readonly fixed: AddressView[]; readonly floating: AddressView[] }>();
  for (const port of ports) {
    let network = networks.get(port.networkName);
    if (network === undefined) {
      network = { fixed: [], floating: [] };
      networks.set(port.networkName, network);
    }
    const view = (addr: string, version: 4 | 6, type: 'fixed' | 'floating'): AddressView => ({
      version,
      addr,
      ...(extended ? { 'OS-EXT-IPS:type': type, 'OS-EXT-IPS-MAC:mac_addr': port.mac } : {}),
    });
    for (const fixed of port.fixedIps) {
      network.fixed.push(view(fixed.ip, fixed.ipVersion, 'fixed'));
      for (const floating of fixed.floatingIps) network.floating.push(view(floating, floating.includes(':') ? 6 : 4, 'floating'));
    }
  }
  // a network's name is the user's: a null prototype keeps `__proto__` an ordinary name
  const view: Record<string, readonly AddressView[]> = Object.create(null) as Record<string, readonly AddressView[]>;
  for (const [name, { fixed, floating }] of networks) view[name] = [...fixed, ...floating];
  return view;
}
