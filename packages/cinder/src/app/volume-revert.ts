import { conflict, invalidInput } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { subjectOf } from '../sagas/common.ts';
import { latestSnapshotOf, updateSnapshot } from '../store/snapshots.ts';
import type { VolumeRow } from '../store/tables.ts';
import { updateVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { type Caller, requesterOf, targetOf } from './caller.ts';

/** Accepts that a volume goes back to its newest snapshot. */
export async function revertVolume(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow, snapshotId: string | null): Promise<void> {
  const { env } = app.deps;
  const newest = await latestSnapshotOf(tx, row.id);
  if (!newest) throw invalidInput(`Volume ${row.id} doesn't have any snapshots.`);
  if (snapshotId !== newest.id)
    throw invalidInput(`Specified snapshot ${snapshotId ?? 'None'} is None or not the latest one of volume ${row.id}.`, { field: 'snapshot_id' });
  if (newest.size_gb !== row.size_gb)
    throw invalidInput(`Can't revert volume ${row.id} to its latest snapshot ${newest.id}. The volume size must be equal to the snapshot size.`);
  caller.authorize('volume:revert_to_snapshot', targetOf(row));
  const nowMs = env.clock.nowMs();
  const refuse = (whose: string): Error =>
    conflict(`Invalid ${whose.toLowerCase()}: Can't revert volume ${row.id} to its latest snapshot ${newest.id}. ${whose}'s status must be 'available'.`);
  if (newest.disk_id !== row.disk_id) throw conflict(`Volume ${row.id} got new content after snapshot ${newest.id}: it cannot go back to it.`);
  if (!(await updateVolume(tx, row.id, { status: 'reverting' }, nowMs, { status: ['available'] }))) throw refuse('Volume');
  if (!(await updateSnapshot(tx, newest.id, { status: 'restoring' }, nowMs, ['available']))) throw refuse('Snapshot');
  const who = requesterOf(caller.ctx);
  await env.sagas.start(
    tx,
    app.sagas.volumeRevert,
    { volumeId: row.id, snapshotId: newest.id, who },
    { subject: subjectOf(row.id), requestId: who.requestId, userId: who.userId, projectId: row.project_id },
  );
}
