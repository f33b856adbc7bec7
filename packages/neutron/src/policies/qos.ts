import { ADMIN_OR_MANAGER, ADMIN_OR_PARENT_MANAGER, ADMIN_OR_PARENT_READER, ADMIN_OR_READER, rules } from './base.ts';

const TYPES = ['bandwidth_limit', 'packet_rate_limit', 'dscp_marking', 'minimum_bandwidth', 'minimum_packet_rate'];

const ruleRules: Record<string, string> = {};
for (const type of TYPES) {
  ruleRules[`get_policy_${type}_rule`] = ADMIN_OR_PARENT_READER;
  for (const verb of ['create', 'update', 'delete']) ruleRules[`${verb}_policy_${type}_rule`] = ADMIN_OR_PARENT_MANAGER;
  if (type === 'packet_rate_limit') continue;
  const isMinimumRate = type === 'minimum_packet_rate';
  ruleRules[`get_alias_${type}_rule`] = isMinimumRate ? `rule:get_policy_${type}_rule` : ADMIN_OR_PARENT_READER;
  for (const verb of ['update', 'delete']) {
    ruleRules[`${verb}_alias_${type}_rule`] = isMinimumRate ? `rule:${verb}_policy_${type}_rule` : ADMIN_OR_PARENT_MANAGER;
  }
}

/** QoS policies and their rules: upstream's rules and present defaults (neutron/conf/policies/qos.py). */
export const qosPolicies = rules({
  shared_qos_policy: 'field:policies:shared=True',
  get_policy: `${ADMIN_OR_READER} or rule:shared_qos_policy`,
  'get_policy:tags': `${ADMIN_OR_READER} or rule:shared_qos_policy`,
  create_policy: ADMIN_OR_MANAGER,
  'create_policy:tags': ADMIN_OR_MANAGER,
  update_policy: ADMIN_OR_MANAGER,
  'update_policy:tags': ADMIN_OR_MANAGER,
  delete_policy: ADMIN_OR_MANAGER,
  'delete_policy:tags': ADMIN_OR_MANAGER,
  get_rule_type: 'role:reader',
  ...ruleRules,
});
