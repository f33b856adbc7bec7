import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type ListFilter, listPage, listSpec } from './lists.ts';
import type { CredentialTable, KeystoneTables } from './tables.ts';

const spec = listSpec<CredentialTable>('keystone_credential', { id: 'id', user_id: 'user_id', type: 'type', key_hash: 'key_hash' });

export function findCredential(db: Db, id: string): Promise<CredentialTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_credential').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function listCredentials(db: Db, filters: readonly ListFilter[]): Promise<CredentialTable[]> {
  return (await listPage(db, spec, filters)).rows;
}

export async function countCredentials(db: Db, userId: string): Promise<number> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_credential')
    .select((eb) => eb.fn.countAll().as('n'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export async function insertCredential(tx: Tx, row: CredentialTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_credential').values(row).execute();
}

export async function updateCredential(tx: Tx, id: string, change: Partial<Omit<CredentialTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_credential').set(change).where('id', '=', id).execute();
}

export async function deleteCredential(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_credential').where('id', '=', id).execute();
}

export async function deleteCredentialsOf(tx: Tx, owner: { readonly userId: string } | { readonly projectId: string }): Promise<void> {
  const remove = on<KeystoneTables>(tx).deleteFrom('keystone_credential');
  await ('userId' in owner ? remove.where('user_id', '=', owner.userId) : remove.where('project_id', '=', owner.projectId)).execute();
}

/** Credentials that another key than `keyHash` encrypted, at most `limit`. */
export function credentialsOfOtherKeys(db: Db, keyHash: string, limit: number): Promise<CredentialTable[]> {
  return on<KeystoneTables>(db).selectFrom('keystone_credential').selectAll().where('key_hash', '<>', keyHash).orderBy('id').limit(limit).execute();
}
