import type { PolicyRule } from '@cairn/kit/policy/policy';
import { ANY, PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, rule } from './base.ts';

const reader = (name: string, description: string): PolicyRule => rule(name, PROJECT_READER_OR_ADMIN, description);
const member = (name: string, description: string): PolicyRule => rule(name, PROJECT_MEMBER_OR_ADMIN, description);

/** Rules of the APIs of nova-network (nova/policies/{security_groups,floating_ips,floating_ip_pools,networks,tenant_networks}.py). */
export const oldNetworkPolicies: readonly PolicyRule[] = [
  reader('os-security-groups:get', 'List security groups.'),
  reader('os-security-groups:show', 'Show a security group.'),
  member('os-security-groups:create', 'Create a security group.'),
  member('os-security-groups:update', 'Change a security group.'),
  member('os-security-groups:delete', 'Delete a security group.'),
  member('os-security-groups:rule:create', 'Create a rule of a security group.'),
  member('os-security-groups:rule:delete', 'Delete a rule of a security group.'),
  reader('os-floating-ips:list', 'List floating IPs.'),
  reader('os-floating-ips:show', 'Show a floating IP.'),
  member('os-floating-ips:create', 'Take a floating IP.'),
  member('os-floating-ips:delete', 'Give a floating IP back.'),
  rule('os-floating-ip-pools', ANY, 'List external networks.'),
  reader('os-networks:list', 'List networks.'),
  reader('os-networks:show', 'Show a network.'),
  reader('os-tenant-networks:list', "List the project's networks."),
  reader('os-tenant-networks:show', 'Show a network of the project.'),
];
