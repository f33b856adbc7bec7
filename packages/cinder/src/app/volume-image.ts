import type { ExportFormat } from '@cairn/host/interface/disks';
import { invalidInput } from '@cairn/kit/errors/errors';
import type { Tx } from '@cairn/kit/store/store';
import { invalid, invalidVolume, orList } from '../errors.ts';
import { subjectOf } from '../sagas/common.ts';
import type { TypeRow, VolumeRow } from '../store/tables.ts';
import { typeById } from '../store/types.ts';
import { updateVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { diskIdAt } from './backend.ts';
import { type Caller, requesterOf, targetOf } from './caller.ts';
import { checkImage, findImage, IMAGE_KEY, IMAGE_KEY_DELETION, imageMetadataOf, snapshotOfImage } from './image-source.ts';
import { cloneKey } from './keys.ts';
import { pairsOf } from './volumes.ts';

/** Properties that glance keeps by itself (`glance_core_properties`). */
const CORE = new Set(['checksum', 'container_format', 'disk_format', 'image_name', 'image_id', 'min_disk', 'min_ram', 'name', 'size']);
/** Namespaces that belong to services and do not travel with data. */
const RESERVED = ['os_glance', 'img_signature', 'signature_verified'];

export interface UploadAsk {
  readonly imageName: string;
  readonly diskFormat: ExportFormat;
  readonly containerFormat: string;
  readonly visibility: 'private' | 'public' | 'shared' | 'community';
  readonly protected: boolean;
  readonly force: boolean;
}

export interface UploadAnswer {
  readonly imageId: string;
  readonly row: VolumeRow;
  /** undefined: the volume's type is gone. */
  readonly type: TypeRow | undefined;
}

/** Accepts the copying of a volume to a new image. */
export async function uploadToImage(app: CinderApp, tx: Tx, caller: Caller, row: VolumeRow, ask: UploadAsk): Promise<UploadAnswer> {
  const { env, faces, options } = app.deps;
  caller.authorize('volume_extension:volume_actions:upload_image', targetOf(row));
  if (ask.visibility === 'public') caller.authorize('volume_extension:volume_actions:upload_public');
  if (ask.containerFormat === 'compressed')
    throw invalidInput('Image compression upload disallowed, but container_format is compressed', { field: 'container_format' });
  if (row.encryption_key_id !== null && (ask.diskFormat !== 'raw' || ask.containerFormat !== 'bare')) {
    throw invalidInput(
      "An encrypted volume uploaded as an image must use 'raw' disk_format and 'bare' container_format, which are the defaults for these options.",
      { field: 'disk_format' },
    );
  }
  const fitting = ask.force && options.allowForceUpload ? ['available', 'in-use'] : ['available'];
  const nowMs = env.clock.nowMs();
  if (!(await updateVolume(tx, row.id, { status: 'uploading', previous_status: row.status }, nowMs, { status: fitting }))) {
    throw invalidVolume(`Volume ${row.id} status must be ${orList(fitting)}`);
  }
  const imageId = env.ids.uuid();
  const properties: Record<string, string> = Object.fromEntries(
    Object.entries(pairsOf(row.image_metadata)).filter(
      ([key]) => !CORE.has(key) && key !== IMAGE_KEY && key !== IMAGE_KEY_DELETION && !RESERVED.some((one) => key.startsWith(one)),
    ),
  );
  if (row.encryption_key_id !== null) {
    // the image's key has the image's id, by which it is found when the image goes
    properties[IMAGE_KEY] = await cloneKey(app.deps, tx, row.encryption_key_id, row.project_id, imageId);
    properties[IMAGE_KEY_DELETION] = 'on_image_deletion';
  }
  await faces.glance.create(tx, caller.ctx, {
    id: imageId,
    name: ask.imageName,
    diskFormat: ask.diskFormat,
    containerFormat: ask.containerFormat,
    visibility: ask.visibility,
    protected: ask.protected,
    properties,
  });
  const who = requesterOf(caller.ctx);
  await env.sagas.start(
    tx,
    app.sagas.volumeUpload,
    { volumeId: row.id, imageId, format: ask.diskFormat, who },
    { subject: subjectOf(row.id), requestId: who.requestId, userId: who.userId, projectId: row.project_id },
  );
  return { imageId, row: { ...row, status: 'uploading', updated_at_ms: nowMs }, type: await typeById(tx, row.type_id) };
}

/** Accepts that a volume gets an image's content instead of its own. */
export async function reimage(
  app: CinderApp,
  tx: Tx,
  caller: Caller,
  row: VolumeRow,
  imageRef: string,
  even: { readonly reserved: boolean /** nova asks, with the guest off */; readonly inUse?: boolean },
): Promise<void> {
  const { env } = app.deps;
  caller.authorize(row.status === 'reserved' ? 'volume:reimage_reserved' : 'volume:reimage', targetOf(row));
  const image = await findImage(app.deps, tx, caller.ctx, imageRef);
  if (snapshotOfImage(image) !== undefined) throw invalid('Volumes are not re-imaged from images of volume-backed servers.', { field: 'image_id' });
  if (image.properties[IMAGE_KEY] !== undefined) throw invalid('Volumes are not re-imaged from images of encrypted volumes.', { field: 'image_id' });
  checkImage(image, row.size_gb);
  const fitting = ['available', 'error', ...(even.reserved ? ['reserved'] : []), ...(even.inUse === true ? ['in-use'] : [])];
  if (!(await updateVolume(tx, row.id, { status: 'downloading', previous_status: row.status }, env.clock.nowMs(), { status: fitting }))) {
    throw invalidVolume(`Volume ${row.id} status must be ${orList(fitting)} to re-image, but current status is ${row.status}.`);
  }
  const who = requesterOf(caller.ctx);
  const sagaId = await env.sagas.start(
    tx,
    app.sagas.volumeReimage,
    {
      volumeId: row.id,
      imageId: image.id,
      newDiskId: diskIdAt(row.host ?? '', env.ids.uuid()),
      oldDiskId: row.disk_id,
      previousStatus: row.status,
      imageMetadata: imageMetadataOf(image),
      who,
    },
    { subject: subjectOf(row.id), requestId: who.requestId, userId: who.userId, projectId: row.project_id },
  );
  await updateVolume(tx, row.id, { saga_id: sagaId }, env.clock.nowMs());
}
