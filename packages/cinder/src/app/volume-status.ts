import { invalidInput } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { invalidVolume, orList } from '../errors.ts';
import { attachmentsOfVolume, deleteAttachmentsOfVolume } from '../store/attachments.ts';
import type { VolumeRow } from '../store/tables.ts';
import { updateVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { closeWays } from './attachments.ts';
import { type Caller, requesterOf, targetOf } from './caller.ts';
import { emitVolume } from './events.ts';

/** Every status that a volume may be set to (cinder/objects/fields.py). */
const STATUSES = [
  'creating',
  'available',
  'deleting',
  'error',
  'error_deleting',
  'error_managing',
  'managing',
  'attaching',
  'in-use',
  'detaching',
  'maintenance',
  'restoring-backup',
  'error_restoring',
  'reserved',
  'awaiting-transfer',
  'backing-up',
  'error_backing-up',
  'error_extending',
  'downloading',
  'uploading',
  'retyping',
  'extending',
];
const MIGRATION_STATUSES = ['migrating', 'error', 'success', 'completing', 'none', 'starting'];

export interface StatusReset {
  readonly status?: string | null;
  readonly attachStatus?: string | null;
  readonly migrationStatus?: string | null;
}

const pythonList = (items: readonly string[]): string => `(${items.map((item) => `'${item}'`).join(', ')})`;

/** An administrator sets a volume's status, whatever the truth may be. */
export async function resetStatus(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow, ask: StatusReset): Promise<void> {
  const { env } = app.deps;
  caller.authorize('volume_extension:volume_admin_actions:reset_status', targetOf(row));
  const [status, attach, migration] = [ask.status?.toLowerCase(), ask.attachStatus?.toLowerCase(), ask.migrationStatus?.toLowerCase()];
  if (!status && !attach && !migration) throw invalidInput("Must specify 'status', 'attach_status' or 'migration_status' for update.");
  if (status && !STATUSES.includes(status))
    throw invalidInput(`Volume status: ${ask.status} is invalid, valid statuses are: ${pythonList(STATUSES)}.`, { field: 'status' });
  if (attach && attach !== 'attached' && attach !== 'detached')
    throw invalidInput(`Volume attach status: ${ask.attachStatus} is invalid, valid statuses are: ['attached', 'detached'].`, { field: 'attach_status' });
  if (migration && !MIGRATION_STATUSES.includes(migration))
    throw invalidInput(`Volume migration status: ${ask.migrationStatus} is invalid, valid statuses are: ${pythonList(MIGRATION_STATUSES)}.`, {
      field: 'migration_status',
    });
  if (status === 'deleting' || status === 'error_deleting' || status === 'detaching')
    throw invalidInput(`Cannot reset-state to ${status}`, { field: 'status' });
  if (status === 'in-use' && (await attachmentsOfVolume(tx, row.id)).length === 0)
    throw invalidInput('Cannot reset-state to in-use because volume does not have any attachments.', { field: 'status' });
  await updateVolume(
    tx,
    row.id,
    {
      ...(status && { status }),
      ...(attach && { attach_status: attach }),
      ...(migration && { migration_status: migration === 'none' ? null : migration }),
      ...(attach === 'detached' && { attached_mode: null }),
    },
    env.clock.nowMs(),
  );
  if (attach === 'detached') {
    const ended = await attachmentsOfVolume(tx, row.id);
    await deleteAttachmentsOfVolume(tx, row.id);
    await closeWays(app.deps, tx, requesterOf(caller.ctx), row, ended);
  }
  await emitVolume(env, tx, requesterOf(caller.ctx), 'reset_status.end', { ...row, ...(status && { status }) });
}

/** The legacy way for whoever attaches volumes to keep others away. */
export async function reserve(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow): Promise<void> {
  caller.authorize('volume_extension:volume_actions:reserve', targetOf(row));
  const fitting = row.multiattach === 1 ? ['available', 'in-use'] : ['available'];
  if (!(await updateVolume(tx, row.id, { status: 'attaching' }, app.deps.env.clock.nowMs(), { status: fitting }))) {
    throw invalidVolume(`Volume status must be ${orList(fitting)} to reserve, but the status is ${row.status}.`);
  }
}

export async function unreserve(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow): Promise<void> {
  caller.authorize('volume_extension:volume_actions:unreserve', targetOf(row));
  const held = await attachmentsOfVolume(tx, row.id);
  await updateVolume(tx, row.id, { status: held.length > 0 ? 'in-use' : 'available' }, app.deps.env.clock.nowMs(), { status: ['attaching'] });
}

export async function beginDetaching(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow): Promise<void> {
  caller.authorize('volume_extension:volume_actions:begin_detaching', targetOf(row));
  if (!(await updateVolume(tx, row.id, { status: 'detaching' }, app.deps.env.clock.nowMs(), { status: ['in-use'], attachStatus: 'attached' }))) {
    throw invalidVolume("Unable to detach volume. Volume status must be 'in-use' and attach_status must be 'attached' to detach.");
  }
}

export async function rollDetaching(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow): Promise<void> {
  caller.authorize('volume_extension:volume_actions:roll_detaching', targetOf(row));
  await updateVolume(tx, row.id, { status: 'in-use' }, app.deps.env.clock.nowMs(), { status: ['detaching'] });
}

/**
 * Upstream's answer to a guest that has (or has not) taken the new size, for drivers whose extension waits for it. Cairn's disks grow in the guest
 * at once, so no extension ever waits, and upstream's checks are all there is.
 */
export async function extendCompletion(caller: Caller, row: VolumeRow): Promise<void> {
  caller.authorize('volume_extension:volume_admin_actions:extend_volume_completion', targetOf(row));
  if (row.status !== 'extending') throw invalidVolume('Volume is not being extended.');
  throw invalidVolume('Required volume admin metadata is malformed or missing.');
}
