import type { ListSpec } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type ListFilter, listPage, listSpec } from './lists.ts';
import type { AccessRuleTable, ApplicationCredentialTable, KeystoneTables } from './tables.ts';

const spec = listSpec<ApplicationCredentialTable>('keystone_application_credential', { id: 'id', name: 'name', user_id: 'user_id' });
const ruleSpec: ListSpec<AccessRuleTable> = {
  ...listSpec<AccessRuleTable>('keystone_access_rule', {
    id: 'id',
    user_id: 'user_id',
    service: 'service',
    path: 'path',
    method: 'method',
    sequence: { column: 'sequence', type: 'integer' },
  }),
  defaultSort: [{ field: 'sequence', direction: 'asc' }],
};

/** An application credential with what it grants. */
export interface StoredApplicationCredential extends ApplicationCredentialTable {
  readonly roleIds: readonly string[];
  readonly accessRules: readonly AccessRuleTable[];
}

async function complete(db: Db, row: ApplicationCredentialTable): Promise<StoredApplicationCredential> {
  const roles = await on<KeystoneTables>(db)
    .selectFrom('keystone_application_credential_role')
    .select('role_id')
    .where('application_credential_id', '=', row.id)
    .orderBy('role_id')
    .execute();
  const accessRules = await on<KeystoneTables>(db)
    .selectFrom('keystone_access_rule')
    .innerJoin('keystone_application_credential_access_rule as link', 'link.access_rule_id', 'keystone_access_rule.id')
    .selectAll('keystone_access_rule')
    .where('link.application_credential_id', '=', row.id)
    .orderBy('keystone_access_rule.sequence')
    .orderBy('keystone_access_rule.id')
    .execute();
  return { ...row, roleIds: roles.map((role) => role.role_id), accessRules };
}

export async function findApplicationCredential(db: Db, id: string): Promise<StoredApplicationCredential | undefined> {
  const row = await on<KeystoneTables>(db).selectFrom('keystone_application_credential').selectAll().where('id', '=', id).executeTakeFirst();
  return row && (await complete(db, row));
}

export async function findApplicationCredentialByName(db: Db, userId: string, name: string): Promise<StoredApplicationCredential | undefined> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_application_credential')
    .selectAll()
    .where('user_id', '=', userId)
    .where('name', '=', name)
    .executeTakeFirst();
  return row && (await complete(db, row));
}

export async function countApplicationCredentials(db: Db, userId: string): Promise<number> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_application_credential')
    .select((eb) => eb.fn.countAll().as('n'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export async function listApplicationCredentials(db: Db, filters: readonly ListFilter[]): Promise<StoredApplicationCredential[]> {
  const { rows } = await listPage(db, spec, filters);
  return await Promise.all(rows.map((row) => complete(db, row)));
}

export async function insertApplicationCredential(
  tx: Tx,
  row: ApplicationCredentialTable,
  roleIds: readonly string[],
  accessRuleIds: readonly string[],
): Promise<void> {
  const db = on<KeystoneTables>(tx);
  await db.insertInto('keystone_application_credential').values(row).execute();
  for (const roleId of roleIds) {
    await db.insertInto('keystone_application_credential_role').values({ application_credential_id: row.id, role_id: roleId }).execute();
  }
  for (const ruleId of accessRuleIds) {
    await db.insertInto('keystone_application_credential_access_rule').values({ application_credential_id: row.id, access_rule_id: ruleId }).execute();
  }
}

/** Removes those of a user, of a project, or of a user on a project; returns their ids. */
export async function deleteApplicationCredentials(
  tx: Tx,
  of: { readonly id?: string; readonly userId?: string; readonly projectId?: string },
): Promise<string[]> {
  const db = on<KeystoneTables>(tx);
  let select = db.selectFrom('keystone_application_credential').select('id');
  if (of.id !== undefined) select = select.where('id', '=', of.id);
  if (of.userId !== undefined) select = select.where('user_id', '=', of.userId);
  if (of.projectId !== undefined) select = select.where('project_id', '=', of.projectId);
  const ids = (await select.execute()).map((row) => row.id);
  if (ids.length === 0) return [];
  await db.deleteFrom('keystone_application_credential_role').where('application_credential_id', 'in', ids).execute();
  await db.deleteFrom('keystone_application_credential_access_rule').where('application_credential_id', 'in', ids).execute();
  await db.deleteFrom('keystone_application_credential').where('id', 'in', ids).execute();
  return ids;
}

export function findAccessRule(db: Db, id: string): Promise<AccessRuleTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_access_rule').selectAll().where('id', '=', id).executeTakeFirst();
}

export function findSameAccessRule(db: Db, rule: Omit<AccessRuleTable, 'id' | 'sequence'>): Promise<AccessRuleTable | undefined> {
  return on<KeystoneTables>(db)
    .selectFrom('keystone_access_rule')
    .selectAll()
    .where('user_id', '=', rule.user_id)
    .where('service', '=', rule.service)
    .where('path', '=', rule.path)
    .where('method', '=', rule.method)
    .executeTakeFirst();
}

export async function listAccessRules(db: Db, filters: readonly ListFilter[]): Promise<AccessRuleTable[]> {
  return (await listPage(db, ruleSpec, filters)).rows;
}

/** Adds a rule behind those that the user has. */
export async function insertAccessRule(tx: Tx, row: Omit<AccessRuleTable, 'sequence'>): Promise<void> {
  const db = on<KeystoneTables>(tx);
  const last = await db
    .selectFrom('keystone_access_rule')
    .select((eb) => eb.fn.max('sequence').as('sequence'))
    .where('user_id', '=', row.user_id)
    .executeTakeFirst();
  await db
    .insertInto('keystone_access_rule')
    .values({ ...row, sequence: Number(last?.sequence ?? 0) + 1 })
    .execute();
}

export async function accessRuleInUse(db: Db, id: string): Promise<boolean> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_application_credential_access_rule')
    .select('access_rule_id')
    .where('access_rule_id', '=', id)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function deleteAccessRules(tx: Tx, of: { readonly id: string } | { readonly userId: string }): Promise<void> {
  const remove = on<KeystoneTables>(tx).deleteFrom('keystone_access_rule');
  await ('id' in of ? remove.where('id', '=', of.id) : remove.where('user_id', '=', of.userId)).execute();
}
