import type { Tx } from '@cairn/kit/store/store';
import { invalid, invalidVolume } from '../errors.ts';
import { snapshotsOfVolume, updateSnapshot } from '../store/snapshots.ts';
import type { TypeRow, VolumeRow } from '../store/tables.ts';
import { changeUsage } from '../store/usage.ts';
import { updateVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { type Caller, requesterOf, targetOf } from './caller.ts';
import { type Capabilities, unsatisfied } from './capabilities.ts';
import { cipherOfType, encryptionDiffers } from './encryption.ts';
import { emitVolume } from './events.ts';
import { createKey } from './keys.ts';
import { complain } from './messages.ts';
import { checkTypeQuota } from './quota.ts';
import { getTypeByNameOrId, isTrueSpec, sizeProblem, specsOf } from './types.ts';
import { isMigrating, startMigration } from './volume-migrate.ts';

/**
 * Gives a volume another type. Where its pool satisfies the type and the encryption is the same, this is done when it is accepted. Else the volume's data moves, if
 * the caller lets it (`on-demand`); if not, then as with upstream's scheduler the request is accepted, changes nothing and leaves a message.
 */
export async function retypeVolume(
  app: CinderApp,
  tx: Tx,
  caller: Caller,
  row: VolumeRow,
  newType: string,
  capabilities: Capabilities | undefined,
  mayMove = false,
): Promise<void> {
  const { env, options } = app.deps;
  caller.authorize('volume:retype', targetOf(row));
  const type = await getTypeByNameOrId(tx, caller.ctx, newType);
  const problem = sizeProblem(type, row.size_gb);
  if (problem !== undefined) throw invalid(problem);
  const multiattach = isTrueSpec(specsOf(type)['multiattach']);
  if (multiattach !== (row.multiattach === 1)) {
    if (row.status !== 'available') {
      throw invalid(
        `Invalid volume_type passed, retypes affecting multiattach are only allowed on available volumes, the specified volume however currently has a status of: ${row.status}.`,
      );
    }
    if (multiattach) caller.authorize('volume:multiattach', targetOf(row));
  }
  if ((row.status !== 'available' && row.status !== 'in-use') || isMigrating(row) || row.group_id !== null || row.type_id === type.id) {
    throw invalidVolume(
      'Retype needs volume to be in available or in-use state, not be part of an active migration or a consistency group, requested type has to be different that the one from the volume, and for in-use volumes front-end qos specs cannot change.',
    );
  }
  const snapshots = await snapshotsOfVolume(tx, row.id);
  await checkQuotaOf(app, tx, row, type, snapshots.length);
  const who = requesterOf(caller.ctx);
  const cipher = await cipherOfType(tx, type.id);
  if (multiattach && cipher) throw invalid('Retype requested both encryption and multi-attach, which is not supported.');
  const fits = capabilities !== undefined && unsatisfied(specsOf(type), capabilities) === undefined;
  const recrypt = await encryptionDiffers(tx, row.type_id, type.id);
  if (!fits || recrypt) {
    if (mayMove && snapshots.length === 0) {
      await updateVolume(tx, row.id, { status: 'retyping', previous_status: row.status }, env.clock.nowMs());
      const newKeyId = recrypt && cipher ? await createKey(app.deps, tx, row.project_id, cipher.keyBits) : undefined;
      await startMigration(app, tx, caller, row, {
        newTypeId: type.id,
        ...(recrypt && { recrypt }),
        ...(newKeyId !== undefined && { newKeyId }),
        // its bytes change, and its place need not
        ...(fits && row.host !== null && { host: row.host }),
      });
      return;
    }
    await complain(env, options.messageTtlMs, tx, who, {
      action: 'scheduleVolume',
      detail: 'noBackend',
      resource: 'VOLUME',
      resourceId: row.id,
      projectId: row.project_id,
    });
    return;
  }
  const nowMs = env.clock.nowMs();
  await updateVolume(tx, row.id, { type_id: type.id, multiattach: multiattach ? 1 : 0 }, nowMs);
  await changeUsage(tx, row.project_id, row.type_id, { volumes: -1, volume_gb: -row.size_gb });
  await changeUsage(tx, row.project_id, type.id, { volumes: 1, volume_gb: row.size_gb });
  for (const snapshot of snapshots) {
    await updateSnapshot(tx, snapshot.id, { type_id: type.id }, nowMs);
    await changeUsage(tx, snapshot.project_id, snapshot.type_id, { snapshots: -1, snapshot_gb: -snapshot.size_gb });
    await changeUsage(tx, snapshot.project_id, type.id, { snapshots: 1, snapshot_gb: snapshot.size_gb });
  }
  await emitVolume(env, tx, who, 'retype', { ...row, type_id: type.id });
}

/** The whole of what the project uses stays as it is; the new type's own limits must have room. */
const checkQuotaOf = (app: CinderApp, tx: Tx, row: VolumeRow, type: TypeRow, snapshots: number): Promise<void> =>
  checkTypeQuota(tx, app.deps.options.quotaDefaults, row.project_id, type, { volumes: 1, gigabytes: row.size_gb * (1 + snapshots), snapshots });
