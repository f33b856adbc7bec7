import { findRow } from '@cairn/kit/store/rows';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import type { NeutronTables } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);

/** The resources that quotas count, with their tables. */
const COUNTED: Readonly<Record<string, string>> = {
  network: 'neutron_network',
  subnet: 'neutron_subnet',
  subnetpool: 'neutron_subnetpool',
  port: 'neutron_port',
  router: 'neutron_router',
  floatingip: 'neutron_floatingip',
  security_group: 'neutron_security_group',
  security_group_rule: 'neutron_security_group_rule',
  rbac_policy: 'neutron_rbac',
  trunk: 'neutron_trunk',
};

/** How many a project has, counted from its rows by index; counting stops at `stopAt`. */
export async function countUsed(db: Db, resource: string, projectId: string, stopAt?: number): Promise<number> {
  const table = COUNTED[resource];
  if (table === undefined) return 0;
  const limit = stopAt === undefined ? sql`` : sql` limit ${sql.lit(stopAt)}`;
  const { rows } = await sql<{
    used: number;
  }>`select count(*) as used from (select 1 from ${sql.table(table)} where project_id = ${projectId}${limit}) as counted`.execute(db.kysely);
  return Number(rows[0]?.used ?? 0);
}

/** The limits that were set for a project. */
export async function limitsOf(db: Db, projectId: string): Promise<Map<string, number>> {
  const rows = await tables(db).selectFrom('neutron_quota').select(['resource', 'hard_limit']).where('project_id', '=', projectId).execute();
  return new Map(rows.map((row) => [row.resource, row.hard_limit]));
}

export async function limitOf(db: Db, projectId: string, resource: string): Promise<number | undefined> {
  const row = await findRow<{ hard_limit: number }>(db, 'neutron_quota', { project_id: projectId, resource }, { columns: ['hard_limit'] });
  return row?.hard_limit;
}

/** All limits that were set, by project. */
export const allLimits = (db: Db) => tables(db).selectFrom('neutron_quota').selectAll().orderBy('project_id').execute();

export async function setLimit(tx: Tx, projectId: string, resource: string, limit: number): Promise<void> {
  await tables(tx)
    .insertInto('neutron_quota')
    .values({ project_id: projectId, resource, hard_limit: limit })
    .onConflict((c) => c.columns(['project_id', 'resource']).doUpdateSet({ hard_limit: limit }))
    .execute();
}

/** Forgets a project's own limits; false where it had none. */
export async function clearLimits(tx: Tx, projectId: string): Promise<boolean> {
  const result = await tables(tx).deleteFrom('neutron_quota').where('project_id', '=', projectId).executeTakeFirst();
  return result.numDeletedRows > 0n;
}
