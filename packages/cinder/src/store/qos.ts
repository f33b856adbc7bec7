import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { findRow } from '@cairn/kit/store/rows';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CinderTables, EncryptionRow, QosRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export const QOS: ListSpec<QosRow> = {
  table: 'cinder_qos',
  id: 'id',
  columns: {
    id: 'id',
    name: 'name',
    consumer: 'consumer',
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
  },
  defaultSort: [{ field: 'created_at', direction: 'desc' }],
};

export const pageOfQos = (db: Db, request: ListRequest, spec: ListSpec<QosRow>): Promise<ListPage<QosRow>> => listRows(db, spec, request);
export const qosById = (db: Db, id: string): Promise<QosRow | undefined> => q(db).selectFrom('cinder_qos').selectAll().where('id', '=', id).executeTakeFirst();
export const qosByName = (db: Db, name: string): Promise<QosRow | undefined> =>
  q(db).selectFrom('cinder_qos').selectAll().where('name', '=', name).executeTakeFirst();
export async function insertQos(tx: Tx, row: QosRow): Promise<void> {
  await q(tx).insertInto('cinder_qos').values(row).execute();
}
export async function updateQos(tx: Tx, id: string, set: Partial<QosRow>, nowMs: number): Promise<void> {
  await q(tx)
    .updateTable('cinder_qos')
    .set({ updated_at_ms: nowMs, ...set })
    .where('id', '=', id)
    .execute();
}
export async function deleteQosRow(tx: Tx, id: string): Promise<void> {
  await q(tx).deleteFrom('cinder_qos').where('id', '=', id).execute();
}
/** The volume types that have these QoS specs. */
export const typesOfQos = (db: Db, id: string): Promise<{ id: string; name: string }[]> =>
  q(db).selectFrom('cinder_type').select(['id', 'name']).where('qos_specs_id', '=', id).orderBy('id').execute();
export async function clearQosOfTypes(tx: Tx, id: string): Promise<void> {
  await q(tx).updateTable('cinder_type').set({ qos_specs_id: null }).where('qos_specs_id', '=', id).execute();
}

export const encryptionOf = (db: Db, typeId: string): Promise<EncryptionRow | undefined> =>
  findRow<EncryptionRow>(db, 'cinder_encryption', { type_id: typeId });
export async function insertEncryption(tx: Tx, row: EncryptionRow): Promise<void> {
  await q(tx).insertInto('cinder_encryption').values(row).execute();
}
export async function updateEncryption(tx: Tx, typeId: string, set: Partial<EncryptionRow>, nowMs: number): Promise<boolean> {
  const result = await q(tx)
    .updateTable('cinder_encryption')
    .set({ updated_at_ms: nowMs, ...set })
    .where('type_id', '=', typeId)
    .executeTakeFirst();
  return Number(result.numUpdatedRows) > 0;
}
export async function deleteEncryption(tx: Tx, typeId: string): Promise<boolean> {
  return Number((await q(tx).deleteFrom('cinder_encryption').where('type_id', '=', typeId).executeTakeFirst()).numDeletedRows) > 0;
}
