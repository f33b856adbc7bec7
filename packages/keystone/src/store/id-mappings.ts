import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { IdMappingTable, KeystoneTables } from './tables.ts';

export type EntityType = IdMappingTable['entity_type'];

/** Ids compared at once. */
const CHUNK = 400;

export function findMapping(db: Db, publicId: string): Promise<IdMappingTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_id_mapping').selectAll().where('public_id', '=', publicId).executeTakeFirst();
}

/** Public ids by local ids; those without one are left out. */
export async function publicIdsOf(db: Db, domainId: string, type: EntityType, localIds: readonly string[]): Promise<Map<string, string>> {
  const found = new Map<string, string>();
  for (let at = 0; at < localIds.length; at += CHUNK) {
    const rows = await on<KeystoneTables>(db)
      .selectFrom('keystone_id_mapping')
      .select(['public_id', 'local_id'])
      .where('domain_id', '=', domainId)
      .where('entity_type', '=', type)
      .where('local_id', 'in', localIds.slice(at, at + CHUNK))
      .execute();
    for (const row of rows) found.set(row.local_id, row.public_id);
  }
  return found;
}

/** Those that are there stay as they are. */
export async function insertMappings(tx: Tx, rows: readonly IdMappingTable[]): Promise<void> {
  for (let at = 0; at < rows.length; at += CHUNK) {
    await on<KeystoneTables>(tx)
      .insertInto('keystone_id_mapping')
      .values(rows.slice(at, at + CHUNK))
      .onConflict((conflict) => conflict.doNothing())
      .execute();
  }
}

export async function mappingsOfDomain(db: Db, domainId: string): Promise<IdMappingTable[]> {
  return await on<KeystoneTables>(db).selectFrom('keystone_id_mapping').selectAll().where('domain_id', '=', domainId).orderBy('public_id').execute();
}

export async function deleteMappingsOfDomain(tx: Tx, domainId: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_id_mapping').where('domain_id', '=', domainId).execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_nonlocal_user').where('domain_id', '=', domainId).execute();
}

/** Remembers that a user of another program was here, and on which day. */
export async function sawNonlocalUser(
  tx: Tx,
  user: { readonly id: string; readonly domainId: string; readonly name: string },
  nowMs: number,
  dayMs: number,
): Promise<void> {
  await on<KeystoneTables>(tx)
    .insertInto('keystone_nonlocal_user')
    .values({ user_id: user.id, domain_id: user.domainId, name: user.name, created_at_ms: nowMs, last_active_at_ms: dayMs })
    .onConflict((conflict) => conflict.column('user_id').doUpdateSet({ name: user.name, last_active_at_ms: dayMs }))
    .execute();
}
