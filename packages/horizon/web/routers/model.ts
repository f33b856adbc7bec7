import type { ExternalGateway, Network, Port, Subnet } from '../networks/queries.ts';
import type { Choice } from '../parts/form-model.ts';
import { called } from '../networks/queries.ts';

/** The ports by which a router is on networks of projects, not the one that leads outside. */
export const interfacesOf = (ports: readonly Port[]): Port[] =>
  ports.filter(({ device_owner }) => /^network:(router_interface|ha_router_replicated)/.test(device_owner));

/** How a gateway is named to the API: by its network, and by its addresses too, since several may be on one network. */
export const nameOfGateway = ({ network_id, external_fixed_ips: addresses }: ExternalGateway) => ({
  network_id,
  ...(addresses.length > 0 && { external_fixed_ips: addresses.map(({ ip_address }) => ({ ip_address })) }),
});

/** The subnets that a router may be put on: those of networks that do not lead outside, on which it is not yet. */
export function subnetChoices(networks: readonly Network[], subnets: readonly Subnet[], interfaces: readonly Port[]): Choice[] {
  const names = new Map(networks.filter((network) => !network['router:external']).map((network) => [network.id, called(network)]));
  const has = new Set(interfaces.flatMap(({ fixed_ips }) => fixed_ips.map(({ subnet_id }) => subnet_id)));
  return subnets.flatMap((subnet) => {
    const network = names.get(subnet.network_id);
    if (network === undefined || has.has(subnet.id)) return [];
    return [{ value: subnet.id, label: `${network}: ${subnet.cidr}`, ...(subnet.name !== '' && { description: subnet.name }) }];
  });
}
