import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { ExpiringMembershipTable, FederatedUserTable, KeystoneTables } from './tables.ts';

const db = (handle: Db) => on<KeystoneTables>(handle);

/** Who an identity provider's user is here. */
export const findFederatedUser = (handle: Db, idpId: string, protocolId: string, uniqueId: string): Promise<FederatedUserTable | undefined> =>
  db(handle)
    .selectFrom('keystone_federated_user')
    .selectAll()
    .where('idp_id', '=', idpId)
    .where('protocol_id', '=', protocolId)
    .where('unique_id', '=', uniqueId)
    .executeTakeFirst();

export const federatedRowsOf = (handle: Db, userId: string): Promise<FederatedUserTable[]> =>
  db(handle).selectFrom('keystone_federated_user').selectAll().where('user_id', '=', userId).orderBy('idp_id').orderBy('protocol_id').execute();

export async function insertFederatedUser(tx: Tx, row: FederatedUserTable): Promise<void> {
  await db(tx).insertInto('keystone_federated_user').values(row).execute();
}

export async function setDisplayName(tx: Tx, row: FederatedUserTable, name: string): Promise<void> {
  await db(tx)
    .updateTable('keystone_federated_user')
    .set({ display_name: name })
    .where('idp_id', '=', row.idp_id)
    .where('protocol_id', '=', row.protocol_id)
    .where('unique_id', '=', row.unique_id)
    .execute();
}

export async function deleteFederatedRowsOf(tx: Tx, userId: string): Promise<void> {
  await db(tx).deleteFrom('keystone_federated_user').where('user_id', '=', userId).execute();
}

/** Forgets who came by an identity provider, or by one protocol of it; returns the users that nothing else names. */
export async function deleteFederatedRowsBy(tx: Tx, idpId: string, protocolId?: string): Promise<string[]> {
  let query = db(tx).deleteFrom('keystone_federated_user').where('idp_id', '=', idpId);
  if (protocolId !== undefined) query = query.where('protocol_id', '=', protocolId);
  const userIds = [...new Set((await query.returning('user_id').execute()).map((row) => row.user_id))];
  const orphans: string[] = [];
  for (const userId of userIds) {
    const row = await db(tx)
      .selectFrom('keystone_user')
      .select('id')
      .where('id', '=', userId)
      .where('federated', '=', 1)
      .where((eb) => eb.not(eb.exists(eb.selectFrom('keystone_federated_user as f').select('f.user_id').whereRef('f.user_id', '=', 'keystone_user.id'))))
      .executeTakeFirst();
    if (row) orphans.push(row.id);
  }
  return orphans;
}

// memberships that a mapping gave, for a while

/** All of a user that one identity provider gave, ended ones included. */
export const expiringMembershipsOf = (handle: Db, userId: string, idpId: string): Promise<ExpiringMembershipTable[]> =>
  db(handle).selectFrom('keystone_expiring_membership').selectAll().where('user_id', '=', userId).where('idp_id', '=', idpId).execute();

/** When each of a user's memberships ends that has not ended yet, by group: the latest counts. */
export async function expiriesOf(handle: Db, userId: string, nowMs: number): Promise<Map<string, number>> {
  const rows = await db(handle)
    .selectFrom('keystone_expiring_membership')
    .select(['group_id', 'expires_at_ms'])
    .where('user_id', '=', userId)
    .where('expires_at_ms', '>', nowMs)
    .orderBy('expires_at_ms')
    .execute();
  return new Map(rows.map((row) => [row.group_id, row.expires_at_ms]));
}

export async function putExpiringMembership(tx: Tx, row: ExpiringMembershipTable): Promise<void> {
  await db(tx)
    .insertInto('keystone_expiring_membership')
    .values(row)
    .onConflict((conflict) =>
      conflict.columns(['user_id', 'group_id', 'idp_id']).doUpdateSet({ last_verified_at_ms: row.last_verified_at_ms, expires_at_ms: row.expires_at_ms }),
    )
    .execute();
}

export async function deleteExpiringMemberships(
  tx: Tx,
  by: { readonly userId: string; readonly groupId?: string; readonly idpId?: string } | { readonly groupId: string } | { readonly idpId: string },
): Promise<string[]> {
  let query = db(tx).deleteFrom('keystone_expiring_membership');
  if ('userId' in by) query = query.where('user_id', '=', by.userId);
  if ('groupId' in by && by.groupId !== undefined) query = query.where('group_id', '=', by.groupId);
  if ('idpId' in by && by.idpId !== undefined) query = query.where('idp_id', '=', by.idpId);
  return [...new Set((await query.returning('user_id').execute()).map((row) => row.user_id))];
}

/** An identity provider's memberships live longer or shorter from now on; returns whose. */
export async function moveExpiries(tx: Tx, idpId: string, ttlMs: number): Promise<string[]> {
  const rows = await db(tx)
    .updateTable('keystone_expiring_membership')
    .set((eb) => ({ expires_at_ms: eb('last_verified_at_ms', '+', ttlMs) }))
    .where('idp_id', '=', idpId)
    .returning('user_id')
    .execute();
  return [...new Set(rows.map((row) => row.user_id))];
}
