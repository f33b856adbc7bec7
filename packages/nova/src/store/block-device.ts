import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Insertable, Selectable, Updateable } from 'kysely';
import type { BlockDeviceTable, NovaTables } from './tables.ts';

export type BlockDeviceRow = Selectable<BlockDeviceTable>;
export type NewBlockDevice = Insertable<BlockDeviceTable>;

/** True for what upstream counts as a block device mapping: neither config drive nor rescue disk. */
export const isMapping = (device: { readonly source_type: string }): boolean => device.source_type !== 'files' && device.source_type !== 'rescue';

export async function blockDevicesOf(db: Db, serverId: string): Promise<readonly BlockDeviceRow[]> {
  return await on<NovaTables>(db).selectFrom('nova_block_device').selectAll().where('server_id', '=', serverId).orderBy('seq').execute();
}

export async function blockDevicesOfServers(db: Db, serverIds: readonly string[]): Promise<ReadonlyMap<string, readonly BlockDeviceRow[]>> {
  if (serverIds.length === 0) return new Map();
  const rows = await on<NovaTables>(db).selectFrom('nova_block_device').selectAll().where('server_id', 'in', serverIds).orderBy('seq').execute();
  return Map.groupBy(rows, (row) => row.server_id);
}

export async function blockDevicesOfVolume(db: Db, volumeId: string): Promise<readonly BlockDeviceRow[]> {
  return await on<NovaTables>(db).selectFrom('nova_block_device').selectAll().where('volume_id', '=', volumeId).orderBy('seq').execute();
}

export async function findBlockDevice(db: Db, id: string): Promise<BlockDeviceRow | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_block_device').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertBlockDevices(tx: Tx, rows: readonly NewBlockDevice[]): Promise<void> {
  if (rows.length > 0) await on<NovaTables>(tx).insertInto('nova_block_device').values(rows).execute();
}

export async function patchBlockDevice(tx: Tx, id: string, patch: Updateable<BlockDeviceTable>): Promise<void> {
  await on<NovaTables>(tx).updateTable('nova_block_device').set(patch).where('id', '=', id).execute();
}

export async function removeBlockDevice(tx: Tx, id: string): Promise<void> {
  await on<NovaTables>(tx).deleteFrom('nova_block_device').where('id', '=', id).execute();
}

export async function removeBlockDevicesOf(tx: Tx, serverId: string): Promise<void> {
  await on<NovaTables>(tx).deleteFrom('nova_block_device').where('server_id', '=', serverId).execute();
}
