import type { ServiceName } from '../api/services.ts';

/** Quotas that the form has, by service, with the services' own names. */
export const QUOTAS = {
  compute: ['instances', 'cores', 'ram', 'server_groups', 'server_group_members', 'key_pairs', 'metadata_items'],
  network: ['network', 'subnet', 'port', 'router', 'floatingip', 'security_group', 'security_group_rule'],
  volume: ['volumes', 'gigabytes', 'per_volume_gigabytes', 'snapshots', 'backups', 'backup_gigabytes', 'groups'],
} as const satisfies Partial<Record<ServiceName, readonly string[]>>;

export type QuotaService = keyof typeof QUOTAS;
export const QUOTA_SERVICES = ['compute', 'network', 'volume'] as const satisfies readonly QuotaService[];
/** The envelope of each service's quotas, and the path that they are at. */
export const quotaPath = (service: QuotaService, projectId: string): string =>
  ({ compute: '/v2.1/os-quota-sets/', network: '/v2.0/quotas/', volume: '/v3/os-quota-sets/' })[service] + encodeURIComponent(projectId);
export const quotaKey = (service: QuotaService): 'quota' | 'quota_set' => (service === 'network' ? 'quota' : 'quota_set');

export type Limits = Readonly<Record<string, number>>;

/** A limit as it was typed: a whole number, -1 for none; undefined for anything else. */
export function limitOf(text: string): number | undefined {
  const limit = Number(text);
  return text.trim() !== '' && Number.isInteger(limit) && limit >= -1 && limit <= 0x7fffffff ? limit : undefined;
}

/** What differs between the limits that are and those that were typed; undefined while something typed is no limit. */
export function changedLimits(names: readonly string[], now: Limits, typed: Readonly<Record<string, string>>): Limits | undefined {
  const changed: Record<string, number> = {};
  for (const name of names) {
    const text = typed[name];
    if (text === undefined || now[name] === undefined) continue;
    const limit = limitOf(text);
    if (limit === undefined) return undefined;
    if (limit !== now[name]) changed[name] = limit;
  }
  return changed;
}
