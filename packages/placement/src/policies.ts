import type { PolicyRule } from '@cairn/kit/policy/policy';

/** Placement's rules, by upstream's names and present defaults (placement/policies). */
export const placementPolicies: readonly PolicyRule[] = [
  { name: 'admin_or_service_role', check: 'role:admin or role:service', description: 'Admins, and the services themselves' },
];
