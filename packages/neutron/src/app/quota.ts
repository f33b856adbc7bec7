import type { Db } from '@cairn/kit/store/store';
import { overQuota } from '../errors.ts';
import { countUsed, limitOf } from '../store/quota.ts';
import type { NeutronApp } from './deps.ts';

/**
 * Throws OverQuota where a project may not have `asked` more. Called in the transaction that writes them. Rows are counted by
 * index, and no further than the limit.
 */
export async function checkQuota(app: NeutronApp, db: Db, resource: string, projectId: string, asked = 1): Promise<void> {
  // ports of routers and floating IPs belong to nobody
  if (projectId === '' || asked === 0) return;
  const left = await quotaLeft(app, db, resource, projectId);
  if (left !== -1 && left < asked) throw overQuota([resource]);
}

/** How many more a project may have; -1 for any number. */
export async function quotaLeft(app: NeutronApp, db: Db, resource: string, projectId: string): Promise<number> {
  const limit = (await limitOf(db, projectId, resource)) ?? app.settings.quotas[resource] ?? -1;
  if (limit < 0) return -1;
  return Math.max(0, limit - (await countUsed(db, resource, projectId, limit)));
}

/** Checks the projects of many new resources at once. */
export async function checkQuotas(app: NeutronApp, db: Db, resource: string, projectIds: readonly string[]): Promise<void> {
  const counts = new Map<string, number>();
  for (const projectId of projectIds) counts.set(projectId, (counts.get(projectId) ?? 0) + 1);
  for (const [projectId, asked] of counts) await checkQuota(app, db, resource, projectId, asked);
}
