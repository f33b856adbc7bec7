import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { AssignmentTable, AssignmentType, KeystoneTables } from './tables.ts';

export const SYSTEM_TARGET = 'system';

/** Conditions of a listing; absent ones do not narrow it. */
export interface AssignmentQuery {
  readonly types?: readonly AssignmentType[];
  readonly actorIds?: readonly string[];
  readonly targetIds?: readonly string[];
  readonly roleId?: string;
  readonly inherited?: boolean;
}

export async function findAssignments(db: Db, query: AssignmentQuery): Promise<AssignmentTable[]> {
  const { types, actorIds, targetIds, roleId, inherited } = query;
  if (actorIds?.length === 0 || targetIds?.length === 0 || types?.length === 0) return [];
  let select = on<KeystoneTables>(db).selectFrom('keystone_assignment').selectAll();
  if (types) select = select.where('type', 'in', types);
  if (actorIds) select = select.where('actor_id', 'in', actorIds);
  if (targetIds) select = select.where('target_id', 'in', targetIds);
  if (roleId !== undefined) select = select.where('role_id', '=', roleId);
  if (inherited !== undefined) select = select.where('inherited', '=', inherited ? 1 : 0);
  return await select.orderBy('actor_id').orderBy('target_id').orderBy('type').orderBy('role_id').orderBy('inherited').execute();
}

export async function hasAssignment(db: Db, row: AssignmentTable): Promise<boolean> {
  const found = await on<KeystoneTables>(db)
    .selectFrom('keystone_assignment')
    .select('role_id')
    .where('actor_id', '=', row.actor_id)
    .where('target_id', '=', row.target_id)
    .where('type', '=', row.type)
    .where('role_id', '=', row.role_id)
    .where('inherited', '=', row.inherited)
    .executeTakeFirst();
  return found !== undefined;
}

/** Does nothing for an assignment that is there. */
export async function insertAssignment(tx: Tx, row: AssignmentTable): Promise<void> {
  await on<KeystoneTables>(tx)
    .insertInto('keystone_assignment')
    .values(row)
    .onConflict((conflict) => conflict.columns(['actor_id', 'target_id', 'type', 'role_id', 'inherited']).doNothing())
    .execute();
}

export async function deleteAssignment(tx: Tx, row: AssignmentTable): Promise<boolean> {
  const result = await on<KeystoneTables>(tx)
    .deleteFrom('keystone_assignment')
    .where('actor_id', '=', row.actor_id)
    .where('target_id', '=', row.target_id)
    .where('type', '=', row.type)
    .where('role_id', '=', row.role_id)
    .where('inherited', '=', row.inherited)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

/** Removes all of an actor, of a target, or of a role; returns what it removed. */
export async function deleteAssignments(
  tx: Tx,
  by: { readonly actorId: string } | { readonly targetId: string } | { readonly roleId: string },
): Promise<AssignmentTable[]> {
  const [column, value] =
    'actorId' in by ? (['actor_id', by.actorId] as const) : 'targetId' in by ? (['target_id', by.targetId] as const) : (['role_id', by.roleId] as const);
  return await on<KeystoneTables>(tx).deleteFrom('keystone_assignment').where(column, '=', value).returningAll().execute();
}
