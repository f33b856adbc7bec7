import { forbidden } from '@cairn/kit/errors/errors';
import { fitsQuota, quotaLeft } from '@cairn/kit/quota/quota';
import type { Db } from '@cairn/kit/store/store';
import { storedLimits } from '../store/quota.ts';
import { type ServerUsage, usageOf } from '../store/usage.ts';
import type { NovaDeps } from './deps.ts';
import { effectiveLimit } from './quota.ts';

export interface ServerLimits {
  /** The limit of any resource that is counted within one request: metadata_items, injected_files ... */
  readonly of: (resource: string) => number;
  /** Throws upstream's 403 when an existing server may not have so much more; less is always fine. */
  fitMore(more: { readonly cores: number; readonly ramMb: number }): void;
  /** How many servers of a flavor may be made, at most `maxCount`; throws upstream's 403 when fewer than `minCount`. */
  fit(flavor: { readonly vcpus: number; readonly memoryMb: number }, minCount: number, maxCount: number): number;
}

const RESOURCES = ['instances', 'cores', 'ram'] as const;
type Resource = (typeof RESOURCES)[number];
const used = (usage: ServerUsage, resource: Resource): number =>
  resource === 'instances' ? usage.instances : resource === 'cores' ? usage.cores : usage.ramMb;

/** The limits and use of a user in a project. Read it in the transaction that writes the servers. */
export async function serverLimits(deps: NovaDeps, db: Db, projectId: string, userId: string): Promise<ServerLimits> {
  const [stored, usage] = await Promise.all([storedLimits(db, projectId, userId), usageOf(db, projectId, userId)]);
  const defaults = deps.options.quotaDefaults;
  // a user's own limits count only where an operator set one
  const perUser = RESOURCES.some((resource) => stored.user[resource] !== undefined);
  const limit = (resource: Resource, level: 'project' | 'user'): number => effectiveLimit(stored, defaults, resource, level);
  return {
    of: (resource) => effectiveLimit(stored, defaults, resource, 'user'),
    fitMore({ cores, ramMb }) {
      const asked = { cores: Math.max(0, cores), ram: Math.max(0, ramMb) } as const;
      for (const level of perUser ? (['project', 'user'] as const) : (['project'] as const)) {
        const over = (['cores', 'ram'] as const).filter(
          (resource) =>
            asked[resource] > 0 && !fitsQuota({ resource, used: used(usage[level], resource), asked: asked[resource], limit: limit(resource, level) }),
        );
        if (over.length === 0) continue;
        const list = (of: (resource: 'cores' | 'ram') => number): string => over.map((resource) => String(of(resource))).join(', ');
        const names = over.join(', ');
        const taken = list((resource) => used(usage[level], resource));
        throw forbidden(
          `Quota exceeded for ${names}: Requested ${list((resource) => asked[resource])}, but already used ${taken} of ${list((resource) => limit(resource, level))} ${names}`,
          { type: 'TooManyInstances' },
        );
      }
    },
    fit(flavor, minCount, maxCount) {
      const each: Readonly<Record<Resource, number>> = { instances: 1, cores: flavor.vcpus, ram: flavor.memoryMb };
      const levels = perUser ? (['project', 'user'] as const) : (['project'] as const);
      let fits = maxCount;
      for (const level of levels) {
        for (const resource of RESOURCES) {
          if (each[resource] > 0) fits = Math.min(fits, Math.floor(quotaLeft(used(usage[level], resource), limit(resource, level)) / each[resource]));
        }
      }
      if (fits >= minCount) return fits;
      for (const level of levels) {
        const over = RESOURCES.filter(
          (resource) => !fitsQuota({ resource, used: used(usage[level], resource), asked: each[resource] * maxCount, limit: limit(resource, level) }),
        );
        if (over.length === 0) continue;
        const count = minCount === maxCount ? String(minCount) : `${minCount}-${maxCount}`;
        const asked = over.map((resource) => (resource === 'instances' ? count : String(each[resource] * maxCount))).join(', ');
        const taken = over.map((resource) => String(used(usage[level], resource))).join(', ');
        const allowed = over.map((resource) => String(limit(resource, level))).join(', ');
        const names = over.join(', ');
        throw forbidden(`Quota exceeded for ${names}: Requested ${asked}, but already used ${taken} of ${allowed} ${names}`, { type: 'TooManyInstances' });
      }
      throw forbidden('Quota exceeded for instances', { type: 'TooManyInstances' });
    },
  };
}

/** Throws upstream's 403 for too many metadata items. */
export function checkMetadataQuota(limits: ServerLimits, metadata: Readonly<Record<string, string>>): void {
  const allowed = limits.of('metadata_items');
  if (allowed >= 0 && Object.keys(metadata).length > allowed) throw forbidden(`Maximum number of metadata items exceeds ${allowed}`);
}

/** Throws upstream's 403 for too many or too large injected files. */
export function checkFilesQuota(limits: ServerLimits, files: readonly { readonly path: string; readonly contents: string }[]): void {
  const over = (resource: string, amount: number): number | undefined => {
    const allowed = limits.of(resource);
    return allowed >= 0 && amount > allowed ? allowed : undefined;
  };
  if (files.length === 0) return;
  if (over('injected_files', files.length) !== undefined) throw forbidden('Personality file limit exceeded');
  const path = over('injected_file_path_bytes', Math.max(...files.map((file) => Buffer.byteLength(file.path))));
  if (path !== undefined) throw forbidden(`Personality file path exceeds maximum ${path}`);
  const content = over('injected_file_content_bytes', Math.max(...files.map((file) => file.contents.length)));
  if (content !== undefined) throw forbidden(`Personality file content exceeds maximum ${content}`);
}
