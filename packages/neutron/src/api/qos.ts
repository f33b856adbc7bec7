import { qosPolicyVerbs } from '../app/qos-policies.ts';
import { getRuleType, listRuleTypes, qosRuleAliasVerbs, qosRuleVerbs } from '../app/qos-rules.ts';
import { QOS_POLICY, QOS_RULE_TYPE, qosRule, qosRuleAlias, type QosRuleType } from '../resources/qos.ts';
import { operationsOfKind } from './kinds.ts';
import { deleteOf, listOf, showOf, updateOf } from './verbs.ts';

/** Rules at a path below their policy; some are known by two paths. */
function rulesAt(type: QosRuleType, path?: string, alias?: string) {
  const what = type.replaceAll('_', ' ');
  return operationsOfKind(qosRule(type, path, alias), qosRuleVerbs(type), `a ${what} rule`, `${what} rules of a QoS policy`);
}

function rulesByThemselves(type: QosRuleType) {
  const resource = qosRuleAlias(type);
  const verbs = qosRuleAliasVerbs(type, resource);
  const what = `a ${type.replaceAll('_', ' ')} rule by its id alone`;
  return [showOf(resource, `Show ${what}`, verbs.get), updateOf(resource, `Update ${what}`, verbs.update), deleteOf(resource, `Delete ${what}`, verbs.remove)];
}

export const qosOperations = [
  ...operationsOfKind(QOS_POLICY, qosPolicyVerbs, 'a QoS policy', 'QoS policies'),
  ...rulesAt('bandwidth_limit'),
  ...rulesAt('dscp_marking'),
  ...rulesAt('minimum_bandwidth'),
  ...rulesAt('minimum_packet_rate'),
  ...rulesAt('minimum_packet_rate', 'qos/policies/{policy_id}/minimum-packet-rate-rules', 'minimum_packet_rate_rule_hyphens'),
  ...rulesAt('packet_rate_limit'),
  ...rulesAt('packet_rate_limit', 'policies/{policy_id}/packet_rate_limit_rules', 'packet_rate_limit_rule_short'),
  ...rulesByThemselves('bandwidth_limit'),
  ...rulesByThemselves('dscp_marking'),
  ...rulesByThemselves('minimum_bandwidth'),
  ...rulesByThemselves('minimum_packet_rate'),
  listOf(QOS_RULE_TYPE, 'List the types of QoS rules', listRuleTypes),
  showOf(QOS_RULE_TYPE, 'Show a type of QoS rules', getRuleType),
];
