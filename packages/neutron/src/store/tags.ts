import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { TagTable } from '@cairn/kit/store/list-filter';
import { sql } from 'kysely';
import type { NeutronTables } from './tables.ts';

export const TAGS: TagTable = { table: 'neutron_tag', owner: 'resource_id', tag: 'tag' };

/** Writes a resource's tags: those that are shown, and their index. */
export async function writeTags(tx: Tx, table: string, collection: string, id: string, before: readonly string[], after: readonly string[]): Promise<void> {
  const db = on<NeutronTables>(tx);
  const gone = before.filter((tag) => !after.includes(tag));
  const come = after.filter((tag) => !before.includes(tag));
  for (const tag of gone) await db.deleteFrom('neutron_tag').where('resource_id', '=', id).where('tag', '=', tag).execute();
  await indexTags(tx, collection, id, come);
  if (gone.length + come.length > 0) await sql`update ${sql.table(table)} set tags_json = ${JSON.stringify(after)} where id = ${id}`.execute(tx.kysely);
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

export async function tagsOf(db: Db, table: string, id: string): Promise<string[]> {
  const { rows } = await sql<{ tags_json: string }>`select tags_json from ${sql.table(table)} where id = ${id}`.execute(db.kysely);
  return rows[0] ? (JSON.parse(rows[0].tags_json) as string[]) : [];
}
