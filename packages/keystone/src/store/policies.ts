import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type ListFilter, listPage, listSpec } from './lists.ts';
import type { KeystoneTables, PolicyTable } from './tables.ts';

const spec = listSpec<PolicyTable>('keystone_policy', { id: 'id', type: 'type' });

export function findPolicy(db: Db, id: string): Promise<PolicyTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_policy').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function listPolicies(db: Db, filters: readonly ListFilter[]): Promise<PolicyTable[]> {
  return (await listPage(db, spec, filters)).rows;
}

export async function insertPolicy(tx: Tx, row: PolicyTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_policy').values(row).execute();
}

export async function updatePolicy(tx: Tx, id: string, change: Partial<Omit<PolicyTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_policy').set(change).where('id', '=', id).execute();
}

export async function deletePolicy(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_policy').where('id', '=', id).execute();
}
