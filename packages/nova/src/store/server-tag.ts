import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';

/** A server's tags in the order of the alphabet, as upstream's primary key gives them. */
export async function tagsOf(db: Db, serverId: string): Promise<readonly string[]> {
  const rows = await on<NovaTables>(db).selectFrom('nova_server_tag').select('tag').where('server_id', '=', serverId).orderBy('tag').execute();
  return rows.map((row) => row.tag);
}

export async function tagsOfServers(db: Db, serverIds: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> {
  if (serverIds.length === 0) return new Map();
  const rows = await on<NovaTables>(db).selectFrom('nova_server_tag').selectAll().where('server_id', 'in', serverIds).orderBy('tag').execute();
  const tags = new Map<string, string[]>();
  for (const row of rows) {
    const list = tags.get(row.server_id);
    if (list === undefined) tags.set(row.server_id, [row.tag]);
    else list.push(row.tag);
  }
  return tags;
}

export async function insertTags(tx: Tx, rows: readonly { readonly server_id: string; readonly tag: string }[]): Promise<void> {
  if (rows.length > 0)
    await on<NovaTables>(tx)
      .insertInto('nova_server_tag')
      .values(rows)
      .onConflict((conflict) => conflict.doNothing())
      .execute();
}

/** True when it was there. */
export async function removeTag(tx: Tx, serverId: string, tag: string): Promise<boolean> {
  const done = await on<NovaTables>(tx).deleteFrom('nova_server_tag').where('server_id', '=', serverId).where('tag', '=', tag).executeTakeFirst();
  return done.numDeletedRows > 0n;
}

export async function removeTagsOf(tx: Tx, serverId: string): Promise<void> {
  await on<NovaTables>(tx).deleteFrom('nova_server_tag').where('server_id', '=', serverId).execute();
}
