import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { CinderDeps } from '../app/deps.ts';
import type { Pools } from '../app/pools.ts';
import type { BackupDrivers } from '../backups/drivers.ts';
import { backupCreateSaga, type BackupCreateParams } from './backup-create.ts';
import { backupDeleteSaga, type BackupDeleteParams } from './backup-delete.ts';
import { backupRestoreSaga, type BackupRestoreParams } from './backup-restore.ts';
import { diskRemoveSaga, type DiskRemoveParams } from './disk-remove.ts';
import { diskUnserveSaga, type DiskUnserveParams } from './disk-unserve.ts';
import { groupSettleSaga, type GroupSettleParams } from './group-settle.ts';
import { snapshotCreateSaga, type SnapshotParams } from './snapshot-create.ts';
import { snapshotDeleteSaga } from './snapshot-delete.ts';
import { volumeCreateSaga, type VolumeCreateParams } from './volume-create.ts';
import { volumeDeleteSaga, type VolumeParams } from './volume-delete.ts';
import { volumeExtendSaga, type VolumeExtendParams } from './volume-extend.ts';
import { volumeMigrateSaga, type VolumeMigrateParams } from './volume-migrate.ts';
import { volumeReimageSaga, type VolumeReimageParams } from './volume-reimage.ts';
import { volumeRevertSaga, type VolumeRevertParams } from './volume-revert.ts';
import { volumeUploadSaga, type VolumeUploadParams } from './volume-upload.ts';

/** Cinder's durable work. Sagas of one volume (and of its snapshots) run one after another: their subject is `volume:<id>`. */
export interface CinderSagas {
  readonly volumeCreate: SagaDefinition<VolumeCreateParams>;
  readonly volumeDelete: SagaDefinition<VolumeParams>;
  readonly volumeExtend: SagaDefinition<VolumeExtendParams>;
  readonly volumeUpload: SagaDefinition<VolumeUploadParams>;
  readonly volumeRevert: SagaDefinition<VolumeRevertParams>;
  readonly volumeReimage: SagaDefinition<VolumeReimageParams>;
  readonly volumeMigrate: SagaDefinition<VolumeMigrateParams>;
  readonly diskRemove: SagaDefinition<DiskRemoveParams>;
  readonly diskUnserve: SagaDefinition<DiskUnserveParams>;
  readonly snapshotCreate: SagaDefinition<SnapshotParams>;
  readonly snapshotDelete: SagaDefinition<SnapshotParams>;
  readonly groupSettle: SagaDefinition<GroupSettleParams>;
  readonly backupCreate: SagaDefinition<BackupCreateParams>;
  readonly backupDelete: SagaDefinition<BackupDeleteParams>;
  readonly backupRestore: SagaDefinition<BackupRestoreParams>;
}

export function createSagas(deps: CinderDeps, pools: Pools, backups: BackupDrivers): CinderSagas {
  const diskRemove = diskRemoveSaga(deps);
  return {
    diskRemove,
    diskUnserve: diskUnserveSaga(deps),
    volumeCreate: volumeCreateSaga(deps, pools),
    volumeDelete: volumeDeleteSaga(deps),
    volumeExtend: volumeExtendSaga(deps),
    volumeUpload: volumeUploadSaga(deps),
    volumeRevert: volumeRevertSaga(deps),
    volumeReimage: volumeReimageSaga(deps, diskRemove),
    volumeMigrate: volumeMigrateSaga(deps, pools, diskRemove),
    snapshotCreate: snapshotCreateSaga(deps),
    snapshotDelete: snapshotDeleteSaga(deps),
    groupSettle: groupSettleSaga(deps),
    backupCreate: backupCreateSaga(deps, backups),
    backupDelete: backupDeleteSaga(deps, backups),
    backupRestore: backupRestoreSaga(deps, backups, diskRemove),
  };
}
