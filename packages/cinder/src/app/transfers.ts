import { createHmac, timingSafeEqual } from 'node:crypto';
import { invalidInput } from '@cairn/kit/errors/errors';
import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db } from '@cairn/kit/store/store';
import { invalidSnapshot, invalidVolume, transferNotFound } from '../errors.ts';
import { snapshotsOfVolume, updateSnapshot } from '../store/snapshots.ts';
import type { TransferRow, VolumeRow } from '../store/tables.ts';
import { deleteTransfer, insertTransfer, pageOfTransfers, transferById, TRANSFERS } from '../store/transfers.ts';
import { typeById } from '../store/types.ts';
import { changeUsage } from '../store/usage.ts';
import { updateVolume, volumeById } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { type Caller, isVisible, requesterOf, targetOf } from './caller.ts';
import { emitVolume } from './events.ts';
import { giveKey } from './keys.ts';
import { claimQuota } from './quota.ts';
import { getVolume } from './volumes.ts';

const hashOf = (salt: string, key: string): string => createHmac('sha256', salt).update(key).digest('hex');
const sameHash = (a: string, b: string): boolean => a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));

/** What lists of transfers may ask for. */
export const TRANSFER_LIST: ListSpec<TransferRow> = { ...TRANSFERS, unknownMarker: (marker) => transferNotFound(String(marker)) };

export const listTransfers = (db: Db, request: ListRequest): Promise<ListPage<TransferRow>> => pageOfTransfers(db, request, TRANSFER_LIST);

/** The transfer if the caller's project offers it. */
export async function getTransfer(db: Db, caller: Caller, id: string): Promise<TransferRow> {
  const row = await transferById(db, id);
  if (!row || !isVisible(caller.ctx, row)) throw transferNotFound(id);
  return row;
}

export interface NewTransfer {
  readonly volumeId: string;
  readonly name: string | null;
  readonly noSnapshots: boolean;
  /** Clients that know of encrypted volumes in transfers (from microversion 3.70). */
  readonly encryptedToo: boolean;
}

/** Offers a volume to whoever knows the key, which is told once. */
export async function createTransfer(app: CinderApp, caller: Caller, ask: NewTransfer): Promise<{ readonly row: TransferRow; readonly authKey: string }> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    const volume = await getVolume(tx, caller, ask.volumeId);
    caller.authorize('volume:create_transfer', targetOf(volume));
    if (volume.status !== 'available') throw invalidVolume('status must be available');
    if (volume.encryption_key_id !== null) {
      if (!ask.encryptedToo) throw invalidVolume('transferring encrypted volume is not supported');
      if (ask.noSnapshots) throw invalidVolume('transferring an encrypted volume without its snapshots is not supported');
    }
    if (!ask.noSnapshots) {
      const busy = (await snapshotsOfVolume(tx, volume.id)).find((snapshot) => snapshot.status !== 'available');
      if (busy) throw invalidSnapshot(`snapshot: ${busy.id} status must be available`);
    }
    const salt = env.ids.bytes(4).toString('hex');
    const authKey = env.ids.bytes(8).toString('hex');
    const row: TransferRow = {
      id: env.ids.uuid(),
      volume_id: volume.id,
      project_id: volume.project_id,
      name: ask.name,
      salt,
      key_hash: hashOf(salt, authKey),
      no_snapshots: ask.noSnapshots ? 1 : 0,
      source_project_id: volume.project_id,
      created_at_ms: env.clock.nowMs(),
    };
    await updateVolume(tx, volume.id, { status: 'awaiting-transfer' }, env.clock.nowMs());
    await insertTransfer(tx, row);
    await emitVolume(env, tx, requesterOf(caller.ctx), 'transfer.create.end', { ...volume, status: 'awaiting-transfer' });
    return { row, authKey };
  });
}

/** The volume, its quota use and (unless they stay behind) its snapshots go to the caller's project. */
export async function acceptTransfer(app: CinderApp, caller: Caller, id: string, authKey: string): Promise<TransferRow> {
  const { env, options } = app.deps;
  const { ctx } = caller;
  const projectId = ctx.projectId;
  if (projectId === undefined) throw invalidInput('A volume belongs to a project: use a token with a project scope.');
  return env.store.write(async (tx) => {
    const row = await transferById(tx, id);
    const volume = row && (await volumeById(tx, row.volume_id));
    if (!row || !volume) throw transferNotFound(id);
    if (!sameHash(row.key_hash, hashOf(row.salt, authKey)))
      throw invalidInput(`Invalid auth key: Attempt to transfer ${id} with invalid auth key.`, { type: 'InvalidAuthKey' });
    if (volume.status !== 'awaiting-transfer') throw invalidVolume(`Transfer ${id}: Volume id ${volume.id} expected in awaiting-transfer state.`);
    const type = (await typeById(tx, volume.type_id)) ?? { id: volume.type_id, name: volume.type_id };
    const snapshots = row.no_snapshots === 1 ? [] : await snapshotsOfVolume(tx, volume.id);
    const busy = snapshots.find((snapshot) => snapshot.status !== 'available');
    if (busy) throw invalidSnapshot(`Transfer ${id}: Snapshot ${busy.id} is not in the expected available state.`);
    await claimQuota(tx, options.quotaDefaults, {
      projectId,
      type,
      change: { volumes: 1, volume_gb: volume.size_gb },
      resource: 'volumes',
      volumeGb: volume.size_gb,
    });
    await changeUsage(tx, volume.project_id, type.id, { volumes: -1, volume_gb: -volume.size_gb });
    const nowMs = env.clock.nowMs();
    for (const snapshot of snapshots) {
      await claimQuota(tx, options.quotaDefaults, { projectId, type, change: { snapshots: 1, snapshot_gb: snapshot.size_gb }, resource: 'snapshots' });
      await changeUsage(tx, snapshot.project_id, type.id, { snapshots: -1, snapshot_gb: -snapshot.size_gb });
      await updateSnapshot(tx, snapshot.id, { project_id: projectId, user_id: ctx.userId }, nowMs);
    }
    await updateVolume(tx, volume.id, { status: 'available', project_id: projectId, user_id: ctx.userId }, nowMs);
    await giveKey(tx, volume.encryption_key_id, projectId);
    await deleteTransfer(tx, id);
    await emitVolume(env, tx, requesterOf(ctx), 'transfer.accept.end', { ...volume, status: 'available', project_id: projectId });
    return row;
  });
}

/** Takes an offer back. */
export async function cancelTransfer(app: CinderApp, caller: Caller, id: string): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await getTransfer(tx, caller, id);
    const volume = (await volumeById(tx, row.volume_id)) as VolumeRow;
    caller.authorize('volume:delete_transfer', targetOf(volume));
    await updateVolume(tx, volume.id, { status: 'available' }, env.clock.nowMs(), { status: ['awaiting-transfer'] });
    await deleteTransfer(tx, id);
    await emitVolume(env, tx, requesterOf(caller.ctx), 'transfer.delete.end', { ...volume, status: 'available' });
  });
}
