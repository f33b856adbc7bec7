import { type RawBuilder, sql } from 'kysely';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type ListFilter, listPage, listSpec, type Page, type Paging } from './lists.ts';
import type { KeystoneTables, PasswordTable, UserTable } from './tables.ts';

const spec = listSpec<UserTable>('keystone_user', {
  id: 'id',
  name: 'name',
  domain_id: 'domain_id',
  enabled: { column: 'enabled', type: 'boolean' },
});

/** A user with the newest password. */
export interface UserWithPassword extends UserTable {
  readonly password_hash: string | null;
  readonly password_expires_at_ms: number | null;
}

/** `password_expires_at=lt:<time>`. */
export interface PasswordExpiry {
  readonly operator: '<' | '<=' | '>' | '>=' | '=' | '<>';
  readonly atMs: number;
}

const newestPassword = (column: 'password_hash' | 'expires_at_ms'): RawBuilder<never> =>
  sql`(select p.${sql.ref(column)} from keystone_password p where p.user_id = keystone_user.id order by p.ordinal desc limit 1)`;

const withPassword = (db: Db) =>
  on<KeystoneTables>(db)
    .selectFrom('keystone_user')
    .selectAll('keystone_user')
    .select([
      (newestPassword('password_hash') as RawBuilder<string | null>).as('password_hash'),
      (newestPassword('expires_at_ms') as RawBuilder<number | null>).as('password_expires_at_ms'),
    ]);

export function findUser(db: Db, id: string): Promise<UserWithPassword | undefined> {
  return withPassword(db).where('keystone_user.id', '=', id).executeTakeFirst();
}

export function findUserByName(db: Db, name: string, domainId: string): Promise<UserWithPassword | undefined> {
  return withPassword(db)
    .where('keystone_user.domain_id', '=', domainId)
    .where('keystone_user.name', '=', name)
    .where('keystone_user.federated', '=', 0)
    .executeTakeFirst();
}

/** Here, or known by a public id as a user of another program. */
export async function userIsThere(db: Db, id: string): Promise<boolean> {
  const mapped = await on<KeystoneTables>(db).selectFrom('keystone_id_mapping').select('entity_type').where('public_id', '=', id).executeTakeFirst();
  if (mapped?.entity_type === 'user') return true;
  return (await on<KeystoneTables>(db).selectFrom('keystone_user').select('id').where('id', '=', id).executeTakeFirst()) !== undefined;
}

export function listUsers(
  db: Db,
  filters: readonly ListFilter[],
  paging: Paging & { readonly maxLimit: number },
  more: { readonly expiry?: PasswordExpiry; readonly groupId?: string; readonly federated?: FederatedFilter | undefined } = {},
): Promise<Page<UserTable>> {
  const { expiry, groupId, federated } = more;
  return listPage(db, spec, filters, paging, {
    maxLimit: paging.maxLimit,
    where: (query) => {
      let narrowed = query;
      if (expiry) narrowed = narrowed.where(sql<boolean>`${newestPassword('expires_at_ms')} ${sql.raw(expiry.operator)} ${expiry.atMs}`);
      if (groupId) narrowed = narrowed.where(sql<boolean>`keystone_user.id in (select m.user_id from keystone_membership m where m.group_id = ${groupId})`);
      if (federated) narrowed = narrowed.where(isFederatedBy(federated));
      return narrowed;
    },
  });
}

/** By whom, by which protocol and under which id a user comes; what is not set does not narrow. */
export interface FederatedFilter {
  readonly idp_id?: string;
  readonly protocol_id?: string;
  readonly unique_id?: string;
}

function isFederatedBy(filter: FederatedFilter): RawBuilder<boolean> {
  const conditions = Object.entries(filter).map(([column, value]) => sql`${sql.ref(`f.${column}`)} = ${value}`);
  return sql`keystone_user.id in (select f.user_id from keystone_federated_user f where ${sql.join(conditions, sql` and `)})`;
}

/** When each user's password expires; users whose password does not are left out. */
export async function passwordExpiries(db: Db, userIds: readonly string[]): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  if (userIds.length === 0) return found;
  const rows = await on<KeystoneTables>(db)
    .selectFrom('keystone_password')
    .select(['user_id', 'ordinal', 'expires_at_ms'])
    .where('user_id', 'in', userIds)
    .orderBy('user_id')
    .orderBy('ordinal')
    .execute();
  for (const row of rows) {
    if (row.expires_at_ms === null) found.delete(row.user_id);
    else found.set(row.user_id, row.expires_at_ms);
  }
  return found;
}

export async function usersByIds(db: Db, ids: readonly string[]): Promise<UserTable[]> {
  if (ids.length === 0) return [];
  return await on<KeystoneTables>(db).selectFrom('keystone_user').selectAll().where('id', 'in', ids).execute();
}

export async function userIdsOfDomain(db: Db, domainId: string): Promise<string[]> {
  const rows = await on<KeystoneTables>(db).selectFrom('keystone_user').select('id').where('domain_id', '=', domainId).orderBy('id').execute();
  return rows.map((row) => row.id);
}

export async function insertUser(tx: Tx, row: UserTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_user').values(row).execute();
}

export async function updateUser(tx: Tx, id: string, change: Partial<Omit<UserTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_user').set(change).where('id', '=', id).execute();
}

export async function deleteUser(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_password').where('user_id', '=', id).execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_membership').where('user_id', '=', id).execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_federated_user').where('user_id', '=', id).execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_expiring_membership').where('user_id', '=', id).execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_user').where('id', '=', id).execute();
}

/** Adds the newest password; the ones before expire now at the latest, and no more than `kept` of them stay. */
export async function addPassword(tx: Tx, password: Omit<PasswordTable, 'ordinal'>, kept: number): Promise<void> {
  const db = on<KeystoneTables>(tx);
  const before = await db.selectFrom('keystone_password').select('ordinal').where('user_id', '=', password.user_id).orderBy('ordinal', 'desc').execute();
  const ordinal = (before[0]?.ordinal ?? 0) + 1;
  for (const old of before.slice(kept)) {
    await db.deleteFrom('keystone_password').where('user_id', '=', password.user_id).where('ordinal', '=', old.ordinal).execute();
  }
  await db
    .updateTable('keystone_password')
    .set({ expires_at_ms: password.created_at_ms })
    .where('user_id', '=', password.user_id)
    .where((eb) => eb.or([eb('expires_at_ms', 'is', null), eb('expires_at_ms', '>', password.created_at_ms)]))
    .execute();
  await db
    .insertInto('keystone_password')
    .values({ ...password, ordinal })
    .execute();
}

export async function clearDefaultProject(tx: Tx, projectId: string): Promise<void> {
  await on<KeystoneTables>(tx).updateTable('keystone_user').set({ default_project_id: null }).where('default_project_id', '=', projectId).execute();
}
