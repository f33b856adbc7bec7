import { promisify } from 'node:util';
import { deflate, inflate, zstdCompress, zstdDecompress } from 'node:zlib';
import { conflict } from '@cairn/kit/errors/errors';
import { damaged } from '../read.ts';
import type { BackupPlace, BackupWrite, VolumeFacts } from '../driver.ts';

/*
 * Upstream's layout of backups in objects (cinder/backup/chunkeddriver.py, version 1.0.0), so that either side restores the other's:
 *   volume_<volume>/<time>/az_<zone>_backup_<id>              the prefix of all names: `service_metadata` of the row
 *   <prefix>-00001 ...                                        stretches of the volume, each compressed or not; of an increment, what has changed
 *   <prefix>_sha256file                                       JSON: SHA-256 of each block of the whole volume
 *   <prefix>_metadata                                         JSON: the stretches; the volume's own metadata. Written last: without it there is no backup
 */

export const LAYOUT_VERSION = '1.0.0';

export const COMPRESSIONS = ['zlib', 'zstd', 'none'] as const;
export type Compression = (typeof COMPRESSIONS)[number];

/** A stretch of the volume, and the object that has it. */
export interface Extent {
  readonly name: string;
  readonly offset: number;
  readonly length: number;
  readonly compression: string;
  readonly md5: string;
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
const PREFIX = new RegExp(`^volume_${UUID}/\\d{14}/az_[^/\\u0000-\\u001f]{1,255}_backup_${UUID}$`);

export function prefixOf(id: string, volumeId: string, zone: string, nowMs: number): string {
  const time = new Date(nowMs).toISOString().replace(/[-:T]|\..*/g, '');
  return `volume_${volumeId}/${time}/az_${zone.replaceAll('/', '_')}_backup_${id}`;
}

/** Whether a record names what a backup's objects can begin with: more would be removed with it otherwise. */
export const isPrefix = (text: string): boolean => PREFIX.test(text);

export const objectName = (prefix: string, number: number): string => `${prefix}-${String(number).padStart(5, '0')}`;
export const metadataName = (prefix: string): string => `${prefix}_metadata`;
export const hashesName = (prefix: string): string => `${prefix}_sha256file`;

/** Whether an object with this prefix is one of the backup's. */
export function isObjectOf(prefix: string, name: string): boolean {
  return name.startsWith(prefix) && /^(?:-\d{5,}|_metadata|_sha256file)$/.test(name.slice(prefix.length));
}

const [deflated, inflated, zstd, unzstd] = [promisify(deflate), promisify(inflate), promisify(zstdCompress), promisify(zstdDecompress)];

/** As upstream does, a stretch that does not become shorter is kept as it is. */
export async function compressed(data: Buffer, compression: Compression): Promise<{ readonly compression: Compression; readonly data: Buffer }> {
  if (compression === 'none') return { compression, data };
  const shorter = compression === 'zlib' ? await deflated(data) : await zstd(data);
  return shorter.length < data.length ? { compression, data: shorter } : { compression: 'none', data };
}

/** Names of upstream's that mean the same. */
const ALIASES: Readonly<Record<string, Compression>> = { none: 'none', off: 'none', no: 'none', zlib: 'zlib', gzip: 'zlib', zstd: 'zstd' };

export async function decompressed(id: string, extent: Extent, data: Buffer): Promise<Buffer> {
  const compression = ALIASES[extent.compression.toLowerCase()];
  if (compression === undefined)
    throw conflict(`Backup ${id} is compressed with ${extent.compression}, which Cairn does not read. Restore it with upstream's cinder.`);
  const options = { maxOutputLength: extent.length };
  try {
    const whole = compression === 'none' ? data : compression === 'zlib' ? await inflated(data, options) : await unzstd(data, options);
    if (whole.length === extent.length) return whole;
  } catch (error) {
    throw damaged(id, `${extent.name}: ${String(error)}`);
  }
  throw damaged(id, `${extent.name} has another length`);
}

/** `2026-01-31 12:00:00+00:00`, as Python writes times. */
const pythonTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19).replace('T', ' ')}+00:00`;

/** What both JSON objects begin with. */
export const labels = (id: string, ask: BackupWrite): Record<string, unknown> => ({
  version: LAYOUT_VERSION,
  backup_id: id,
  volume_id: ask.volumeId,
  backup_name: ask.name,
  backup_description: ask.description,
  created_at: pythonTime(ask.createdAtMs),
});

export function metadataText(id: string, ask: BackupWrite, extents: readonly Extent[]): string {
  const { facts } = ask;
  const some = (pairs: object): boolean => Object.keys(pairs).length > 0;
  const volume = {
    version: 2,
    'volume-base-metadata': {
      id: ask.volumeId,
      display_name: facts.name,
      size: Math.floor(ask.sizeBytes / 2 ** 30),
      bootable: facts.bootable,
      volume_type_id: facts.typeId,
    },
    ...(some(facts.metadata) && { 'volume-metadata': facts.metadata }),
    ...(some(facts.imageMetadata) && { 'volume-glance-metadata': facts.imageMetadata }),
  };
  return JSON.stringify({
    ...labels(id, ask),
    parent_id: ask.parentId,
    volume_meta: JSON.stringify(volume),
    objects: extents.map(({ name, ...rest }) => ({ [name]: rest })),
  });
}

export interface Metadata {
  /** By their offsets; none covers what another does. */
  readonly extents: readonly Extent[];
  readonly facts: VolumeFacts;
}

/** Stretches are read whole. */
const LONGEST_EXTENT_BYTES = 2 ** 30;

/** Reads what upstream or Cairn has written. Throws when it is something else. */
export function readMetadata(id: string, { place }: Pick<BackupPlace, 'place'>, text: string): Metadata {
  let value: Record<string, unknown>;
  try {
    value = JSON.parse(text) as Record<string, unknown>;
  } catch (error) {
    throw damaged(id, String(error));
  }
  if (value === null || typeof value !== 'object') throw damaged(id, 'the metadata is no object');
  if (value['version'] !== LAYOUT_VERSION)
    throw conflict(`Backup ${id} has a version of upstream's layout that Cairn does not know: ${String(value['version'])}.`);
  const list = value['objects'];
  if (!Array.isArray(list)) throw damaged(id, 'the metadata names no objects');
  const extents = list.map((one: unknown) => extentOf(id, place, one)).toSorted((a, b) => a.offset - b.offset);
  let end = 0;
  for (const extent of extents) {
    if (extent.offset < end) throw damaged(id, `${extent.name} covers what another one does`);
    end = extent.offset + extent.length;
  }
  return { extents, facts: factsOf(value['volume_meta']) };
}

function extentOf(id: string, prefix: string, one: unknown): Extent {
  const [entry] = Object.entries((one ?? {}) as Record<string, Record<string, unknown>>);
  const [name, facts] = entry ?? [];
  const whole = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
  if (name === undefined || !facts || !isObjectOf(prefix, name)) throw damaged(id, 'the metadata names an object that is not the backup’s');
  const { offset, length, compression, md5 } = facts;
  if (!whole(offset) || !whole(length) || length === 0) throw damaged(id, `${name} has no place in the volume`);
  if (length > LONGEST_EXTENT_BYTES) throw conflict(`Backup ${id} has objects of more than 1 GiB, which Cairn does not read.`);
  return { name, offset, length, compression: String(compression), md5: String(md5) };
}

function factsOf(text: unknown): VolumeFacts {
  let value: Record<string, Record<string, unknown>> = {};
  try {
    value = (JSON.parse(String(text ?? '{}')) ?? {}) as typeof value;
  } catch {
    // a backup without them is whole
  }
  const pairs = (name: string): Record<string, string> =>
    Object.fromEntries(
      Object.entries(value[name] ?? {}).flatMap(([key, one]) => (key.length <= 255 && typeof one === 'string' ? [[key, one.slice(0, 255)]] : [])),
    );
  const base = value['volume-base-metadata'] ?? {};
  const imageMetadata = pairs('volume-glance-metadata');
  return {
    name: typeof base['display_name'] === 'string' ? base['display_name'] : null,
    bootable: base['bootable'] === true || Object.keys(imageMetadata).length > 0,
    typeId: null,
    metadata: pairs('volume-metadata'),
    imageMetadata,
  };
}
