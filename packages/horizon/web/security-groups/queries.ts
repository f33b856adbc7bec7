import { queryOptions } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';

export interface SecurityGroupRule {
  readonly id: string;
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: string;
  readonly protocol: string | null;
  /** Of ICMP: the type. */
  readonly port_range_min: number | null;
  /** Of ICMP: the code. */
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
  readonly remote_address_group_id?: string | null;
  readonly description?: string | null;
}
export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly project_id: string;
  readonly stateful: boolean;
  readonly shared: boolean;
  readonly tags: readonly string[];
  readonly security_group_rules: readonly SecurityGroupRule[];
}
/** Addresses that rules name together. */
export interface AddressGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly project_id: string;
  readonly addresses: readonly string[];
}

export const securityGroupsQuery = queryOptions({
  queryKey: ['security-groups'],
  queryFn: ({ signal }) => allOf<SecurityGroup>('network', '/v2.0/security-groups', 'security_groups', signal),
});
export const securityGroupQuery = (id: string) =>
  queryOptions({
    queryKey: ['security-groups', id],
    queryFn: async ({ signal }) =>
      (await api<{ security_group: SecurityGroup }>('network', `/v2.0/security-groups/${encodeURIComponent(id)}`, { signal })).security_group,
  });
export const addressGroupsQuery = queryOptions({
  queryKey: ['address-groups'],
  queryFn: ({ signal }) => allOf<AddressGroup>('network', '/v2.0/address-groups', 'address_groups', signal),
});
