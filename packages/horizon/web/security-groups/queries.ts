import { queryOptions } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';

export interface SecurityGroupRule {
  readonly id: string;
  readonly direction: 'ingress' | 'egress';
  readonly ethertype: string;
  readonly protocol: string | null;
  readonly port_range_min: number | null;
  readonly port_range_max: number | null;
  readonly remote_ip_prefix: string | null;
  readonly remote_group_id: string | null;
}
export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly security_group_rules: readonly SecurityGroupRule[];
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
