import type { PolicyRule } from '@cairn/kit/policy/policy';
import { ADMIN, PROJECT_READER_OR_ADMIN, rule } from './base.ts';

/** Rules of flavors (nova/policies/flavor_*.py). */
export const flavorPolicies: readonly PolicyRule[] = [
  rule('os-flavor-manage:create', ADMIN, 'Create a flavor.'),
  rule('os-flavor-manage:update', ADMIN, 'Change a flavor.'),
  rule('os-flavor-manage:delete', ADMIN, 'Delete a flavor.'),
  rule('os-flavor-access', ADMIN, 'List the projects that may use a flavor.'),
  rule('os-flavor-access:add_tenant_access', ADMIN, 'Let a project use a flavor.'),
  rule('os-flavor-access:remove_tenant_access', ADMIN, 'No longer let a project use a flavor.'),
  rule('os-flavor-extra-specs:index', PROJECT_READER_OR_ADMIN, "List a flavor's extra specs."),
  rule('os-flavor-extra-specs:show', PROJECT_READER_OR_ADMIN, 'Show an extra spec.'),
  rule('os-flavor-extra-specs:create', ADMIN, 'Set extra specs.'),
  rule('os-flavor-extra-specs:update', ADMIN, 'Change an extra spec.'),
  rule('os-flavor-extra-specs:delete', ADMIN, 'Delete an extra spec.'),
];
