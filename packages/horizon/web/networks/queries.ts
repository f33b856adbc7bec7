import { queryOptions } from '@tanstack/react-query';
import { allOf } from '../api/client.ts';

export interface Network {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly admin_state_up: boolean;
  readonly shared: boolean;
  readonly mtu: number;
  readonly subnets: readonly string[];
  readonly project_id: string;
  readonly 'router:external': boolean;
}
export interface Subnet {
  readonly id: string;
  readonly name: string;
  readonly network_id: string;
  readonly cidr: string;
  readonly ip_version: number;
  readonly gateway_ip: string | null;
  readonly enable_dhcp: boolean;
}
export interface Port {
  readonly id: string;
  readonly name: string;
  readonly network_id: string;
  readonly status: string;
  readonly device_id: string;
  readonly device_owner: string;
  readonly mac_address: string;
  readonly fixed_ips: readonly { readonly subnet_id: string; readonly ip_address: string }[];
}
export interface Router {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly admin_state_up: boolean;
  readonly external_gateway_info: { readonly network_id: string } | null;
}

/** Lists of the network service, by the names that its API gives them. */
const list = <T extends { readonly id: string }>(key: string) =>
  queryOptions({ queryKey: [key], queryFn: ({ signal }) => allOf<T>('network', `/v2.0/${key}`, key, signal) });

export const networksQuery = list<Network>('networks');
export const subnetsQuery = list<Subnet>('subnets');
export const portsQuery = list<Port>('ports');
export const routersQuery = list<Router>('routers');
