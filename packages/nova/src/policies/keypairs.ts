import type { PolicyRule } from '@cairn/kit/policy/policy';
import { ADMIN, rule } from './base.ts';

const ADMIN_OR_USER = `(${ADMIN}) or user_id:%(user_id)s`;

/** Rules of keypairs (nova/policies/keypairs.py). */
export const keypairPolicies: readonly PolicyRule[] = [
  rule('os-keypairs:index', ADMIN_OR_USER, 'List keypairs.'),
  rule('os-keypairs:create', ADMIN_OR_USER, 'Create a keypair.'),
  rule('os-keypairs:delete', ADMIN_OR_USER, 'Delete a keypair.'),
  rule('os-keypairs:show', ADMIN_OR_USER, 'Show a keypair.'),
];
