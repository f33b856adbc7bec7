import type { PolicyRule } from '@cairn/kit/policy/policy';
import { ADMIN, PROJECT_READER_OR_ADMIN, rule } from './base.ts';

/** Rules of limits, quotas and of what operators look at (nova/policies/{quota_sets,limits,availability_zone,hypervisors,services,extensions}.py). */
export const operatorPolicies: readonly PolicyRule[] = [
  rule('os-quota-sets:show', PROJECT_READER_OR_ADMIN, 'Show limits of a project.'),
  rule('os-quota-sets:detail', PROJECT_READER_OR_ADMIN, 'Show limits and use of a project.'),
  rule('os-quota-sets:defaults', '@', 'Show default limits.'),
  rule('os-quota-sets:update', ADMIN, 'Set limits of a project.'),
  rule('os-quota-sets:delete', ADMIN, 'Give a project the default limits again.'),
  rule('os-quota-class-sets:show', ADMIN, 'Show limits of a quota class.'),
  rule('os-quota-class-sets:update', ADMIN, 'Set limits of a quota class.'),
  rule('limits', '@', 'Show the limits that bear on the caller.'),
  rule('limits:other_project', ADMIN, 'Show the limits of another project.'),
  rule('os-availability-zone:list', '@', 'List availability zones.'),
  rule('os-availability-zone:detail', ADMIN, 'List availability zones with their hosts.'),
  rule('os-hypervisors:list', ADMIN, 'List hypervisors.'),
  rule('os-hypervisors:list-detail', ADMIN, 'List hypervisors with details.'),
  rule('os-hypervisors:statistics', ADMIN, 'Show sums over all hypervisors.'),
  rule('os-hypervisors:show', ADMIN, 'Show a hypervisor.'),
  rule('os-hypervisors:uptime', ADMIN, "Show a hypervisor's uptime."),
  rule('os-hypervisors:search', ADMIN, 'Search hypervisors by name.'),
  rule('os-hypervisors:servers', ADMIN, 'List the servers of a hypervisor.'),
  rule('os-services:list', ADMIN, 'List compute services.'),
  rule('os-services:update', ADMIN, 'Change a compute service.'),
  rule('os-services:delete', ADMIN, 'Delete a compute service.'),
  rule('os-hosts:list', ADMIN, 'List hosts.'),
  rule('os-hosts:show', ADMIN, 'Show a host.'),
  rule('os-hosts:update', ADMIN, 'Change a host.'),
  rule('os-hosts:reboot', ADMIN, 'Reboot a host.'),
  rule('os-hosts:shutdown', ADMIN, 'Shut a host down.'),
  rule('os-hosts:start', ADMIN, 'Start a host.'),
  rule('extensions', '@', 'List extensions.'),
];
