import type { PolicyRule } from '@cairn/kit/policy/policy';

export const ADMIN = 'rule:admin_only';
export const SERVICE = 'rule:service_api';
export const ADMIN_OR_SERVICE = `(${ADMIN}) or (${SERVICE})`;
export const ADMIN_OR_MANAGER = `(${ADMIN}) or (role:manager and project_id:%(project_id)s)`;
export const ADMIN_OR_MEMBER = `(${ADMIN}) or (role:member and project_id:%(project_id)s)`;
export const ADMIN_OR_READER = `(${ADMIN}) or (role:reader and project_id:%(project_id)s)`;
export const ADMIN_OR_NETWORK_OWNER = `(${ADMIN}) or (role:member and rule:network_owner)`;
export const ADMIN_OR_NETWORK_READER = `(${ADMIN}) or (role:reader and rule:network_owner)`;
export const ADMIN_OR_GROUP_OWNER = `(${ADMIN}) or (role:member and rule:sg_owner)`;
export const ADMIN_OR_GROUP_READER = `(${ADMIN}) or (role:reader and rule:sg_owner)`;
const PARENT_OWNER = 'rule:ext_parent_owner';
export const ADMIN_OR_PARENT_MANAGER = `(${ADMIN}) or (role:manager and ${PARENT_OWNER})`;
export const ADMIN_OR_PARENT_MEMBER = `(${ADMIN}) or (role:member and ${PARENT_OWNER})`;
export const ADMIN_OR_PARENT_READER = `(${ADMIN}) or (role:reader and ${PARENT_OWNER})`;

/** Rules for project-scoped tokens, as all of neutron's are. */
export const rules = (checks: Readonly<Record<string, string>>): readonly PolicyRule[] =>
  Object.entries(checks).map(([name, check]) => ({ name, check, scopes: ['project'] }));

/** The words that other rules are made of (neutron/conf/policies/base.py). */
export const basePolicies: readonly PolicyRule[] = Object.entries({
  context_is_admin: 'role:admin',
  context_with_global_access: '!',
  service_api: 'role:service',
  owner: 'project_id:%(project_id)s',
  admin_or_owner: 'rule:context_is_admin or rule:owner',
  context_is_advsvc: 'role:advsvc',
  admin_or_network_owner: 'rule:context_is_admin or project_id:%(network:project_id)s',
  admin_owner_or_network_owner: 'rule:owner or rule:admin_or_network_owner',
  network_owner: 'project_id:%(network:project_id)s',
  admin_only: 'rule:context_is_admin',
  regular_user: '',
  shared: 'field:networks:shared=True',
  default: 'rule:admin_or_owner',
  admin_or_ext_parent_owner: 'rule:context_is_admin or project_id:%(ext_parent:project_id)s',
  ext_parent_owner: 'project_id:%(ext_parent:project_id)s',
  sg_owner: 'project_id:%(security_group:project_id)s',
}).map(([name, check]) => ({ name, check }));
