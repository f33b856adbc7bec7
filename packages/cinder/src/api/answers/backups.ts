import { dictionary, inside, named } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { Links, page, TextOrNull, Time, TimeOrNull } from './common.ts';

/** Backups and transfers. */

const BackupSummary = named('VolumeBackupSummary', { id: Type.String(), name: TextOrNull, links: Links });
const Backup = named('VolumeBackup', {
  id: Type.String(),
  status: Type.String(),
  size: Type.Integer(),
  object_count: Type.Integer(),
  availability_zone: TextOrNull,
  container: TextOrNull,
  created_at: Time,
  updated_at: TimeOrNull,
  name: TextOrNull,
  description: TextOrNull,
  fail_reason: TextOrNull,
  volume_id: Type.String(),
  links: Links,
  is_incremental: Type.Boolean(),
  has_dependent_backups: Type.Boolean(),
  snapshot_id: TextOrNull,
  data_timestamp: TimeOrNull,
  metadata: dictionary(Type.String()),
  encryption_key_id: Type.Optional(Type.String()),
  // for administrators
  'os-backup-project-attr:project_id': Type.Optional(Type.String()),
  user_id: Type.Optional(Type.String()),
});
export const BackupList = page('backups', BackupSummary);
export const BackupDetailList = page('backups', Backup);
export const OneBackup = inside('backup', Backup);
export const CreatedBackup = inside('backup', BackupSummary);
export const Restored = inside('restore', Type.Object({ backup_id: Type.String(), volume_id: Type.String(), volume_name: TextOrNull }));
export const BackupRecord = inside('backup-record', Type.Object({ backup_service: Type.String(), backup_url: Type.String() }));

const TransferSummary = named('VolumeTransferSummary', { id: Type.String(), volume_id: Type.String(), name: TextOrNull, links: Links });
const Transfer = named('VolumeTransfer', {
  id: Type.String(),
  created_at: Time,
  name: TextOrNull,
  volume_id: Type.String(),
  // told once, when it is made
  auth_key: Type.Optional(Type.String()),
  links: Links,
  no_snapshots: Type.Boolean(),
  destination_project_id: TextOrNull,
  source_project_id: TextOrNull,
  accepted: Type.Boolean(),
});
export const TransferList = page('transfers', TransferSummary);
export const TransferDetailList = page('transfers', Transfer);
export const OneTransfer = inside('transfer', Transfer);
export const AcceptedTransfer = inside('transfer', TransferSummary);
