import type { ListQuery } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import type { CinderTables } from './tables.ts';

export type Pairs = Readonly<Record<string, string>>;
export type MetadataKind = 'user' | 'image' | 'snapshot' | 'backup';

/** Makes the searchable pairs of a resource exactly these; its row's JSON is the caller's to write. */
export async function indexPairs(tx: Tx, ownerId: string, kind: MetadataKind, pairs: Pairs): Promise<void> {
  const q = on<CinderTables>(tx);
  await q.deleteFrom('cinder_metadata').where('owner_id', '=', ownerId).where('kind', '=', kind).execute();
  const rows = Object.entries(pairs).map(([key, value]) => ({ owner_id: ownerId, kind, key, value }));
  if (rows.length > 0) await q.insertInto('cinder_metadata').values(rows).execute();
}

export async function dropPairs(tx: Tx, ownerId: string): Promise<void> {
  await on<CinderTables>(tx).deleteFrom('cinder_metadata').where('owner_id', '=', ownerId).execute();
}

/** Keeps the rows of a list query that have every pair. */
export function havingPairs(query: ListQuery, table: string, kind: MetadataKind, pairs: Pairs): ListQuery {
  let narrowed = query;
  for (const [key, value] of Object.entries(pairs)) {
    narrowed = narrowed.where(
      sql<boolean>`exists (select 1 from cinder_metadata where cinder_metadata.owner_id = ${sql.ref(`${table}.id`)} and cinder_metadata.kind = ${kind} and cinder_metadata.key = ${key} and cinder_metadata.value = ${value})`,
    );
  }
  return narrowed;
}

/** Every key of the user metadata of volumes with its different values; of one project, or of all. */
export async function distinctPairs(db: Db, projectId: string | undefined): Promise<Record<string, string[]>> {
  let query = on<CinderTables>(db)
    .selectFrom('cinder_metadata')
    .innerJoin('cinder_volume', 'cinder_volume.id', 'cinder_metadata.owner_id')
    .select(['cinder_metadata.key', 'cinder_metadata.value'])
    .distinct()
    .where('cinder_metadata.kind', '=', 'user')
    .orderBy('cinder_metadata.key')
    .orderBy('cinder_metadata.value');
  if (projectId !== undefined) query = query.where('cinder_volume.project_id', '=', projectId);
  const found: Record<string, string[]> = {};
  for (const { key, value } of await query.execute()) (found[key] ??= []).push(value);
  return found;
}
