import { RULE_ATTRIBUTES, type QosRuleType } from '../resources/qos.ts';
import type { QosRuleRow } from '../store/tables.ts';

/** A rule of a QoS policy as the API shows it: what its type says. */
export function ruleView(row: QosRuleRow): Record<string, unknown> {
  const view: Record<string, unknown> = { id: row.id };
  for (const name of Object.keys(RULE_ATTRIBUTES[row.type as QosRuleType])) view[name] = (row as unknown as Record<string, unknown>)[name];
  return view;
}
