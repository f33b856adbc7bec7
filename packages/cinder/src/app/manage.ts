import { backendOfDisk } from '@cairn/host/interface/backends';
import type { DiskInfo } from '@cairn/host/interface/disks';
import { type CairnError, CairnError as Failure, invalidInput } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { Db } from '@cairn/kit/store/store';
import { toJson } from '@cairn/kit/store/values';
import { invalid, invalidSnapshot, invalidVolume } from '../errors.ts';
import { GIB } from '../sagas/common.ts';
import type { Pairs } from '../store/metadata.ts';
import { serviceOf } from '../store/services.ts';
import { deleteSnapshotRow, hasSnapshots, insertSnapshot, latestSnapshotOf, snapshotById } from '../store/snapshots.ts';
import type { SnapshotRow, VolumeRow } from '../store/tables.ts';
import { typeById } from '../store/types.ts';
import { changePool, changeUsage } from '../store/usage.ts';
import { deleteVolumeRow, insertVolume, volumeByDisk } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { backendOf, disksAt, serviceHost, storageOfPlace } from './backend.ts';
import type { CinderDeps } from './deps.ts';
import { type Caller, requesterOf, targetOf } from './caller.ts';
import { emitSnapshot, emitVolume } from './events.ts';
import { encryptionOfType } from './encryption.ts';
import { claimQuota } from './quota.ts';
import { defaultType, getTypeByNameOrId, isTrueSpec, specsOf } from './types.ts';
import { checkPairs, getVolume } from './volumes.ts';
import { getSnapshot } from './snapshots.ts';

/** What the storage has and could be (or is) under cinder's care. */
export interface Manageable {
  readonly reference: { readonly 'source-name': string };
  readonly sizeGb: number;
  readonly safe: boolean;
  readonly reason: string | null;
  readonly cinderId: string | null;
  /** Of snapshots: their disk. */
  readonly source?: { readonly 'source-name': string };
}

const gb = (bytes: number): number => Math.ceil(bytes / GIB);

/** The storage in the request's `host`, if its volume service is known. */
async function knownHost(db: Db, place: string): Promise<string> {
  const host = storageOfPlace(place);
  const service = host === undefined ? undefined : await serviceOf(db, serviceHost(host), 'cinder-volume');
  if (host === undefined || !service) throw new Failure('Unavailable', `Host '${place}' not found`, { status: 503, type: 'ServiceUnavailable' });
  if (service.disabled === 1) throw new Failure('Unavailable', 'Service is unavailable at this time.', { status: 503, type: 'ServiceUnavailable' });
  return host;
}

/** Volumes' disks on a storage. */
const disksOn = async (deps: CinderDeps, db: Db, key: string): Promise<DiskInfo[]> =>
  (await (await disksAt(deps, db, key)).list()).filter((disk) => disk.pool === 'volume' && backendOfDisk(disk.diskId) === backendOf(key));

/** Disks of volumes on a storage: those that are cinder's, and those that are nobody's. */
export async function manageableVolumes(app: CinderApp, place: string): Promise<Manageable[]> {
  const db = app.deps.env.store.read;
  const host = await knownHost(db, place);
  const disks = await disksOn(app.deps, db, host);
  return Promise.all(
    disks.map(async (disk) => {
      const volume = await volumeByDisk(db, host, disk.diskId);
      return {
        reference: { 'source-name': disk.diskId },
        sizeGb: gb(disk.sizeBytes),
        safe: volume === undefined,
        reason: volume ? 'already managed' : null,
        cinderId: volume?.id ?? null,
      };
    }),
  );
}

export async function manageableSnapshots(app: CinderApp, place: string): Promise<Manageable[]> {
  const db = app.deps.env.store.read;
  const host = await knownHost(db, place);
  const disks = await disksOn(app.deps, db, host);
  const all = await Promise.all(
    disks.flatMap((disk) =>
      disk.snapshots.map(async (id) => {
        const [snapshot, volume] = [await snapshotById(db, id), await volumeByDisk(db, host, disk.diskId)];
        const reason = snapshot ? 'already managed' : volume ? null : 'its volume is not managed';
        return {
          reference: { 'source-name': id },
          sizeGb: gb(disk.sizeBytes),
          safe: reason === null,
          reason,
          cinderId: snapshot?.id ?? null,
          source: { 'source-name': disk.diskId },
        };
      }),
    ),
  );
  return all;
}

/** `{"source-name": "..."}` or `{"source-id": "..."}`, with or without the names that upstream's drivers put in front. */
function referenceOf(ref: unknown, prefixes: readonly string[]): string {
  const name =
    ref !== null && typeof ref === 'object' ? ((ref as Record<string, unknown>)['source-name'] ?? (ref as Record<string, unknown>)['source-id']) : ref;
  if (typeof name !== 'string' || name === '') throw invalid('The reference must have a source-name or a source-id.', { field: 'ref' });
  const prefix = prefixes.find((one) => name.startsWith(one) && isUuidLike(name.slice(one.length)));
  return prefix === undefined ? name : name.slice(prefix.length);
}

/** Names of disks begin with their back end's; who knows a volume by its id need not. */
const isNamed = ({ diskId }: DiskInfo, reference: string): boolean =>
  diskId === reference || (isUuidLike(reference) && diskId === `${backendOfDisk(diskId)}.${reference}`);

export interface ManageVolume {
  readonly place: string;
  readonly ref: unknown;
  readonly name: string | null;
  readonly description: string | null;
  readonly volumeType: string | null;
  readonly availabilityZone: string | null;
  readonly metadata: Pairs;
  readonly bootable: boolean;
}

/** Takes a disk of a host under cinder's care. A reference that names no free disk makes a volume in `error_managing`, as upstream's manager does. */
export async function manageVolume(app: CinderApp, caller: Caller, ask: ManageVolume): Promise<VolumeRow> {
  const { env, options } = app.deps;
  const db = env.store.read;
  const { ctx } = caller;
  const projectId = ctx.projectId;
  if (projectId === undefined) throw invalidInput('A volume belongs to a project: use a token with a project scope.');
  const host = await knownHost(db, ask.place);
  const reference = referenceOf(ask.ref, ['volume-']);
  checkPairs(ask.metadata);
  const type = ask.volumeType ? await getTypeByNameOrId(db, ctx, ask.volumeType) : await defaultType(db, projectId, options.defaultVolumeType);
  if (await encryptionOfType(db, type.id)) throw invalidVolume('Managing to an encrypted volume type is not supported.');
  const disk = (await disksOn(app.deps, db, host)).find((one) => isNamed(one, reference) && one.keyId === undefined);
  return env.store.write(async (tx) => {
    const found = disk !== undefined && (await volumeByDisk(tx, host, disk.diskId)) === undefined;
    const sizeGb = found ? gb(disk.sizeBytes) : 0;
    await claimQuota(tx, options.quotaDefaults, { projectId, type, change: { volumes: 1, volume_gb: sizeGb }, resource: 'volumes', volumeGb: sizeGb });
    const nowMs = env.clock.nowMs();
    const id = env.ids.uuid();
    const row: VolumeRow = {
      id,
      project_id: projectId,
      user_id: ctx.userId,
      name: ask.name,
      description: ask.description,
      size_gb: sizeGb,
      status: found ? 'available' : 'error_managing',
      attach_status: 'detached',
      previous_status: null,
      migration_status: null,
      availability_zone: ask.availabilityZone ?? options.defaultAvailabilityZone,
      type_id: type.id,
      host: found ? host : null,
      disk_id: found ? disk.diskId : id,
      service_id: found ? ((await serviceOf(tx, serviceHost(host), 'cinder-volume'))?.id ?? null) : null,
      shared_targets: found ? 0 : null,
      bootable: ask.bootable ? 1 : 0,
      multiattach: isTrueSpec(specsOf(type)['multiattach']) ? 1 : 0,
      snapshot_id: null,
      source_volume_id: null,
      group_id: null,
      growing_gb: 0,
      use_quota: 1,
      readonly_flag: null,
      attached_mode: null,
      metadata: toJson(ask.metadata),
      image_metadata: '{}',
      saga_id: null,
      encryption_key_id: null,
      created_at_ms: nowMs,
      updated_at_ms: null,
      launched_at_ms: found ? nowMs : null,
    };
    await insertVolume(tx, row, ask.metadata);
    if (found) await changePool(tx, host, { volumes: 1, gb: sizeGb });
    await emitVolume(env, tx, requesterOf(ctx), 'manage_existing.end', row);
    return row;
  });
}

/** Forgets a volume; its disk stays where it is. */
export async function unmanageVolume(app: CinderApp, caller: Caller, id: string): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await getVolume(tx, caller, id);
    caller.authorize('volume_extension:volume_unmanage', targetOf(row));
    const why = await unmanageProblem(tx, row);
    if (why) throw why;
    await deleteVolumeRow(tx, row.id);
    await changeUsage(tx, row.project_id, row.type_id, { volumes: -1, volume_gb: -row.size_gb });
    if (row.host !== null) await changePool(tx, row.host, { volumes: -1, gb: -row.size_gb });
    await emitVolume(env, tx, requesterOf(caller.ctx), 'unmanage.end', { ...row, status: 'unmanaged' });
  });
}

async function unmanageProblem(db: Db, row: VolumeRow): Promise<CairnError | undefined> {
  if (row.encryption_key_id !== null) return invalidVolume('Unmanaging encrypted volumes is not supported.');
  const fits = ['available', 'error', 'error_restoring', 'error_extending', 'error_managing'].includes(row.status);
  if (fits && row.attach_status !== 'attached' && row.group_id === null && !(await hasSnapshots(db, row.id))) return undefined;
  return invalidVolume(
    'Volume status must be available or error or error_restoring or error_extending or error_managing and must not be migrating, attached, belong to a group, have snapshots, awaiting a transfer, or be disassociated from snapshots after volume transfer.',
  );
}

export interface ManageSnapshot {
  readonly volumeId: string;
  readonly ref: unknown;
  readonly name: string | null;
  readonly description: string | null;
  readonly metadata: Pairs;
}

/** Takes a snapshot that a volume's disk has under cinder's care, under its own id. */
export async function manageSnapshot(app: CinderApp, caller: Caller, ask: ManageSnapshot): Promise<SnapshotRow> {
  const { env, options } = app.deps;
  const volume = await getVolume(env.store.read, caller, ask.volumeId);
  caller.authorize('snapshot_extension:snapshot_manage', targetOf(volume));
  const id = referenceOf(ask.ref, ['_snapshot-', 'snapshot-']);
  if (volume.host === null) throw invalidVolume('The volume has no disk.');
  checkPairs(ask.metadata);
  const disk = await (await disksAt(app.deps, env.store.read, volume.host, volume.id)).info(volume.disk_id);
  const host = volume.host;
  return env.store.write(async (tx) => {
    const free = isUuidLike(id) && disk?.snapshots.includes(id) === true && (await snapshotById(tx, id)) === undefined;
    const projectId = caller.ctx.projectId ?? volume.project_id;
    const type = (await typeById(tx, volume.type_id)) ?? { id: volume.type_id, name: volume.type_id };
    await claimQuota(tx, options.quotaDefaults, { projectId, type, change: { snapshots: 1, snapshot_gb: volume.size_gb }, resource: 'snapshots' });
    const before = await latestSnapshotOf(tx, volume.id);
    const row: SnapshotRow = {
      id: free ? id : env.ids.uuid(),
      volume_id: volume.id,
      project_id: projectId,
      user_id: caller.ctx.userId,
      name: ask.name,
      description: ask.description,
      status: free ? 'available' : 'error_managing',
      progress: free ? '100%' : '0%',
      size_gb: volume.size_gb,
      type_id: volume.type_id,
      host,
      disk_id: volume.disk_id,
      availability_zone: volume.availability_zone,
      bootable: volume.bootable,
      group_snapshot_id: null,
      use_quota: 1,
      metadata: toJson(ask.metadata),
      image_metadata: volume.image_metadata,
      saga_id: null,
      encryption_key_id: volume.encryption_key_id,
      created_at_ms: Math.max(env.clock.nowMs(), (before?.created_at_ms ?? 0) + 1),
      updated_at_ms: null,
    };
    await insertSnapshot(tx, row, ask.metadata);
    await emitSnapshot(env, tx, requesterOf(caller.ctx), 'manage_existing_snapshot.end', row);
    return row;
  });
}

export async function unmanageSnapshot(app: CinderApp, caller: Caller, id: string): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await getSnapshot(tx, caller, id);
    caller.authorize('snapshot_extension:snapshot_unmanage', targetOf(row));
    if ((row.status !== 'available' && row.status !== 'error') || row.group_snapshot_id !== null)
      throw invalidSnapshot('Snapshot status must be available or error and must not be part of a group.');
    await deleteSnapshotRow(tx, id);
    await changeUsage(tx, row.project_id, row.type_id, { snapshots: -1, snapshot_gb: -row.size_gb });
    await emitSnapshot(env, tx, requesterOf(caller.ctx), 'unmanage.end', row);
  });
}
