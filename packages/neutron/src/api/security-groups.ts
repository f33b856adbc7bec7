import { createRules, deleteRuleById, getRule, listRules } from '../app/security-group-rules.ts';
import { createGroups, deleteGroupById, getGroup, listGroups, updateGroupById } from '../app/security-groups.ts';
import { SECURITY_GROUP, SECURITY_GROUP_RULE } from '../resources/security-group.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

export const securityGroupOperations = [
  listOf(SECURITY_GROUP, 'List security groups', listGroups),
  showOf(SECURITY_GROUP, 'Show a security group', getGroup),
  createOf(SECURITY_GROUP, 'Create security groups', createGroups),
  updateOf(SECURITY_GROUP, 'Update a security group', updateGroupById),
  deleteOf(SECURITY_GROUP, 'Delete a security group', deleteGroupById),
  listOf(SECURITY_GROUP_RULE, 'List security group rules', listRules),
  showOf(SECURITY_GROUP_RULE, 'Show a security group rule', getRule),
  createOf(SECURITY_GROUP_RULE, 'Create security group rules', createRules),
  deleteOf(SECURITY_GROUP_RULE, 'Delete a security group rule', deleteRuleById),
];
