import { invalidInput } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { invalidVolume } from '../errors.ts';
import { subjectOf } from '../sagas/common.ts';
import { serviceOf } from '../store/services.ts';
import { hasSnapshots } from '../store/snapshots.ts';
import type { VolumeRow } from '../store/tables.ts';
import { updateVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { findStorage, serviceHost, storageOfPlace } from './backend.ts';
import { type Caller, requesterOf, targetOf } from './caller.ts';
import { emitVolume } from './events.ts';

/** A volume that is not being migrated, whatever became of earlier migrations (AVAILABLE_MIGRATION_STATUS). */
export const isMigrating = (row: VolumeRow): boolean => ![null, 'deleting', 'error', 'success', 'none'].includes(row.migration_status);

/** Accepts that a volume moves to another storage, with its data. */
export async function migrateVolume(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow, place: string, lock: boolean): Promise<void> {
  const { env } = app.deps;
  caller.authorize('volume_extension:volume_admin_actions:migrate_volume', targetOf(row));
  const host = storageOfPlace(place);
  const service = host === undefined ? undefined : await serviceOf(tx, serviceHost(host), 'cinder-volume');
  if (host === undefined || !service || service.disabled === 1 || !findStorage(app.deps, host))
    throw invalidInput(`Invalid host: No available service named '${place}'`, { type: 'InvalidHost', field: 'host' });
  const fits = (row.status === 'available' || row.status === 'in-use') && !isMigrating(row) && row.group_id === null && row.host !== host;
  if (!fits || (await hasSnapshots(tx, row.id))) {
    throw invalidVolume(
      `Volume ${row.id} status must be available or in-use, must not be migrating, have snapshots, be replicated, be part of a group and destination host/cluster must be different than the current one`,
    );
  }
  const nowMs = env.clock.nowMs();
  await updateVolume(
    tx,
    row.id,
    { migration_status: 'starting', previous_status: row.status, ...(lock && row.status === 'available' && { status: 'maintenance' }) },
    nowMs,
  );
  await startMigration(app, tx, caller, row, { host });
}

/** Starts the saga; what the volume shows meanwhile is the caller's. */
export async function startMigration(
  app: CinderApp,
  tx: Tx,
  caller: Caller,
  row: VolumeRow,
  what: { readonly host?: string; readonly newTypeId?: string; readonly recrypt?: boolean; readonly newKeyId?: string },
): Promise<void> {
  const { env } = app.deps;
  const who = requesterOf(caller.ctx);
  await emitVolume(env, tx, who, 'migrate.start', row);
  await env.sagas.start(
    tx,
    app.sagas.volumeMigrate,
    { volumeId: row.id, newDiskId: env.ids.uuid(), ...what, who },
    { subject: subjectOf(row.id), requestId: who.requestId, userId: who.userId, projectId: row.project_id },
  );
}

/**
 * What upstream's nova reports of a swap between two volumes, one of which is cinder's for the time of a migration. Here a migration has no second volume, and nova
 * answers by the face (`endMove`), so upstream's checks are all there is.
 */
export function completeMigration(caller: Caller, row: VolumeRow, other: VolumeRow): string {
  caller.authorize('volume_extension:volume_admin_actions:migrate_volume_completion', targetOf(row));
  if (row.migration_status === null && other.migration_status === null) return other.id;
  if (row.migration_status === null) throw invalidVolume('Source volume not mid-migration.');
  if (other.migration_status === null) throw invalidVolume('Destination volume not mid-migration.');
  throw invalidVolume(`Destination has migration_status ${other.migration_status}, expected target:${row.id}.`);
}
