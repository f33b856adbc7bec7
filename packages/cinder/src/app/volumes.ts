import type { ListPage, ListRequest, ListSpec } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import { invalid, invalidVolume, volumeNotFound } from '../errors.ts';
import { attachmentsOfVolumes } from '../store/attachments.ts';
import { countRows } from '../store/count.ts';
import { distinctPairs, type Pairs } from '../store/metadata.ts';
import type { AttachmentRow, VolumeRow } from '../store/tables.ts';
import { namesOfTypes } from '../store/types.ts';
import { usageOf, usageOfAll } from '../store/usage.ts';
import { pageOfVolumes, setVolumePairs, updateVolume, volumeById, VOLUMES } from '../store/volumes.ts';
import type { CinderApp } from './app.ts';
import { type Caller, isVisible, requesterOf, targetOf } from './caller.ts';
import { emitVolume } from './events.ts';

/** A volume with what its view shows beside the row. */
export interface VolumeDetails {
  readonly row: VolumeRow;
  readonly typeName: string | null;
  readonly attachments: readonly AttachmentRow[];
}

/** What lists of volumes may ask for. */
export const VOLUME_LIST: ListSpec<VolumeRow> = { ...VOLUMES, unknownMarker: (marker) => volumeNotFound(String(marker)) };

export const listVolumes = (db: Db, request: ListRequest): Promise<ListPage<VolumeRow>> => pageOfVolumes(db, request, VOLUME_LIST);
/** How many a list has in all, whatever the page. */
export const countVolumes = (db: Db, request: ListRequest): Promise<number> => countRows(db, VOLUME_LIST, request);

/** The volume if the caller may see it; NotFound otherwise, whatever the reason. */
export async function getVolume(db: Db, caller: Caller, id: string): Promise<VolumeRow> {
  const row = await volumeById(db, id);
  if (!row || !isVisible(caller.ctx, row) || !caller.allowed('volume:get', targetOf(row))) throw volumeNotFound(id);
  return row;
}

/** The volume if the caller may do `rule` with it. */
export async function volumeFor(db: Db, caller: Caller, id: string, rule: string): Promise<VolumeRow> {
  const row = await getVolume(db, caller, id);
  caller.authorize(rule, targetOf(row));
  return row;
}

/** What the views of these volumes need, in their order. */
export async function withDetails(db: Db, rows: readonly VolumeRow[]): Promise<VolumeDetails[]> {
  const types = await namesOfTypes(db, [...new Set(rows.map((row) => row.type_id))]);
  // most volumes say by their own row that nobody has them
  const held = rows.filter((row) => row.attach_status !== 'detached').map((row) => row.id);
  const attachments = await attachmentsOfVolumes(db, held);
  return rows.map((row) => ({ row, typeName: types.get(row.type_id) ?? null, attachments: attachments.get(row.id) ?? [] }));
}

/** Refuses keys and values of metadata that upstream refuses. */
export function checkPairs(pairs: Pairs): void {
  for (const [key, value] of Object.entries(pairs)) {
    if (key.length === 0) throw invalid(`Metadata key: ${key} has 0 characters, less than 1.`);
    if (key.length > 255 || value.length > 255) throw invalid(`Metadata property key ${key.slice(0, 40)} or its value is longer than 255 characters.`);
  }
}

export interface VolumeChange {
  readonly name?: string | null;
  readonly description?: string | null;
  readonly metadata?: Pairs;
}

export async function updateVolumeBy(app: CinderApp, caller: Caller, id: string, change: VolumeChange): Promise<VolumeDetails> {
  const { env } = app.deps;
  const row = await env.store.write(async (tx) => {
    const before = await volumeFor(tx, caller, id, 'volume:update');
    if (before.status === 'maintenance') throw invalidVolume('The volume cannot be updated during maintenance.');
    const nowMs = env.clock.nowMs();
    await updateVolume(
      tx,
      id,
      { ...(change.name !== undefined && { name: change.name }), ...(change.description !== undefined && { description: change.description }) },
      nowMs,
    );
    if (change.metadata) {
      checkPairs(change.metadata);
      await setVolumePairs(tx, id, 'user', change.metadata, nowMs);
    }
    const after = (await volumeById(tx, id)) as VolumeRow;
    await emitVolume(env, tx, requesterOf(caller.ctx), 'update.end', after);
    return after;
  });
  return (await withDetails(env.store.read, [row]))[0] as VolumeDetails;
}

/** Sets a flag of the row itself. */
export async function setBootable(app: CinderApp, caller: Caller, id: string, bootable: boolean): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await volumeFor(tx, caller, id, 'volume:update');
    if (row.status === 'maintenance') throw invalidVolume('The volume cannot be updated during maintenance.');
    await updateVolume(tx, id, { bootable: bootable ? 1 : 0 }, env.clock.nowMs());
  });
}

export async function setReadonly(app: CinderApp, caller: Caller, id: string, readonly: boolean): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await volumeFor(tx, caller, id, 'volume:update_readonly_flag');
    if (row.status !== 'available') throw invalidVolume(`Volume ${id} status must be available to update readonly flag, but current status is: ${row.status}.`);
    await updateVolume(tx, id, { readonly_flag: readonly ? 'True' : 'False' }, env.clock.nowMs());
  });
}

export interface VolumeSummary {
  readonly count: number;
  readonly sizeGb: number;
  readonly metadata: Readonly<Record<string, readonly string[]>>;
}

/** How many volumes there are and how large they are together; of one project, or of all. */
export async function summarize(db: Db, projectId: string | undefined, withMetadata: boolean): Promise<VolumeSummary> {
  const rows = projectId === undefined ? await usageOfAll(db) : await usageOf(db, projectId);
  return {
    count: rows.reduce((sum, row) => sum + row.volumes, 0),
    sizeGb: rows.reduce((sum, row) => sum + row.volume_gb, 0),
    metadata: withMetadata ? await distinctPairs(db, projectId) : {},
  };
}

/** Writes user metadata: adds and changes, or with `replace` makes it exactly this. Returns what there is then. */
export async function writeMetadata(app: CinderApp, caller: Caller, id: string, rule: string, pairs: Pairs, replace: boolean): Promise<Pairs> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    const row = await volumeFor(tx, caller, id, rule);
    refuseBusy(row, 'Updating');
    checkPairs(pairs);
    const all = replace ? pairs : { ...pairsOf(row.metadata), ...pairs };
    await setVolumePairs(tx, id, 'user', all, env.clock.nowMs());
    return all;
  });
}

/** Removes one key of the user's metadata; `absent` makes the error when it is not there. */
export async function removeMetadata(app: CinderApp, caller: Caller, id: string, key: string, absent: () => Error): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx) => {
    const row = await getVolume(tx, caller, id);
    const { [key]: gone, ...rest } = pairsOf(row.metadata);
    if (gone === undefined) throw absent();
    caller.authorize('volume:delete_volume_metadata', targetOf(row));
    refuseBusy(row, 'Deleting');
    await setVolumePairs(tx, id, 'user', rest, env.clock.nowMs());
  });
}

/** Adds to the image metadata of a volume, or removes one key. */
export async function writeImageMetadata(app: CinderApp, caller: Caller, id: string, pairs: Pairs): Promise<Pairs> {
  const { env } = app.deps;
  return env.store.write(async (tx) => {
    const row = await volumeFor(tx, caller, id, 'volume_extension:volume_image_metadata:set');
    refuseBusy(row, 'Updating');
    const all = { ...pairsOf(row.image_metadata), ...pairs };
    await setVolumePairs(tx, id, 'image', all, env.clock.nowMs());
    return all;
  });
}

export async function removeImageMetadata(app: CinderApp, caller: Caller, id: string, key: string, absent: () => Error): Promise<void> {
  const { env } = app.deps;
  await env.store.write(async (tx: Tx) => {
    const row = await volumeFor(tx, caller, id, 'volume_extension:volume_image_metadata:remove');
    const { [key]: gone, ...rest } = pairsOf(row.image_metadata);
    if (gone === undefined) throw absent();
    refuseBusy(row, 'Deleting');
    await setVolumePairs(tx, id, 'image', rest, env.clock.nowMs());
  });
}

function refuseBusy(row: VolumeRow, verb: 'Updating' | 'Deleting'): void {
  if (row.status === 'maintenance' || row.status === 'uploading')
    throw invalidVolume(`${verb} volume metadata is not allowed for volumes in ${row.status} status.`);
}

/** The pairs in a metadata column. */
export const pairsOf = (json: string): Pairs => (json === '{}' ? {} : (JSON.parse(json) as Pairs));
