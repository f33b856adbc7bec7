import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { KeystoneTables, PolicyAssociationTable } from './tables.ts';

/** What a policy is associated with; '' where a part does not count. */
export type AssociationKey = Omit<PolicyAssociationTable, 'policy_id'>;

export async function policyIdOf(db: Db, key: AssociationKey): Promise<string | undefined> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_policy_association')
    .select('policy_id')
    .where('endpoint_id', '=', key.endpoint_id)
    .where('service_id', '=', key.service_id)
    .where('region_id', '=', key.region_id)
    .executeTakeFirst();
  return row?.policy_id;
}

/** A second policy takes the place of the first. */
export async function putAssociation(tx: Tx, row: PolicyAssociationTable): Promise<void> {
  await on<KeystoneTables>(tx)
    .insertInto('keystone_policy_association')
    .values(row)
    .onConflict((conflict) => conflict.columns(['endpoint_id', 'service_id', 'region_id']).doUpdateSet({ policy_id: row.policy_id }))
    .execute();
}

export async function deleteAssociation(tx: Tx, row: PolicyAssociationTable): Promise<void> {
  await on<KeystoneTables>(tx)
    .deleteFrom('keystone_policy_association')
    .where('endpoint_id', '=', row.endpoint_id)
    .where('service_id', '=', row.service_id)
    .where('region_id', '=', row.region_id)
    .where('policy_id', '=', row.policy_id)
    .execute();
}

export async function associationsOfPolicy(db: Db, policyId: string): Promise<PolicyAssociationTable[]> {
  return await on<KeystoneTables>(db)
    .selectFrom('keystone_policy_association')
    .selectAll()
    .where('policy_id', '=', policyId)
    .orderBy('endpoint_id')
    .orderBy('service_id')
    .orderBy('region_id')
    .execute();
}

/** Associations of what is removed. */
export async function deleteAssociationsOf(tx: Tx, column: 'endpoint_id' | 'service_id' | 'region_id' | 'policy_id', ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await on<KeystoneTables>(tx).deleteFrom('keystone_policy_association').where(column, 'in', ids).execute();
}
