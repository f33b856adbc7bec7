import { createRbacPolicies, deleteRbacPolicyById, getRbacPolicy, listRbacPolicies, updateRbacPolicyById } from '../app/rbac-policies.ts';
import { RBAC_POLICY } from '../resources/rbac-policy.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

export const rbacPolicyOperations = [
  listOf(RBAC_POLICY, 'List RBAC policies', listRbacPolicies),
  showOf(RBAC_POLICY, 'Show an RBAC policy', getRbacPolicy),
  createOf(RBAC_POLICY, 'Create RBAC policies', createRbacPolicies),
  updateOf(RBAC_POLICY, 'Update an RBAC policy', updateRbacPolicyById),
  deleteOf(RBAC_POLICY, 'Delete an RBAC policy', deleteRbacPolicyById),
];
