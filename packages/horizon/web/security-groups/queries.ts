import { queryOptions } from '@tanstack/react-query';
import { allOf, api, type Row } from '../api/client.ts';

export type SecurityGroup = Row<'neutron.security-group.list'>;
/** Of ICMP, `port_range_min` is the type, and `port_range_max` the code. */
export type SecurityGroupRule = SecurityGroup['security_group_rules'][number];
/** Addresses that rules name together. */
export type AddressGroup = Row<'neutron.address-group.list'>;

export const securityGroupsQuery = queryOptions({
  queryKey: ['security-groups'],
  queryFn: ({ signal }) => allOf<'neutron.security-group.list'>('network', '/v2.0/security-groups', 'security_groups', signal),
});
export const securityGroupQuery = (id: string) =>
  queryOptions({
    queryKey: ['security-groups', id],
    queryFn: async ({ signal }) =>
      (await api<'neutron.security-group.show'>('network', `/v2.0/security-groups/${encodeURIComponent(id)}`, { signal })).security_group,
  });
export const addressGroupsQuery = queryOptions({
  queryKey: ['address-groups'],
  queryFn: ({ signal }) => allOf<'neutron.address-group.list'>('network', '/v2.0/address-groups', 'address_groups', signal),
});
