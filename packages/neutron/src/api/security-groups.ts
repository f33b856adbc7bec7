import { statefulnessVerbs } from '../app/default-statefulness.ts';
import { createDefaultRules, deleteDefaultRuleById, getDefaultRule, listDefaultRules } from '../app/default-rules.ts';
import { createRules, deleteRuleById, getRule, listRules } from '../app/security-group-rules.ts';
import { createGroups, deleteGroupById, getGroup, listGroups, updateGroupById } from '../app/security-groups.ts';
import { DEFAULT_STATEFULNESS } from '../resources/default-statefulness.ts';
import { DEFAULT_SECURITY_GROUP_RULE, SECURITY_GROUP, SECURITY_GROUP_RULE } from '../resources/security-group.ts';
import { operationsOfKind } from './kinds.ts';
import { createOf, deleteOf, listOf, showOf, updateOf } from './verbs.ts';

export const securityGroupOperations = [
  ...operationsOfKind(DEFAULT_STATEFULNESS, statefulnessVerbs, 'whether security groups begin stateful', 'whether security groups begin stateful'),
  listOf(DEFAULT_SECURITY_GROUP_RULE, 'List the rules that security groups begin with', listDefaultRules),
  showOf(DEFAULT_SECURITY_GROUP_RULE, 'Show a rule that security groups begin with', getDefaultRule),
  createOf(DEFAULT_SECURITY_GROUP_RULE, 'Create a rule that security groups begin with', createDefaultRules),
  deleteOf(DEFAULT_SECURITY_GROUP_RULE, 'Delete a rule that security groups begin with', deleteDefaultRuleById),
  listOf(SECURITY_GROUP, 'List security groups', listGroups),
  showOf(SECURITY_GROUP, 'Show a security group', (app, ctx, id) => getGroup(app, ctx, id)),
  createOf(SECURITY_GROUP, 'Create security groups', createGroups),
  updateOf(SECURITY_GROUP, 'Update a security group', updateGroupById),
  deleteOf(SECURITY_GROUP, 'Delete a security group', deleteGroupById),
  listOf(SECURITY_GROUP_RULE, 'List security group rules', listRules),
  showOf(SECURITY_GROUP_RULE, 'Show a security group rule', getRule),
  createOf(SECURITY_GROUP_RULE, 'Create security group rules', createRules),
  deleteOf(SECURITY_GROUP_RULE, 'Delete a security group rule', deleteRuleById),
];
