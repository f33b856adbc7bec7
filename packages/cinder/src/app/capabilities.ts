import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import type { BackendOptions, CinderOptions } from '../options.ts';
import type { PoolFacts } from './pools.ts';
import type { ExtraSpecs } from './types.ts';

/** `storage_protocol`, in upstream's words. */
export const PROTOCOLS: Readonly<Record<BackendOptions['driver'], string>> = { local: 'file', directory: 'nfs', rbd: 'ceph', lvm: 'block' };

export type Capabilities = Readonly<Record<string, string | number | boolean>>;

/** What a pool can do, under the names that types' extra specs and get_pools use. */
export const capabilitiesOf = (options: CinderOptions, pool: PoolFacts, nowMs: number): Capabilities => ({
  volume_backend_name: pool.backend.volumeBackendName,
  vendor_name: 'Cairn',
  driver_version: '1.0.0',
  storage_protocol: PROTOCOLS[pool.backend.driver],
  pool_name: pool.backend.name,
  total_capacity_gb: Math.floor(pool.totalGb * 100) / 100,
  free_capacity_gb: Math.floor(pool.freeGb * 100) / 100,
  provisioned_capacity_gb: pool.provisionedGb,
  allocated_capacity_gb: pool.provisionedGb,
  total_volumes: pool.volumes,
  reserved_percentage: options.reservedPercentage,
  max_over_subscription_ratio: String(options.overSubscriptionRatio),
  thin_provisioning_support: pool.backend.isThin,
  thick_provisioning_support: !pool.backend.isThin,
  multiattach: pool.backend.multiattach,
  online_extend_support: true,
  sparse_copy_volume: pool.backend.isThin,
  QoS_support: false,
  replication_enabled: false,
  backend_state: 'up',
  timestamp: isoNaiveMicros(nowMs),
});

/**
 * The extra spec that a pool does not satisfy, in words; undefined when it satisfies all. Specs with a scope other than `capabilities:` are not for
 * the scheduler (cinder/scheduler/filters/capabilities_filter.py).
 */
export function unsatisfied(specs: ExtraSpecs, capabilities: Capabilities): string | undefined {
  for (const [key, wanted] of Object.entries(specs)) {
    const scope = key.split(':');
    if (scope.length > 1 && scope[0] !== 'capabilities') continue;
    const name = scope.at(-1) ?? '';
    const offered = scope.length > 2 || !Object.hasOwn(capabilities, name) ? undefined : capabilities[name];
    if (offered === undefined) return `it has no capability ${name}`;
    if (!matches(offered, wanted)) return `its ${name} is ${offered}, not ${wanted}`;
  }
  return undefined;
}

const TRUE = new Set(['1', 't', 'true', 'on', 'y', 'yes']);
const isTrue = (text: string): boolean => TRUE.has(text.trim().toLowerCase());
const numbers =
  (compare: (a: number, b: number) => boolean) =>
  (value: string, wanted: string): boolean => {
    const [a, b] = [Number(value), Number(wanted)];
    return !Number.isNaN(a) && !Number.isNaN(b) && compare(a, b);
  };

/** The operators that may stand before a spec's value (extra_specs_ops.py); `=` means "at least". */
const OPERATORS: Readonly<Record<string, (value: string, wanted: string) => boolean>> = {
  '=': numbers((a, b) => a >= b),
  '==': numbers((a, b) => a === b),
  '!=': numbers((a, b) => a !== b),
  '>=': numbers((a, b) => a >= b),
  '<=': numbers((a, b) => a <= b),
  '<in>': (value, wanted) => value.includes(wanted),
  '<is>': (value, wanted) => isTrue(value) === isTrue(wanted),
  's==': (value, wanted) => value === wanted,
  's!=': (value, wanted) => value !== wanted,
  's<': (value, wanted) => value < wanted,
  's<=': (value, wanted) => value <= wanted,
  's>': (value, wanted) => value > wanted,
  's>=': (value, wanted) => value >= wanted,
};

/** Does a capability satisfy what a spec asks of it? */
export function matches(offered: string | number | boolean, wanted: string): boolean {
  const [operator = '', ...words] = wanted.split(/\s+/).filter((word) => word !== '');
  const value = typeof offered === 'boolean' ? (offered ? 'True' : 'False') : String(offered);
  // `<or> a <or> b`
  if (operator === '<or>') return words.some((word, at) => at % 2 === 0 && word === value);
  const compare = Object.hasOwn(OPERATORS, operator) ? OPERATORS[operator] : undefined;
  if (!compare) return typeof offered === 'string' && offered === wanted;
  return words[0] !== undefined && compare(value, words[0]);
}
