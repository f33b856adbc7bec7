import type { QosRule } from './queries.ts';

/** The types of rules that the console makes, each with the numbers that it takes; the first is needed. All but DSCP marks have a direction. */
export const QOS_RULES = {
  bandwidth_limit: ['max_kbps', 'max_burst_kbps'],
  minimum_bandwidth: ['min_kbps'],
  packet_rate_limit: ['max_kpps', 'max_burst_kpps'],
  minimum_packet_rate: ['min_kpps'],
  dscp_marking: ['dscp_mark'],
} as const;
export type QosRuleType = keyof typeof QOS_RULES;

/** The values of a rule; undefined while a number is missing or is none. */
export function qosRuleBody(type: QosRuleType, direction: string, numbers: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> | undefined {
  const [first, ...rest] = QOS_RULES[type] as readonly string[];
  const isNumber = (name: string): boolean => /^\d{1,10}$/.test((numbers[name] ?? '').trim());
  if (first === undefined || !isNumber(first)) return undefined;
  const given = rest.filter((name) => (numbers[name] ?? '').trim() !== '');
  if (!given.every(isNumber)) return undefined;
  return { ...Object.fromEntries([first, ...given].map((name) => [name, Number(numbers[name])])), ...(type !== 'dscp_marking' && { direction }) };
}

/** What a rule of a QoS policy says beside its type, as `name=value`: the fields of the API, which are the terms of the field. */
export const factsOfRule = (rule: QosRule): string =>
  Object.entries(rule)
    .filter(([key, value]) => !['id', 'type', 'qos_policy_id', 'tenant_id', 'project_id'].includes(key) && value !== null && value !== 0)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');

/** The numbers of a rule as its form holds them. */
export function numbersOfRule(rule: QosRule): Readonly<Record<string, string>> {
  const names: readonly string[] = QOS_RULES[rule.type];
  return Object.fromEntries(
    Object.entries(rule)
      .filter(([name, value]) => names.includes(name) && value !== null)
      .map(([name, value]) => [name, String(value)]),
  );
}
