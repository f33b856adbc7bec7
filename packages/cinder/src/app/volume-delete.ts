import { isAdmin } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { invalidVolume, orList } from '../errors.ts';
import { CREATING } from '../sagas/volume-create.ts';
import { subjectOf } from '../sagas/common.ts';
import { snapshotsOfVolume, updateSnapshot } from '../store/snapshots.ts';
import type { VolumeRow } from '../store/tables.ts';
import { updateVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { type Caller, requesterOf, targetOf } from './caller.ts';
import { emitVolume } from './events.ts';
import { refuseFrozen } from './services.ts';
import { isMigrating } from './volume-migrate.ts';

/** Statuses in which a volume may go without force. */
const DELETABLE = ['available', 'error', 'error_restoring', 'error_extending', 'error_managing'];

export interface DeleteOptions {
  readonly force?: boolean;
  /** Its snapshots go, too. */
  readonly cascade?: boolean;
  /** Its group goes, too. */
  readonly withGroup?: boolean;
}

/** Accepts the deletion of a volume. Returns its saga. */
export async function deleteVolume(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow, options: DeleteOptions = {}): Promise<string> {
  const { env } = app.deps;
  const { force = false, cascade = false, withGroup = false } = options;
  caller.authorize('volume:delete', targetOf(row));
  await refuseFrozen(tx, row.host);
  const nowMs = env.clock.nowMs();
  const snapshots = await snapshotsOfVolume(tx, row.id);
  // a volume that no host has may go in any status, as its creation has failed
  const unplaced = row.host === null && row.status === 'error';
  const statusFits = force || unplaced || DELETABLE.includes(row.status);
  const blocked =
    row.attach_status === 'attached' ||
    (isMigrating(row) && !force) ||
    (row.group_id !== null && !withGroup) ||
    (cascade
      ? !force &&
        snapshots.some(
          (one) =>
            (one.status !== 'available' && one.status !== 'error') ||
            one.group_snapshot_id !== null ||
            (one.project_id !== row.project_id && !isAdmin(caller.ctx)),
        )
      : snapshots.length > 0);
  if (!statusFits || blocked) {
    const status = force ? '' : `status must be ${orList(DELETABLE)} and`;
    throw invalidVolume(
      `Volume ${status} must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.`,
    );
  }
  if (CREATING.includes(row.status)) await env.sagas.cancel(tx, subjectOf(row.id), [app.sagas.volumeCreate.name]);
  await updateVolume(tx, row.id, { status: 'deleting' }, nowMs);
  for (const snapshot of snapshots) await updateSnapshot(tx, snapshot.id, { status: 'deleting' }, nowMs);
  const who = requesterOf(caller.ctx);
  await emitVolume(env, tx, who, 'delete.start', { ...row, status: 'deleting' });
  return env.sagas.start(
    tx,
    app.sagas.volumeDelete,
    { volumeId: row.id, who },
    { subject: subjectOf(row.id), requestId: who.requestId, userId: who.userId, projectId: row.project_id },
  );
}
