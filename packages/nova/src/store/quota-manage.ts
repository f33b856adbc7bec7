import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';

const q = (db: Db) => on<NovaTables>(db);

/** Sets limits of a project, or of one of its users (`userId` not ''). */
export async function setLimits(tx: Tx, projectId: string, userId: string, limits: Readonly<Record<string, number>>): Promise<void> {
  const rows = Object.entries(limits).map(([resource, hard_limit]) => ({ project_id: projectId, user_id: userId, resource, hard_limit }));
  if (rows.length > 0)
    await q(tx)
      .insertInto('nova_quota')
      .values(rows)
      .onConflict((c) => c.columns(['project_id', 'user_id', 'resource']).doUpdateSet((e) => ({ hard_limit: e.ref('excluded.hard_limit') })))
      .execute();
}

/** Forgets limits: of one user, or of the project with all its users. */
export async function clearLimits(tx: Tx, projectId: string, userId: string | undefined): Promise<void> {
  let query = q(tx).deleteFrom('nova_quota').where('project_id', '=', projectId);
  if (userId !== undefined) query = query.where('user_id', '=', userId);
  await query.execute();
}

export async function setClassLimits(tx: Tx, className: string, limits: Readonly<Record<string, number>>): Promise<void> {
  const rows = Object.entries(limits).map(([resource, hard_limit]) => ({ class_name: className, resource, hard_limit }));
  if (rows.length > 0)
    await q(tx)
      .insertInto('nova_quota_class')
      .values(rows)
      .onConflict((c) => c.columns(['class_name', 'resource']).doUpdateSet((e) => ({ hard_limit: e.ref('excluded.hard_limit') })))
      .execute();
}

export async function classLimits(db: Db, className: string): Promise<Record<string, number>> {
  const rows = await q(db).selectFrom('nova_quota_class').select(['resource', 'hard_limit']).where('class_name', '=', className).execute();
  return Object.fromEntries(rows.map((r) => [r.resource, r.hard_limit]));
}

/** How many server groups a project has (and of them the user's). */
export async function countServerGroups(db: Db, projectId: string, userId: string | undefined): Promise<number> {
  let query = q(db)
    .selectFrom('nova_server_group')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('project_id', '=', projectId);
  if (userId !== undefined) query = query.where('user_id', '=', userId);
  return Number((await query.executeTakeFirstOrThrow()).n);
}
