import type { ImageFacts } from '@cairn/glance/face';
import { invalidInput } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { toJson } from '@cairn/kit/store/values';
import { invalid, invalidSnapshot, invalidVolume } from '../errors.ts';
import type { VolumeSource } from '../sagas/volume-create.ts';
import { subjectOf } from '../sagas/common.ts';
import type { Pairs } from '../store/metadata.ts';
import { services } from '../store/services.ts';
import type { BackupRow, SnapshotRow, TypeRow, VolumeRow } from '../store/tables.ts';
import { changePool } from '../store/usage.ts';
import { insertVolume } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { diskIdAt } from './backend.ts';
import { checkRestorable, getBackup, startRestore } from './backup-restore.ts';
import { type Caller, requesterOf } from './caller.ts';
import { cipherOfType, encryptionDiffers } from './encryption.ts';
import { emitVolume } from './events.ts';
import { cloneKey, createKey } from './keys.ts';
import { groupForVolume } from './group-lookup.ts';
import { checkImage, findImage, IMAGE_KEY, imageMetadataOf, snapshotOfImage } from './image-source.ts';
import { claimQuota } from './quota.ts';
import { getSnapshot } from './snapshots.ts';
import { defaultType, getTypeByNameOrId, isTrueSpec, sizeProblem, specsOf, zonesOfType } from './types.ts';
import { checkPairs, getVolume, pairsOf } from './volumes.ts';

/** A request for a volume; absent and null are the same. */
export interface NewVolume {
  /** Minted by the caller, where a retry must find its own work. */
  readonly id?: string;
  /** As the client sent it: a number, or digits. */
  readonly size?: number | string | null;
  readonly name?: string | null;
  readonly description?: string | null;
  readonly volumeType?: string | null;
  readonly snapshotId?: string | null;
  readonly sourceVolumeId?: string | null;
  readonly imageRef?: string | null;
  readonly availabilityZone?: string | null;
  readonly metadata?: Pairs | null;
  /** The host that has to reach the disk: its own storage, or one that all share. */
  readonly reachedFrom?: string;
  /** The group that it joins; its host is the group's. */
  readonly groupId?: string | null;
  /** The backup whose content it gets. */
  readonly backupId?: string | null;
  /** Images of volume-backed servers stand for the snapshots they name (from microversion 3.46). */
  readonly followImageSnapshot: boolean;
}

interface Origins {
  readonly snapshot: SnapshotRow | undefined;
  readonly source: VolumeRow | undefined;
  readonly image: ImageFacts | undefined;
  readonly backup: BackupRow | undefined;
}

/** Accepts a volume: its row, the quota and the saga that makes it, in the caller's transaction. */
export async function createVolume(app: CinderApp, tx: Tx, caller: Caller, ask: NewVolume): Promise<VolumeRow> {
  const { env, options } = app.deps;
  const { ctx } = caller;
  const projectId = ctx.projectId;
  if (projectId === undefined) throw invalidInput('A volume belongs to a project: use a token with a project scope.');
  const asked = ask.volumeType ? await getTypeByNameOrId(tx, ctx, ask.volumeType) : undefined;
  const origins = await findOrigins(app, tx, caller, ask);
  const { snapshot, source, image, backup } = origins;
  caller.authorize(image ? 'volume:create_from_image' : 'volume:create');

  const sizeGb = sizeOf(ask.size ?? snapshot?.size_gb ?? source?.size_gb ?? backup?.size_gb, origins);
  checkStatuses(origins);
  if (image) checkImage(image, sizeGb);
  const type = await typeOf(app, tx, caller, asked, origins);
  const problem = sizeProblem(type, sizeGb);
  if (problem !== undefined) throw invalid(problem);
  const cipher = await cipherOfType(tx, type.id);
  await checkSameEncryption(tx, type, origins);
  const zone = await zoneOf(app, tx, ask.availabilityZone ?? undefined, type, origins);
  const metadata = ask.metadata ?? {};
  checkPairs(metadata);
  const multiattach = isTrueSpec(specsOf(type)['multiattach']);
  if (multiattach && cipher) throw invalidVolume('Multiattach cannot be used with encrypted volumes.');
  if (multiattach) caller.authorize('volume:multiattach');

  const group = ask.groupId ? await groupForVolume(tx, caller, ask.groupId, type.id) : undefined;
  const host = group?.host ?? undefined;

  const nowMs = env.clock.nowMs();
  const id = ask.id ?? env.ids.uuid();
  const row: VolumeRow = {
    id,
    project_id: projectId,
    user_id: ctx.userId,
    name: ask.name ?? null,
    description: ask.description ?? null,
    size_gb: sizeGb,
    status: 'creating',
    attach_status: 'detached',
    previous_status: null,
    migration_status: null,
    availability_zone: zone,
    type_id: type.id,
    host: null,
    disk_id: id,
    service_id: null,
    shared_targets: null,
    bootable: source?.bootable ?? snapshot?.bootable ?? 0,
    multiattach: multiattach ? 1 : 0,
    snapshot_id: snapshot?.id ?? null,
    source_volume_id: source?.id ?? null,
    group_id: group?.id ?? null,
    growing_gb: 0,
    use_quota: 1,
    readonly_flag: null,
    attached_mode: null,
    metadata: toJson(metadata),
    image_metadata: '{}',
    saga_id: null,
    encryption_key_id: cipher ? await keyFor(app, tx, projectId, cipher.keyBits, origins) : null,
    created_at_ms: nowMs,
    updated_at_ms: null,
    launched_at_ms: null,
  };
  await claimQuota(tx, options.quotaDefaults, { projectId, type, change: { volumes: 1, volume_gb: sizeGb }, resource: 'volumes', volumeGb: sizeGb });
  const content = contentOf(origins);
  const place = content.kind === 'blank' && host === undefined ? await placeAtOnce(app, tx, row, type, ask.reachedFrom) : undefined;
  const who = requesterOf(ctx);
  const imageMetadata = image ? imageMetadataOf(image) : pairsOf(source?.image_metadata ?? snapshot?.image_metadata ?? '{}');
  const sagaId = await env.sagas.start(
    tx,
    app.sagas.volumeCreate,
    {
      volumeId: id,
      sizeGb,
      source: content,
      imageMetadata,
      bootable: image !== undefined || row.bootable === 1,
      ...(host !== undefined && { host }),
      ...(ask.reachedFrom !== undefined && { reachedFrom: ask.reachedFrom }),
      who,
    },
    { subject: subjectOf(id), requestId: ctx.requestId, userId: ctx.userId, projectId, ...(place && { done: [place.scheduled] }) },
  );
  const stored = { ...row, saga_id: sagaId };
  // the answer and the event tell of a volume that is yet to be placed
  await insertVolume(tx, { ...stored, ...place?.row }, metadata);
  await emitVolume(env, tx, who, 'create.start', stored);
  if (backup) await startRestore(app, tx, caller, backup, stored, true);
  return stored;
}

/** What the saga's step `schedule` does, where a storage can be chosen without asking any host: that saves a transaction. */
async function placeAtOnce(
  app: CinderApp,
  tx: Tx,
  row: VolumeRow,
  type: TypeRow,
  reachedFrom: string | undefined,
): Promise<{ readonly scheduled: { readonly host: string }; readonly row: Partial<VolumeRow> } | undefined> {
  const wish = { specs: specsOf(type), zone: row.availability_zone, ...(reachedFrom !== undefined && { reachedFrom }) };
  const best = await app.pools.chooseAtOnce(tx, row.size_gb, wish);
  if (!best) return undefined;
  await changePool(tx, best.key, { volumes: 1, gb: row.size_gb });
  return { scheduled: { host: best.key }, row: { host: best.key, disk_id: diskIdAt(best.key, row.id), service_id: best.serviceId ?? null } };
}

async function findOrigins(app: CinderApp, tx: Tx, caller: Caller, ask: NewVolume): Promise<Origins> {
  let snapshot = ask.snapshotId ? await getSnapshot(tx, caller, ask.snapshotId) : undefined;
  const source = ask.sourceVolumeId ? await getVolume(tx, caller, ask.sourceVolumeId) : undefined;
  let image = ask.imageRef ? await findImage(app.deps, tx, caller.ctx, ask.imageRef) : undefined;
  const backup = ask.backupId ? await getBackup(tx, caller, ask.backupId) : undefined;
  if ([snapshot, source, image, backup].filter((one) => one !== undefined).length > 1)
    throw invalid('May specify only one of backup, imageRef, snapshot, source volume');
  const imageSnapshot = image && ask.followImageSnapshot ? snapshotOfImage(image) : undefined;
  if (imageSnapshot !== undefined) {
    snapshot = await getSnapshot(tx, caller, imageSnapshot);
    image = undefined;
  }
  return { snapshot, source, image, backup };
}

function sizeOf(asked: number | string | undefined, { snapshot, source, backup }: Origins): number {
  const size = typeof asked === 'string' && /^\d+$/.test(asked) ? Number(asked) : asked;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size <= 0)
    throw invalid(`Volume size '${size ?? 'None'}' must be an integer and greater than 0`);
  if (source && size < source.size_gb)
    throw invalid(`Volume size '${size}'GB cannot be smaller than original volume size  ${source.size_gb}GB. They must be >= original volume size.`);
  if (snapshot && size < snapshot.size_gb)
    throw invalid(`Volume size '${size}'GB cannot be smaller than the snapshot size ${snapshot.size_gb}GB. They must be >= original snapshot size.`);
  if (backup && size < backup.size_gb)
    throw invalid(`Volume size ${size}GB cannot be smaller than the backup size ${backup.size_gb}GB. It must be >= backup size.`);
  return size;
}

function checkStatuses({ snapshot, source, backup }: Origins): void {
  if (snapshot && snapshot.status !== 'available') throw invalidSnapshot("Originating snapshot status must be one of 'available' values");
  if (backup && backup.status !== 'available')
    throw invalidInput("Invalid backup: Originating backup status must be one of 'available' values", { type: 'InvalidBackup' });
  if (source && source.status !== 'available' && source.status !== 'in-use')
    throw invalidVolume("Originating source volume status must be one of 'available, in-use' values");
}

/** The type asked for; else the origin's; else the one that an image names; else the default. */
async function typeOf(app: CinderApp, db: Db, caller: Caller, asked: TypeRow | undefined, { snapshot, source, image }: Origins): Promise<TypeRow> {
  if (asked) return asked;
  const named = source?.type_id ?? snapshot?.type_id ?? image?.properties['cinder_img_volume_type'];
  return named ? await getTypeByNameOrId(db, caller.ctx, named) : await defaultType(db, caller.ctx.projectId, app.deps.options.defaultVolumeType);
}

/** What is stored encrypted is copied as it is, so a copy is encrypted as its origin. */
async function checkSameEncryption(db: Db, type: TypeRow, { snapshot, source, backup }: Origins): Promise<void> {
  const origin = snapshot?.type_id ?? source?.type_id;
  if (origin !== undefined && (await encryptionDiffers(db, origin, type.id))) {
    const advice = source ? 'either match source volume, or omit type argument' : 'recommend omitting the type argument';
    throw invalid(`Invalid volume_type provided: ${type.id} (requested type is not compatible; ${advice}).`);
  }
  if (backup) await checkRestorable(db, backup, type.id);
}

/** A key of the volume's own: its origin's secret under another id, or a new one (_get_encryption_key_id). */
async function keyFor(app: CinderApp, tx: Tx, projectId: string, keyBits: number, { snapshot, source, image }: Origins): Promise<string> {
  const origin = snapshot?.encryption_key_id ?? source?.encryption_key_id ?? image?.properties[IMAGE_KEY] ?? null;
  return origin === null ? createKey(app.deps, tx, projectId, keyBits) : cloneKey(app.deps, tx, origin, projectId);
}

/** The zones that hosts are in. */
export async function zones(app: CinderApp, db: Db): Promise<Map<string, boolean>> {
  const found = new Map<string, boolean>();
  for (const service of await services(db)) {
    if (service.binary !== 'cinder-volume') continue;
    found.set(service.availability_zone, (found.get(service.availability_zone) ?? false) || service.disabled === 0);
  }
  if (found.size === 0) found.set(app.deps.options.defaultAvailabilityZone, true);
  return found;
}

async function zoneOf(app: CinderApp, db: Db, asked: string | undefined, type: TypeRow, { snapshot, source }: Origins): Promise<string> {
  const { defaultAvailabilityZone } = app.deps.options;
  const bound = zonesOfType(type);
  const origin = snapshot?.availability_zone ?? source?.availability_zone ?? undefined;
  if ((asked ?? origin ?? bound) === undefined) return defaultAvailabilityZone;
  const known = new Set([...(await zones(app, db)).keys(), defaultAvailabilityZone]);
  const usable = bound ? bound.filter((zone) => known.has(zone)) : [...known];
  if (usable.length === 0)
    throw invalidInput(`Volume type is only supported in these availability zones: ${bound?.join(', ')}`, { type: 'InvalidTypeAvailabilityZones' });
  const zone = asked ?? origin ?? (bound ? (usable[0] as string) : defaultAvailabilityZone);
  if (!usable.includes(zone)) throw invalidInput(`Availability zone '${zone}' is invalid.`, { type: 'InvalidAvailabilityZone', field: 'availability_zone' });
  if (origin !== undefined && origin !== zone) throw invalid(`Volume must be in the same availability zone as the ${snapshot ? 'snapshot' : 'source volume'}`);
  return zone;
}

function contentOf({ snapshot, source, image }: Origins): VolumeSource {
  if (snapshot) return { kind: 'snapshot', host: snapshot.host, diskId: snapshot.disk_id, snapshotId: snapshot.id };
  if (source) {
    if (source.host === null) throw invalidVolume(`The source volume ${source.id} has no data yet.`);
    return { kind: 'disk', host: source.host, diskId: source.disk_id };
  }
  return image ? { kind: 'image', imageId: image.id } : { kind: 'blank' };
}
