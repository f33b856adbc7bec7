import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type RawBuilder, sql } from 'kysely';
import { among } from './select.ts';
import type { NeutronTables, RbacRow } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const SHARED = 'access_as_shared';
export const EXTERNAL = 'access_as_external';

/** The ids of objects that a project may use because they are shared with it or with everybody, as a subquery. */
export const sharedIds = (objectType: string, projectId: string, actions: readonly string[] = [SHARED]): RawBuilder<unknown> =>
  sql`(select object_id from neutron_rbac where object_type = ${objectType} and target_project in ('*', ${projectId}) and action in (${sql.join([...actions])}))`;

/** Which of these objects are shared with a project (with everybody, for nobody's eyes)? */
export async function sharedAmong(db: Db, objectIds: readonly string[], projectId: string | undefined): Promise<ReadonlySet<string>> {
  if (objectIds.length === 0) return new Set();
  const { rows } = await sql<{
    object_id: string;
  }>`select object_id from neutron_rbac where ${among(db, sql.ref('object_id'), objectIds)} and action = ${SHARED} and target_project in ('*', ${
    projectId ?? '*'
  })`.execute(db.kysely);
  return new Set(rows.map((row) => row.object_id));
}

export const insertRbac = (tx: Tx, row: RbacRow) => tables(tx).insertInto('neutron_rbac').values(row).execute();

export async function removeRbac(tx: Tx, objectId: string, action: string, targetProject?: string): Promise<void> {
  let query = tables(tx).deleteFrom('neutron_rbac').where('object_id', '=', objectId).where('action', '=', action);
  if (targetProject !== undefined) query = query.where('target_project', '=', targetProject);
  await query.execute();
}

export const removeRbacOf = (tx: Tx, objectId: string) => tables(tx).deleteFrom('neutron_rbac').where('object_id', '=', objectId).execute();

/** The projects that an object is shared with. */
export async function targetsOf(db: Db, objectId: string, action: string): Promise<string[]> {
  const rows = await tables(db).selectFrom('neutron_rbac').select('target_project').where('object_id', '=', objectId).where('action', '=', action).execute();
  return rows.map((row) => row.target_project);
}
