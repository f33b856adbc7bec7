import { type Context, isAdmin } from '@cairn/kit/context/context';
import { conflict, invalidInput } from '@cairn/kit/errors/errors';
import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { attachmentNotFound, invalidVolume, orList, resourceConflict } from '../errors.ts';
import {
  attachmentById,
  ATTACHMENTS,
  attachmentsOfVolume,
  deleteAttachment,
  insertAttachment,
  pageOfAttachments,
  updateAttachment,
} from '../store/attachments.ts';
import type { AttachmentRow, VolumeRow } from '../store/tables.ts';
import { restingStatus, updateVolume, volumeById } from '../store/volumes.ts';
import { diskUnserveSaga } from '../sagas/disk-unserve.ts';
import { subjectOf } from '../sagas/common.ts';
import { boundHost, VOLUME_DRIVER } from './backend.ts';
import { type Caller, isVisible, type Requester, requesterOf, targetOf } from './caller.ts';
import type { CinderDeps } from './deps.ts';
import { emitVolume } from './events.ts';
import { frontEndQos } from './qos.ts';

export type Connector = Readonly<Record<string, unknown>>;

/** What lists of attachments may ask for. */
export const ATTACHMENT_LIST: ListSpec<AttachmentRow> = { ...ATTACHMENTS, unknownMarker: (marker) => attachmentNotFound(String(marker)) };

export const listAttachments = (db: Db, request: ListRequest): Promise<ListPage<AttachmentRow>> => pageOfAttachments(db, request, ATTACHMENT_LIST);

/** The attachment if the caller may see it; NotFound otherwise. */
export async function getAttachment(db: Db, ctx: Context, id: string): Promise<AttachmentRow> {
  const row = await attachmentById(db, id);
  if (!row || !isVisible(ctx, row)) throw attachmentNotFound(id);
  return row;
}

export interface NewAttachment {
  readonly id: string;
  readonly serverId: string | null;
  /** Upstream's text `null` where nothing was said. */
  readonly mode: string | null;
  readonly byCompute: boolean;
}

/** Reserves a volume (cinder.volume.api, _attachment_reserve). */
export async function reserveVolume(deps: CinderDeps, tx: Tx, caller: Caller, volume: VolumeRow, ask: NewAttachment): Promise<AttachmentRow> {
  caller.authorize('volume:attachment_create', targetOf(volume));
  if (volume.status.includes('error')) {
    throw invalidVolume(
      `Volume attachments can not be created if the volume is in an error state. The Volume ${volume.id} currently has a status of: ${volume.status} `,
    );
  }
  if (volume.multiattach === 1 && volume.status === 'in-use' && volume.bootable === 1) caller.authorize('volume:multiattach_bootable_volume', targetOf(volume));
  const fitting = volume.multiattach === 1 ? ['available', 'in-use', 'downloading'] : ['available', 'downloading'];
  const nowMs = deps.env.clock.nowMs();
  if (!(await updateVolume(tx, volume.id, { status: 'reserved' }, nowMs, { status: fitting }))) {
    // a server that moves to another host has the volume there as well for a while
    const again =
      ask.serverId !== null &&
      ['in-use', 'reserved'].includes(volume.status) &&
      (await attachmentsOfVolume(tx, volume.id)).some((one) => one.server_id === ask.serverId);
    if (!again) throw invalidVolume(`Volume ${volume.id} status must be ${orList(fitting)} to reserve, but the current status is ${volume.status}.`);
  }
  const row: AttachmentRow = {
    id: ask.id,
    volume_id: volume.id,
    project_id: volume.project_id,
    server_id: ask.serverId,
    attached_host: null,
    mountpoint: null,
    attach_mode: volume.readonly_flag === 'True' ? 'ro' : ask.mode,
    attach_status: 'reserved',
    connector: null,
    connection_info: null,
    attached_at_ms: null,
    by_compute: ask.byCompute ? 1 : 0,
    created_at_ms: nowMs,
    updated_at_ms: null,
  };
  await insertAttachment(tx, row);
  return row;
}

/** Gives an attachment its connector: where the volume will be used. Returns it with what to connect to. */
export async function connectAttachment(deps: CinderDeps, tx: Tx, who: Requester, id: string, connector: Connector): Promise<AttachmentRow> {
  const attachment = await attachmentById(tx, id);
  const volume = attachment && (await volumeById(tx, attachment.volume_id));
  if (!attachment || !volume) throw attachmentNotFound(id);
  if (volume.status.includes('error')) {
    throw resourceConflict(
      `Volume attachments can not be updated if the volume is in an error state. The Volume ${volume.id} currently has a status of: ${volume.status} `,
    );
  }
  const others = (await attachmentsOfVolume(tx, volume.id)).filter((one) => one.id !== id && one.connection_info !== null);
  if (volume.multiattach === 0 && others.some((one) => one.server_id === null || one.server_id !== attachment.server_id))
    throw resourceConflict(`duplicate connectors detected on volume ${volume.id}`);
  const text = (name: string): string | undefined => (typeof connector[name] === 'string' ? connector[name] : undefined);
  const said = attachment.attach_mode !== null && attachment.attach_mode !== 'null';
  const mode = said ? (attachment.attach_mode as string) : (text('mode') ?? 'rw');
  const nowMs = deps.env.clock.nowMs();
  const info = {
    driver_volume_type: VOLUME_DRIVER,
    disk_id: volume.disk_id,
    host: volume.host,
    volume_id: volume.id,
    access_mode: mode,
    encrypted: volume.encryption_key_id !== null,
    cacheable: false,
    qos_specs: await frontEndQos(tx, volume.type_id),
    attachment_id: id,
    enforce_multipath: connector['enforce_multipath'] === true,
  };
  await updateAttachment(
    tx,
    id,
    {
      connector: toJson({ ...connector, ...(said && { mode }) }),
      connection_info: toJson(info),
      attached_host: text('host') ?? '',
      mountpoint: text('mountpoint') ?? 'na',
      attach_mode: mode,
      attach_status: 'attaching',
      attached_at_ms: nowMs,
    },
    nowMs,
  );
  await updateVolume(tx, volume.id, { status: 'attaching', attach_status: 'attaching' }, nowMs);
  await emitVolume(deps.env, tx, who, 'attach.start', { ...volume, status: 'attaching' });
  return (await attachmentById(tx, id)) as AttachmentRow;
}

/** The server (or host) has the volume. */
export async function completeAttachment(deps: CinderDeps, tx: Tx, who: Requester, id: string, device?: string): Promise<void> {
  const attachment = await attachmentById(tx, id);
  if (!attachment) throw attachmentNotFound(id);
  const nowMs = deps.env.clock.nowMs();
  await updateAttachment(
    tx,
    id,
    { attach_status: 'attached', attached_at_ms: attachment.attached_at_ms ?? nowMs, ...(device !== undefined && { mountpoint: device }) },
    nowMs,
  );
  await updateVolume(tx, attachment.volume_id, { status: 'in-use', attach_status: 'attached' }, nowMs);
  const volume = await volumeById(tx, attachment.volume_id);
  if (volume) await emitVolume(deps.env, tx, who, 'attach.end', volume, { server_id: attachment.server_id });
}

/**
 * An attachment is as it was before it was connected anywhere. Upstream's nova makes a new one in its place (_terminate_volume_connections of
 * nova.compute.manager), which comes to the same but for its id. The ways of the
 * host that it was on were closed before (closeWay of remote.ts). Tolerates absence.
 */
export async function releaseAttachment(deps: CinderDeps, tx: Tx, who: Requester, id: string): Promise<void> {
  const attachment = await attachmentById(tx, id);
  if (!attachment) return;
  await updateAttachment(
    tx,
    id,
    { attach_status: 'reserved', attached_host: null, mountpoint: null, connector: null, connection_info: null, attached_at_ms: null },
    deps.env.clock.nowMs(),
  );
  await settleStatus(deps, tx, who, attachment.volume_id);
}

/** Ends an attachment; what is left of others decides the volume's status (cinder.db.api, volume_detached). Tolerates absence. */
export async function endAttachment(deps: CinderDeps, tx: Tx, who: Requester, id: string, volumeId: string): Promise<void> {
  const volume = await volumeById(tx, volumeId);
  const attachment = await attachmentById(tx, id);
  await deleteAttachment(tx, id);
  await settleStatus(deps, tx, who, volumeId);
  if (volume && attachment) await closeWays(deps, tx, who, volume, [attachment]);
}

/** What other hosts reach the volume by goes with its attachments. */
export async function closeWays(deps: CinderDeps, tx: Tx, who: Requester, volume: VolumeRow, ended: readonly AttachmentRow[]): Promise<void> {
  const bound = boundHost(deps, volume.host);
  // one that was released may have left a way open, on a host that was away
  if (bound === null || ended.every((one) => one.attached_host === bound)) return;
  await deps.env.sagas.start(tx, diskUnserveSaga(deps), { volumeId: volume.id }, { subject: subjectOf(volume.id), requestId: who.requestId });
}

/** Puts a volume's status in line with its attachments. */
export async function settleStatus(deps: CinderDeps, tx: Tx, who: Requester, volumeId: string): Promise<void> {
  const volume = await volumeById(tx, volumeId);
  if (!volume) return;
  const left = (await attachmentsOfVolume(tx, volumeId)).map((one) => one.attach_status).filter((status) => !status.startsWith('error_'));
  // alphabetically: attached > attaching > detaching > reserved
  const attachStatus = left.toSorted()[0] ?? 'detached';
  const status = restingStatus(attachStatus);
  const busy = ['detached', 'reserved'].includes(attachStatus) && HAVE_THEIR_OWN_END.includes(volume.status);
  await updateVolume(tx, volumeId, { attach_status: attachStatus, attached_mode: null, ...(!busy && { status }) }, deps.env.clock.nowMs());
  await emitVolume(deps.env, tx, who, 'detach.end', { ...volume, status: busy ? volume.status : status });
}

/** Statuses of work that settles the status itself when it is done. */
const HAVE_THEIR_OWN_END = ['uploading', 'extending', 'creating', 'downloading', 'reverting', 'deleting'];

/** Refuses to end an attachment behind nova's back: its guest would go on writing to the disk (OSSA-2023-003). */
export function checkMayEnd(ctx: Context, attachment: AttachmentRow): void {
  if (ctx.roles.includes('service')) return;
  if (attachment.by_compute === 0 || attachment.server_id === null || attachment.connection_info === null) return;
  throw conflict(`ConflictNovaUsingAttachment: Detach volume from instance ${attachment.server_id} using the Compute API`, {
    type: 'ConflictNovaUsingAttachment',
  });
}

/** The same for all that a volume has. */
export async function checkMayEndAll(db: Db, ctx: Context, volumeId: string): Promise<void> {
  for (const attachment of await attachmentsOfVolume(db, volumeId)) checkMayEnd(ctx, attachment);
}

/** Ends an attachment because a user says so. Returns those that its volume still has. */
export async function removeAttachment(deps: CinderDeps, caller: Caller, id: string): Promise<readonly AttachmentRow[]> {
  return deps.env.store.write(async (tx) => {
    const found = await getAttachment(tx, caller.ctx, id);
    caller.authorize('volume:attachment_delete', targetOf(found));
    checkMayEnd(caller.ctx, found);
    await endAttachment(deps, tx, requesterOf(caller.ctx), id, found.volume_id);
    return attachmentsOfVolume(tx, found.volume_id);
  });
}

/** What the legacy actions say: this server or host has the volume at this device, in one go. */
export async function attachDirectly(
  deps: CinderDeps,
  tx: Tx,
  caller: Caller,
  volume: VolumeRow,
  ask: { readonly serverId: string | null; readonly hostName: string | null; readonly mountpoint: string; readonly mode: string },
): Promise<void> {
  caller.authorize('volume_extension:volume_actions:attach', targetOf(volume));
  if (volume.status === 'maintenance') throw invalidVolume('The volume cannot be attached in maintenance mode.');
  const refuse = (type: string, message: string): Error => invalidInput(`Error attaching volume - ${type}: ${message}`, { type });
  if (volume.readonly_flag === 'True' && ask.mode !== 'ro')
    throw invalidInput(`Invalid attaching mode '${ask.mode}' for volume ${volume.id}.`, { type: 'InvalidVolumeAttachMode' });
  const nowMs = deps.env.clock.nowMs();
  const held = await attachmentsOfVolume(tx, volume.id);
  const same = held.find((one) => (ask.serverId === null ? one.attached_host === ask.hostName : one.server_id === ask.serverId));
  if (same) {
    await updateVolume(tx, volume.id, { status: 'in-use' }, nowMs);
    return;
  }
  if (volume.status === 'in-use' && volume.multiattach === 0)
    throw refuse('InvalidVolume', 'Invalid volume: volume is already attached and multiple attachments are not enabled');
  if (!['available', 'attaching', 'in-use', 'reserved'].includes(volume.status))
    throw refuse('InvalidVolume', `Invalid volume: its status is ${volume.status}`);
  const row: AttachmentRow = {
    id: deps.env.ids.uuid(),
    volume_id: volume.id,
    project_id: volume.project_id,
    server_id: ask.serverId,
    attached_host: ask.hostName,
    mountpoint: ask.mountpoint,
    attach_mode: ask.mode,
    attach_status: 'attached',
    connector: null,
    connection_info: null,
    attached_at_ms: nowMs,
    by_compute: 0,
    created_at_ms: nowMs,
    updated_at_ms: null,
  };
  await insertAttachment(tx, row);
  await updateVolume(
    tx,
    volume.id,
    { status: 'in-use', attach_status: 'attached', attached_mode: ask.mode, ...(volume.readonly_flag === null && { readonly_flag: 'False' }) },
    nowMs,
  );
  await emitVolume(deps.env, tx, requesterOf(caller.ctx), 'attach.end', { ...volume, status: 'in-use' }, { server_id: ask.serverId });
}

/** The legacy counterpart: an attachment by id, or the only one. */
export async function detachDirectly(deps: CinderDeps, tx: Tx, caller: Caller, volume: VolumeRow, attachmentId: string | null): Promise<void> {
  caller.authorize('volume_extension:volume_actions:detach', targetOf(volume));
  if (volume.status === 'maintenance') throw invalidVolume('The volume cannot be detached in maintenance mode.');
  const held = await attachmentsOfVolume(tx, volume.id);
  const named = attachmentId === null ? undefined : await attachmentById(tx, attachmentId);
  if (named && named.volume_id !== volume.id) throw invalidInput('Invalid input received: Mismatched volume and attachment', { type: 'InvalidInput' });
  if (attachmentId === null && held.length > 1) {
    throw invalidInput(
      'Error detaching volume - InvalidVolume: Invalid volume: Detach volume failed: More than one attachment, but no attachment_id provided.',
      { type: 'InvalidVolume' },
    );
  }
  const ending = attachmentId === null ? held[0] : named;
  const who = requesterOf(caller.ctx);
  if (!ending) {
    await settleStatus(deps, tx, who, volume.id);
    return;
  }
  checkMayEnd(caller.ctx, ending);
  await endAttachment(deps, tx, who, ending.id, volume.id);
}

/** Hosts are told only to those who run the cloud. */
export const seesHosts = (ctx: Context): boolean => isAdmin(ctx) || ctx.roles.includes('service');

/** What an attachment connects to; undefined before it has a connector. */
export const connectionOf = (row: AttachmentRow): Readonly<Record<string, unknown>> | undefined =>
  fromJson<Record<string, unknown>, undefined>(row.connection_info, undefined);
