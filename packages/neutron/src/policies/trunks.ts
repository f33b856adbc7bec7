import { ADMIN_OR_MEMBER, ADMIN_OR_READER, rules } from './base.ts';

/** Trunks: upstream's rules and present defaults (neutron/conf/policies/trunk.py). */
export const trunkPolicies = rules({
  create_trunk: ADMIN_OR_MEMBER,
  'create_trunk:tags': ADMIN_OR_MEMBER,
  get_trunk: ADMIN_OR_READER,
  'get_trunk:tags': ADMIN_OR_READER,
  update_trunk: ADMIN_OR_MEMBER,
  'update_trunk:tags': ADMIN_OR_MEMBER,
  delete_trunk: ADMIN_OR_MEMBER,
  'delete_trunk:tags': ADMIN_OR_MEMBER,
  get_subports: ADMIN_OR_READER,
  add_subports: ADMIN_OR_MEMBER,
  remove_subports: ADMIN_OR_MEMBER,
});
