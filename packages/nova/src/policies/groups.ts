import type { PolicyRule } from '@cairn/kit/policy/policy';
import { ADMIN, PROJECT_MEMBER_OR_ADMIN, PROJECT_READER_OR_ADMIN, rule } from './base.ts';

const admin = (name: string, description: string): PolicyRule => rule(name, ADMIN, description);

/** Rules of server groups, aggregates and usage (nova/policies/{server_groups,aggregates,instance_usage_audit_log,simple_tenant_usage}.py). */
export const groupPolicies: readonly PolicyRule[] = [
  rule('os-server-groups:create', PROJECT_MEMBER_OR_ADMIN, 'Create a server group.'),
  rule('os-server-groups:delete', PROJECT_MEMBER_OR_ADMIN, 'Delete a server group.'),
  rule('os-server-groups:index', PROJECT_READER_OR_ADMIN, 'List server groups.'),
  admin('os-server-groups:index:all_projects', 'List the server groups of all projects.'),
  rule('os-server-groups:show', PROJECT_READER_OR_ADMIN, 'Show a server group.'),
  admin('os-aggregates:index', 'List aggregates.'),
  admin('os-aggregates:create', 'Create an aggregate.'),
  admin('os-aggregates:show', 'Show an aggregate.'),
  admin('os-aggregates:update', 'Change an aggregate.'),
  admin('os-aggregates:delete', 'Delete an aggregate.'),
  admin('os-aggregates:add_host', 'Put a host into an aggregate.'),
  admin('os-aggregates:remove_host', 'Take a host out of an aggregate.'),
  admin('os-aggregates:set_metadata', "Change an aggregate's metadata."),
  admin('os-instance-usage-audit-log:list', 'Show how the audit of usage went on all hosts.'),
  admin('os-instance-usage-audit-log:show', 'Show how an earlier audit of usage went on all hosts.'),
  rule('os-simple-tenant-usage:show', PROJECT_READER_OR_ADMIN, 'Show what a project used.'),
  admin('os-simple-tenant-usage:list', 'Show what all projects used.'),
];
