import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { TagTable } from '@cairn/kit/store/list-filter';
import { sql } from 'kysely';
import type { NeutronTables, StandardColumns } from './tables.ts';

export const TAGS: TagTable = { table: 'neutron_tag', owner: 'resource_id', tag: 'tag' };

/** Writes a resource's tags: those that are shown, and their index. */
export async function writeTags(
  tx: Tx,
  table: string,
  collection: string,
  id: string,
  before: readonly string[],
  after: readonly string[],
  change: Pick<StandardColumns, 'updated_at_ms' | 'revision_number'>,
): Promise<void> {
  const db = on<NeutronTables>(tx);
  const gone = before.filter((tag) => !after.includes(tag));
  const come = after.filter((tag) => !before.includes(tag));
  if (gone.length + come.length === 0) return;
  if (gone.length > 0) await db.deleteFrom('neutron_tag').where('resource_id', '=', id).where('tag', 'in', gone).execute();
  await indexTags(tx, collection, id, come);
  await sql`update ${sql.table(table)} set tags_json = ${JSON.stringify(after)}, updated_at_ms = ${change.updated_at_ms}, revision_number = ${
    change.revision_number
  } where id = ${id}`.execute(tx.kysely);
}

/** Writes the index of the tags of a new resource. */
export async function indexTags(tx: Tx, collection: string, id: string, tags: readonly string[]): Promise<void> {
  if (tags.length === 0) return;
  await on<NeutronTables>(tx)
    .insertInto('neutron_tag')
    .values(tags.map((tag) => ({ resource_id: id, tag, resource_type: collection })))
    .execute();
}

/** For resources that go. */
export const dropTags = (tx: Tx, id: string) => on<NeutronTables>(tx).deleteFrom('neutron_tag').where('resource_id', '=', id).execute();

/** A resource with tags. */
export async function findTagged(db: Db, table: string, id: string): Promise<(StandardColumns & { tags_json: string }) | undefined> {
  const { rows } = await sql<StandardColumns & { tags_json: string }>`select * from ${sql.table(table)} where id = ${id}`.execute(db.kysely);
  return rows[0];
}
