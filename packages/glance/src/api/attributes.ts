import { invalidInput, forbidden } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { ImageChange } from '../app/images.ts';
import { CONTAINER_FORMATS, DISK_FORMATS } from '../options.ts';

/** Set by glance alone (glance/api/v2/images.py, _readonly_properties). */
const READ_ONLY = new Set([
  'created_at',
  'updated_at',
  'status',
  'checksum',
  'size',
  'virtual_size',
  'direct_url',
  'self',
  'file',
  'schema',
  'id',
  'os_hash_algo',
  'os_hash_value',
  'stores',
]);
/** Names that are neither a user's nor settable (_reserved_properties). */
const RESERVED = new Set(['location', 'deleted', 'deleted_at']);
const MAX_TEXT = 255;

type Check = (value: unknown) => string | undefined;
const text: Check = (v) =>
  v === null || (typeof v === 'string' && [...v].length <= MAX_TEXT)
    ? undefined
    : typeof v === 'string'
      ? `'${v.slice(0, 40)}...' is too long`
      : `${JSON.stringify(v)} is not of type 'null', 'string'`;
const bool: Check = (v) => (typeof v === 'boolean' ? undefined : `${JSON.stringify(v)} is not of type 'boolean'`);
const count: Check = (v) =>
  typeof v !== 'number' || !Number.isInteger(v)
    ? `${JSON.stringify(v)} is not of type 'integer'`
    : v < 0
      ? `${v} is less than the minimum of 0`
      : v > 2_147_483_647
        ? `${v} is greater than the maximum of 2147483647`
        : undefined;
const oneOf =
  (allowed: readonly unknown[]): Check =>
  (v) =>
    allowed.includes(v) ? undefined : `${JSON.stringify(v)} is not one of ${JSON.stringify(allowed)}`;

const BASE: Readonly<Record<string, Check>> = {
  name: text,
  visibility: oneOf(['community', 'public', 'private', 'shared']),
  protected: bool,
  os_hidden: bool,
  disk_format: oneOf([null, ...DISK_FORMATS]),
  container_format: oneOf([null, ...CONTAINER_FORMATS]),
  min_disk: count,
  min_ram: count,
  owner: text,
};

export const isBase = (name: string): name is keyof ImageChange & string => Object.hasOwn(BASE, name);

/** Checks one attribute of a request; throws 403 for what only glance sets, 400 for a wrong value. */
export function checkAttribute(name: string, value: unknown): void {
  if (READ_ONLY.has(name)) throw forbidden(`Attribute '${name}' is read-only.`, { field: name });
  if (RESERVED.has(name)) throw forbidden(`Attribute '${name}' is reserved.`, { field: name });
  if (name.startsWith('os_glance')) throw forbidden(`Attribute '${name}' is reserved.`, { field: name });
  const problem = isBase(name)
    ? BASE[name]?.(value)
    : typeof value === 'string'
      ? value.length > 65_535
        ? 'it is too long'
        : undefined
      : `${JSON.stringify(value)} is not of type 'string'`;
  if (problem) throw invalidInput(`Provided object does not match schema 'image': ${problem}`, { field: name });
  if (!isBase(name) && (name.length === 0 || [...name].length > MAX_TEXT))
    throw invalidInput(`Property names can't be empty or over ${MAX_TEXT} characters`, { field: name });
}

export function checkTags(tags: unknown): string[] {
  if (!Array.isArray(tags)) throw invalidInput("Provided object does not match schema 'image': tags is not of type 'array'", { field: 'tags' });
  for (const tag of tags)
    if (typeof tag !== 'string' || [...tag].length > MAX_TEXT)
      throw invalidInput("Provided object does not match schema 'image': a tag is a string of at most 255 characters", { field: 'tags' });
  return tags as string[];
}

/** The body of POST /v2/images taken apart. */
export function newImage(body: unknown): { id?: string; change: ImageChange; properties: Record<string, string>; tags: string[] } {
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw invalidInput("Provided object does not match schema 'image': it is not of type 'object'");
  const change: Record<string, unknown> = {};
  const properties: Record<string, string> = {};
  let id: string | undefined;
  let tags: string[] = [];
  for (const [name, value] of Object.entries(body)) {
    if (name === 'id') {
      if (!isUuidLike(value)) throw invalidInput("Provided object does not match schema 'image': id is no UUID", { field: 'id' });
      id = value;
    } else if (name === 'tags') tags = checkTags(value);
    else if (name === 'locations') throw forbidden("It's not allowed to add locations if locations are invisible.", { field: name });
    else {
      checkAttribute(name, value);
      if (isBase(name)) change[name] = value;
      else properties[name] = value as string;
    }
  }
  return { ...(id !== undefined && { id }), change: change as ImageChange, properties, tags };
}

/** One operation of a JSON patch (RFC 6902, and glance's older form with the verb as key). */
export interface PatchOp {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value: unknown;
}

/** Reads a patch body. Throws 400 for what is no patch. */
export function patchOf(body: unknown): PatchOp[] {
  if (!Array.isArray(body)) throw invalidInput('Request body must be a JSON array of operation objects.');
  return body.map((raw: unknown) => {
    if (raw === null || typeof raw !== 'object') throw invalidInput('Operations must be JSON objects.');
    const change = raw as Record<string, unknown>;
    const verb = (change.op ?? ['add', 'replace', 'remove'].find((v) => v in change)) as string | undefined;
    if (verb !== 'add' && verb !== 'replace' && verb !== 'remove')
      throw invalidInput(`Unable to find 'op' in JSON Schema change. It must be one of the following: add, remove, replace.`);
    const pointer = (change.op === undefined ? change[verb] : change.path) as unknown;
    if (typeof pointer !== 'string') throw invalidInput('Unable to find path in JSON Schema change.');
    if (!pointer.startsWith('/') || pointer.length < 2) throw invalidInput(`Pointer \`${pointer}\` does not start with "/".`);
    if (/\/\/|\s/.test(pointer.replaceAll(/~[01]/g, '')) && /\/\/|^\/\s*$/.test(pointer)) throw invalidInput(`Pointer \`${pointer}\` contains adjacent "/".`);
    if (/~(?![01])/.test(pointer)) throw invalidInput(`Pointer \`${pointer}\` contains "~" not part of a recognized escape sequence.`);
    if (verb !== 'remove' && !('value' in change)) throw invalidInput(`Operation "${verb}" requires a member named "value".`);
    const parts = pointer
      .slice(1)
      .split('/')
      .map((p) => p.replaceAll('~1', '/').replaceAll('~0', '~'));
    if (parts.length > 1 && parts[0] !== 'locations') throw invalidInput(`Invalid JSON pointer for this resource: '${pointer}'`);
    return { op: verb, path: parts[0] as string, value: change.value };
  });
}
