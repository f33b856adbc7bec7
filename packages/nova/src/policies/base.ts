import type { PolicyRule } from '@cairn/kit/policy/policy';

/** Check strings that nova's rules are made of (nova/policies/base.py). */
export const ADMIN = 'rule:context_is_admin';
export const PROJECT_MANAGER_OR_ADMIN = 'rule:project_manager_or_admin';
export const PROJECT_MEMBER_OR_ADMIN = 'rule:project_member_or_admin';
export const PROJECT_READER_OR_ADMIN = 'rule:project_reader_or_admin';
export const SERVICE_OR_ADMIN = 'rule:service_or_admin';
export const ANY = '@';
export const NOBODY = '!';

/** A rule of the compute API: `os_compute_api:<name>`, for project scope as all of nova's. */
export const rule = (name: string, check: string, description: string): PolicyRule => ({
  name: `os_compute_api:${name}`,
  check,
  description,
  scopes: ['project'],
});

export const basePolicies: readonly PolicyRule[] = [
  { name: 'context_is_admin', check: 'role:admin', description: 'Who counts as an administrator.' },
  { name: 'project_manager_api', check: 'role:manager and project_id:%(project_id)s', description: 'Managers of the project.' },
  { name: 'project_member_api', check: 'role:member and project_id:%(project_id)s', description: 'Members of the project.' },
  { name: 'project_reader_api', check: 'role:reader and project_id:%(project_id)s', description: 'Readers of the project.' },
  { name: 'service_api', check: 'role:service', description: 'Other services.' },
  { name: 'project_manager_or_admin', check: 'rule:project_manager_api or rule:context_is_admin', description: 'Managers of the project, and administrators.' },
  { name: 'project_member_or_admin', check: 'rule:project_member_api or rule:context_is_admin', description: 'Members of the project, and administrators.' },
  { name: 'project_reader_or_admin', check: 'rule:project_reader_api or rule:context_is_admin', description: 'Readers of the project, and administrators.' },
  { name: 'service_or_admin', check: 'rule:service_api or rule:context_is_admin', description: 'Other services, and administrators.' },
];
