import type { LimitSpec, QosSpec } from '@cairn/host/interface/fabric';
import type { Db } from '@cairn/kit/store/store';
import { rulesOfPolicies } from '../store/qos.ts';
import type { QosRuleRow } from '../store/tables.ts';

/** What hosts keep of QoS policies; minimums are placement's. */
export type QosByPolicy = ReadonlyMap<string, QosSpec>;

const NONE: QosByPolicy = new Map();

/** Reads policies by id, in one statement; none where there is no id. */
export async function loadQos(db: Db, policyIds: Iterable<string | null>): Promise<QosByPolicy> {
  const ids = [...new Set([...policyIds].flatMap((id) => id ?? []))];
  if (ids.length === 0) return NONE;
  return new Map([...Map.groupBy(await rulesOfPolicies(db, ids), (rule) => rule.policy_id)].map(([id, rules]) => [id, qosSpec(rules)]));
}

export function qosSpec(rules: readonly QosRuleRow[]): QosSpec {
  const spec: { egress?: LimitSpec; ingress?: LimitSpec; dscp?: number } = {};
  for (const rule of rules) {
    if (rule.type === 'dscp_marking') spec.dscp = Number(rule.dscp_mark);
    const direction = rule.direction === 'ingress' ? 'ingress' : 'egress';
    if (rule.type === 'bandwidth_limit') {
      spec[direction] = { ...spec[direction], kilobitsPerSecond: Number(rule.max_kbps), burstKilobits: Number(rule.max_burst_kbps) };
    }
    if (rule.type === 'packet_rate_limit') {
      spec[direction] = { ...spec[direction], kilopacketsPerSecond: Number(rule.max_kpps), burstKilopackets: Number(rule.max_burst_kpps) };
    }
  }
  return spec;
}

/** The entry of an object for a policy: nothing where it limits nothing. */
export function qosOf(policies: QosByPolicy, policyId: string | null): { readonly qos?: QosSpec } {
  const qos = policyId === null ? undefined : policies.get(policyId);
  return qos && Object.keys(qos).length > 0 ? { qos } : {};
}
