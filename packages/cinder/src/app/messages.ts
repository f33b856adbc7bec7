import type { Env } from '@cairn/kit/env';
import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import { messageNotFound } from '../errors.ts';
import { deleteMessage, insertMessage, messageById, MESSAGES, pageOfMessages } from '../store/messages.ts';
import type { MessageRow } from '../store/tables.ts';
import type { CinderApp } from './app.ts';
import { type Caller, isVisible, type Requester, targetOf } from './caller.ts';

/** What was being done (cinder/message/message_field.py, Action). The last ones are Cairn's own: upstream leaves no message there. */
export const ACTIONS = {
  scheduleVolume: ['001', 'schedule allocate volume'],
  attachVolume: ['002', 'attach volume'],
  copyVolumeToImage: ['003', 'copy volume to image'],
  updateAttachment: ['004', 'update attachment'],
  copyImageToVolume: ['005', 'copy image to volume'],
  unmanageVolume: ['006', 'unmanage volume'],
  extendVolume: ['007', 'extend volume'],
  createVolume: ['008', 'create volume from backend storage'],
  createSnapshot: ['009', 'create snapshot'],
  deleteSnapshot: ['010', 'delete snapshot'],
  updateSnapshot: ['011', 'update snapshot'],
  updateSnapshotMetadata: ['012', 'update snapshot metadata'],
  createBackup: ['013', 'create backup'],
  deleteBackup: ['014', 'delete backup'],
  restoreBackup: ['015', 'restore backup'],
  reimageVolume: ['016', 'reimage volume'],
  deleteVolume: ['901', 'delete volume'],
  revertVolume: ['902', 'revert volume to snapshot'],
} as const;

/** What went wrong (Detail). */
export const DETAILS = {
  unknown: ['001', 'An unknown error occurred.'],
  noDriver: ['002', 'Driver is not initialized at present.'],
  noBackend: ['003', 'Could not find any available weighted backend.'],
  uploadFailed: ['004', 'Failed to upload volume to image at backend.'],
  attachModeInvalid: ['005', "Volume's attach mode is invalid."],
  quota: ['006', 'Not enough quota resource for operation.'],
  imageTooLarge: ['007', 'Image used for creating volume exceeds available space.'],
  extendFailed: ['010', 'Volume Driver failed to extend volume.'],
  createFailed: ['012', 'Driver failed to create the volume.'],
  snapshotCreateFailed: ['013', 'Snapshot failed to create.'],
  snapshotBusy: ['015', 'Snapshot is busy.'],
  snapshotDeleteFailed: ['016', 'Snapshot failed to delete.'],
  unmanageEncrypted: ['008', 'Unmanaging encrypted volumes is not supported.'],
  computeExtendFailed: ['009', 'Compute service failed to extend volume.'],
  signatureFailed: ['011', 'Image signature verification failed.'],
  backupServiceDown: ['018', 'Backup service is down.'],
  backupDeviceFailed: ['019', 'Failed to get backup device from the volume service.'],
  backupCreateFailed: ['020', 'Backup driver failed to create backup.'],
  attachFailed: ['021', 'Failed to attach volume.'],
  detachFailed: ['022', 'Failed to detach volume.'],
  backupDeleteFailed: ['025', 'Backup driver failed to delete backup.'],
  backupRestoreFailed: ['026', 'Backup driver failed to restore backup.'],
  volumeInvalidState: ['027', 'Volume status is invalid.'],
  imageFormatUnacceptable: ['029', 'The image disk format must be the same as the volume format for the volume type you are requesting.'],
  volumeDeleteFailed: ['901', 'Driver failed to delete the volume.'],
  revertFailed: ['902', 'Driver failed to revert the volume to its snapshot.'],
  reimageFailed: ['028', 'Compute service failed to reimage volume.'],
} as const;

export type ActionName = keyof typeof ACTIONS;
export type DetailName = keyof typeof DETAILS;

const actionTexts = new Map<string, string>(Object.values(ACTIONS).map(([id, text]) => [id, text]));
const detailTexts = new Map<string, string>(Object.values(DETAILS).map(([id, text]) => [id, text]));

/** `extend volume:Volume Driver failed to extend volume.` */
export const messageText = (actionId: string, detailId: string): string =>
  `${actionTexts.get(actionId) ?? 'unknown action'}:${detailTexts.get(detailId) ?? 'An unknown error occurred.'}`;

export interface Complaint {
  readonly action: ActionName;
  readonly detail: DetailName;
  readonly resource: 'VOLUME' | 'VOLUME_SNAPSHOT' | 'VOLUME_BACKUP';
  readonly resourceId: string;
  readonly projectId: string;
}

/** Leaves a message for the project's users about something that failed after it was accepted. */
export async function complain(env: Env, messageTtlMs: number, tx: Tx, who: Requester, complaint: Complaint): Promise<void> {
  const [actionId] = ACTIONS[complaint.action];
  const [detailId] = DETAILS[complaint.detail];
  const nowMs = env.clock.nowMs();
  await insertMessage(tx, {
    id: env.ids.uuid(),
    project_id: complaint.projectId,
    request_id: who.requestId,
    resource_type: complaint.resource,
    resource_uuid: complaint.resourceId,
    action_id: actionId,
    detail_id: detailId,
    event_id: `VOLUME_${complaint.resource}_${actionId}_${detailId}`,
    message_level: 'ERROR',
    created_at_ms: nowMs,
    expires_at_ms: nowMs + messageTtlMs,
  });
}

/** What lists of messages may ask for. */
export const MESSAGE_LIST: ListSpec<MessageRow> = { ...MESSAGES, unknownMarker: (marker) => messageNotFound(String(marker)) };

export const listMessages = (db: Db, request: ListRequest): Promise<ListPage<MessageRow>> => pageOfMessages(db, request, MESSAGE_LIST);

/** The message if the caller may do `rule` with it; NotFound where it may not see it. */
export async function messageFor(db: Db, caller: Caller, id: string, rule: string): Promise<MessageRow> {
  const row = await messageById(db, id);
  if (!row || !isVisible(caller.ctx, row)) throw messageNotFound(id);
  caller.authorize(rule, targetOf(row));
  return row;
}

export async function removeMessage(app: CinderApp, caller: Caller, id: string): Promise<void> {
  await app.deps.env.store.write(async (tx) => deleteMessage(tx, (await messageFor(tx, caller, id, 'message:delete')).id));
}
