import type { QosRule } from './queries.ts';

/** What a rule of a QoS policy says beside its type, as `name=value`: the fields of the API, which are the terms of the field. */
export const factsOfRule = (rule: QosRule): string =>
  Object.entries(rule)
    .filter(([key, value]) => !['id', 'type', 'qos_policy_id', 'tenant_id', 'project_id'].includes(key) && value !== null && value !== 0)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(' ');
