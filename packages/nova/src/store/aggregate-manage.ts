import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Insertable, Selectable, Updateable } from 'kysely';
import type { AggregateTable, NovaTables } from './tables.ts';

const q = (db: Db) => on<NovaTables>(db);

export type AggregateRow = Selectable<AggregateTable>;

/** By its number, which is the id that the API knows. */
export const findAggregate = (db: Db, seq: number): Promise<AggregateRow | undefined> =>
  q(db).selectFrom('nova_aggregate').selectAll().where('seq', '=', seq).executeTakeFirst();

/** In the order in which they came. */
export const listAggregates = (db: Db): Promise<AggregateRow[]> => q(db).selectFrom('nova_aggregate').selectAll().orderBy('seq').execute();

/** Hosts of each of these aggregates. */
export async function hostsOfAggregates(db: Db, ids: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (ids.length === 0) return new Map();
  const rows = await q(db).selectFrom('nova_aggregate_host').selectAll().where('aggregate_id', 'in', ids).orderBy('host').execute();
  return new Map([...Map.groupBy(rows, (row) => row.aggregate_id)].map(([id, members]) => [id, members.map(({ host }) => host)]));
}

/** The aggregates that any of these hosts is in. */
export async function aggregatesOfHosts(db: Db, hosts: readonly string[]): Promise<readonly AggregateRow[]> {
  if (hosts.length === 0) return [];
  const ids = q(db).selectFrom('nova_aggregate_host').select('aggregate_id').where('host', 'in', hosts);
  return q(db).selectFrom('nova_aggregate').selectAll().where('id', 'in', ids).orderBy('seq').execute();
}

export const insertAggregate = (tx: Tx, row: Insertable<AggregateTable>): Promise<AggregateRow> =>
  q(tx).insertInto('nova_aggregate').values(row).returningAll().executeTakeFirstOrThrow();

export const updateAggregate = (tx: Tx, seq: number, change: Updateable<AggregateTable>): Promise<AggregateRow> =>
  q(tx).updateTable('nova_aggregate').set(change).where('seq', '=', seq).returningAll().executeTakeFirstOrThrow();

export async function deleteAggregate(tx: Tx, seq: number): Promise<void> {
  await q(tx).deleteFrom('nova_aggregate').where('seq', '=', seq).execute();
}

export async function addAggregateHost(tx: Tx, aggregateId: string, host: string): Promise<void> {
  await q(tx).insertInto('nova_aggregate_host').values({ aggregate_id: aggregateId, host }).execute();
}

/** Returns whether the host was in. */
export async function removeAggregateHost(tx: Tx, aggregateId: string, host: string): Promise<boolean> {
  const result = await q(tx).deleteFrom('nova_aggregate_host').where('aggregate_id', '=', aggregateId).where('host', '=', host).executeTakeFirst();
  return Number(result.numDeletedRows) > 0;
}

/** How many live servers these hosts have. */
export async function countServersOnHosts(db: Db, hosts: readonly string[]): Promise<number> {
  if (hosts.length === 0) return 0;
  const row = await q(db)
    .selectFrom('nova_server')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('host', 'in', hosts)
    .where('deleted', '=', 0)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}
