import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Requester } from '../app/caller.ts';
import type { CinderDeps } from '../app/deps.ts';
import { emitBackup } from '../app/events.ts';
import { deleteKey } from '../app/keys.ts';
import type { BackupDrivers } from '../backups/drivers.ts';
import type { Account } from '../backups/driver.ts';
import { backupById, deleteBackupRow, sharesObjects, updateBackup } from '../store/backups.ts';
import { DATA_DEADLINE_MS, leaveMessage } from './common.ts';
import { refOf } from '../app/backup-facts.ts';

export interface BackupDeleteParams {
  readonly backupId: string;
  readonly account?: Account;
  readonly who: Requester;
}

/** Removes a backup from the store, then its row. */
export function backupDeleteSaga(deps: CinderDeps, backups: BackupDrivers): SagaDefinition<BackupDeleteParams> {
  const { env } = deps;
  return defineSaga<BackupDeleteParams, unknown>({
    name: 'cinder.backup.delete',
    steps: [
      {
        name: 'objects',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const row = await backupById(step.db, step.params.backupId);
          // a record that was imported under another id stands for the same objects: they go with the last
          if (!row) return;
          const driver = backups.of(row);
          if (!(await sharesObjects(step.db, row, driver.hasContainers))) await driver.remove(refOf(row, step.params.account), step.signal);
        },
      },
    ],
    async onDone(tx, step) {
      const row = await backupById(tx, step.params.backupId);
      if (!row) return;
      await deleteBackupRow(tx, row.id);
      await deleteKey(tx, row.encryption_key_id);
      await emitBackup(env, tx, step.params.who, 'delete.end', { ...row, status: 'deleted' });
    },
    async onFailed(tx, step, failure) {
      const { backupId, who } = step.params;
      await updateBackup(tx, backupId, { status: 'error_deleting', fail_reason: failure.message.slice(0, 255) }, env.clock.nowMs());
      const row = await backupById(tx, backupId);
      if (row)
        await leaveMessage(deps, tx, who, {
          action: 'deleteBackup',
          detail: 'backupDeleteFailed',
          resource: 'VOLUME_BACKUP',
          resourceId: backupId,
          projectId: row.project_id,
        });
    },
  });
}
