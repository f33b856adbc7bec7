import { forbidden, invalidInput } from '@cairn/kit/errors/errors';
import type { ImageChange } from '../app/images.ts';
import { IMAGE } from './image-schema.ts';
import { checkAgainst, refuseReadOnly } from './schema-check.ts';

/** Refused in a new image before anything else is looked at (_disallowed_properties in glance/api/v2/images.py). */
const DISALLOWED = ['direct_url', 'self', 'file', 'schema', 'stores'];
/** Set by glance alone (_readonly_properties there, and of the image factory). */
const READ_ONLY = new Set([...DISALLOWED, 'created_at', 'updated_at', 'status', 'checksum', 'size', 'virtual_size', 'id', 'os_hash_algo', 'os_hash_value']);
/** Names that are neither a user's nor settable (_reserved_properties). */
const RESERVED = new Set(['location', 'deleted', 'deleted_at']);
/** Beginning of the names that glance marks its own work with. */
const RESERVED_NAMESPACE = 'os_glance';
const MAX_NAME = 255;
const MAX_INTEGER = 2_147_483_647;

const SETTABLE = new Set(['name', 'visibility', 'protected', 'os_hidden', 'disk_format', 'container_format', 'min_disk', 'min_ram', 'owner']);
/** An attribute that a client may set, besides tags, locations and properties of its own. */
export const isSettable = (name: string): name is keyof ImageChange & string => SETTABLE.has(name);

function checkNumber(name: string, value: unknown): void {
  if ((name !== 'min_disk' && name !== 'min_ram') || typeof value !== 'number') return;
  if (value < 0) throw invalidInput(`Invalid value '${value}' for parameter '${name}': Cannot be a negative value`, { field: name });
  if (value > MAX_INTEGER) throw invalidInput(`'${name}' value out of range, must not exceed ${MAX_INTEGER}`, { field: name });
}

function checkName(name: string): void {
  if (RESERVED.has(name) || name.startsWith(RESERVED_NAMESPACE)) throw forbidden(`Attribute '${name}' is reserved.`, { field: name });
}

export function checkTags(tags: readonly string[]): void {
  checkAgainst(IMAGE, { tags });
}

/** The body of POST /v2/images taken apart. */
export function newImage(body: unknown): { id?: string; change: ImageChange; properties: Record<string, string>; tags: string[] } {
  refuseReadOnly(body, DISALLOWED);
  checkAgainst(IMAGE, body);
  const change: Record<string, unknown> = {};
  const properties: Record<string, string> = {};
  let id: string | undefined;
  let tags: string[] = [];
  let locations = false;
  const readOnly: string[] = [];
  for (const [name, value] of Object.entries(body as Record<string, unknown>)) {
    if (name === 'id') id = value as string;
    else if (name === 'tags') tags = value as string[];
    else if (name === 'locations') locations = true;
    else if (READ_ONLY.has(name)) readOnly.push(name);
    else if (isSettable(name)) {
      checkNumber(name, value);
      change[name] = value;
    } else {
      if ([...name].length > MAX_NAME) throw invalidInput('Custom property should not be greater than 255 characters.', { field: name });
      if (name === '') throw invalidInput('A custom property must have a name.');
      checkName(name);
      // only kernel_id and ramdisk_id can be null: there is none then
      if (value !== null) properties[name] = value as string;
    }
  }
  for (const name of readOnly) throw forbidden(`Attribute '${name}' is read-only.`, { field: name });
  if (locations) throw forbidden("Attribute 'locations' is reserved.", { field: 'locations' });
  return { ...(id !== undefined && { id: id.toLowerCase() }), change: change as ImageChange, properties, tags };
}

/** One operation of a JSON patch. */
export interface PatchOp {
  readonly op: 'add' | 'replace' | 'remove';
  /** The attribute; of locations alone, also the position. */
  readonly path: readonly [string, ...string[]];
  readonly value: unknown;
  /** By the older draft, `add` refuses what is there already. */
  readonly draft: 4 | 10;
}

const VERBS = ['add', 'remove', 'replace'] as const;
type Verb = (typeof VERBS)[number];
const isVerb = (text: unknown): text is Verb => VERBS.includes(text as Verb);
/** The two forms of patches, by content type. */
const DRAFTS: Readonly<Record<string, 4 | 10>> = {
  'application/openstack-images-v2.0-json-patch': 4,
  'application/openstack-images-v2.1-json-patch': 10,
};
const LOCATION_DEPTH: Readonly<Record<Verb, number>> = { add: 2, remove: 2, replace: 1 };

/** Which draft a patch is written by. Throws 415, with Accept-Patch, for another content type. */
export function draftOf(contentType: string | undefined): 4 | 10 {
  const draft = DRAFTS[(contentType ?? '').split(';')[0]?.trim().toLowerCase() ?? ''];
  if (draft !== undefined) return draft;
  const allowed = Object.keys(DRAFTS).toSorted().join(', ');
  throw invalidInput(`Image PATCH expects Content-Type one of: ${allowed}`, { status: 415, headers: { 'Accept-Patch': allowed } });
}

/** Reads and checks a patch body. Throws 400 for what is no patch or breaks the schema, 403 for attributes that only glance sets. */
export function patchOf(body: unknown, draft: 4 | 10): PatchOp[] {
  if (body === undefined) throw invalidInput('Body expected in request.');
  if (!Array.isArray(body)) throw invalidInput('Request body must be a JSON array of operation objects.');
  return body.map((raw: unknown) => {
    if (raw === null || typeof raw !== 'object' || Array.isArray(raw)) throw invalidInput('Operations must be JSON objects.');
    const change = raw as Record<string, unknown>;
    const op = draft === 10 ? verbOf(change) : olderVerbOf(change);
    const path = pathOf(draft === 10 ? pointerOf(change) : change[op]);
    const root = path[0];
    if (path.length !== (root === 'locations' ? LOCATION_DEPTH[op] : 1)) throw invalidInput(`Invalid JSON pointer for this resource: '/${path.join('/')}'`);
    if (op !== 'remove' && !Object.hasOwn(change, 'value')) throw invalidInput(`Operation "${op}" requires a member named "value".`);
    checkChange(op, path, change.value);
    return { op, path, value: change.value, draft };
  });
}

function verbOf(change: Readonly<Record<string, unknown>>): Verb {
  const { op } = change;
  if (op === undefined || op === null) throw invalidInput(`Unable to find \`op\` in JSON Schema change. It must be one of the following: ${VERBS.join(', ')}.`);
  if (!isVerb(op)) throw invalidInput(`Invalid operation: \`${String(op)}\`. It must be one of the following: ${VERBS.join(', ')}.`);
  return op;
}

/** By the older draft the verb is the key of the path: `{"replace": "/name", "value": "x"}`. */
function olderVerbOf(change: Readonly<Record<string, unknown>>): Verb {
  const found = VERBS.filter((verb) => Object.hasOwn(change, verb));
  if (found.length > 1) throw invalidInput('Operation objects must contain only one member named "add", "remove", or "replace".');
  if (!found[0]) throw invalidInput('Operation objects must contain exactly one member named "add", "remove", or "replace".');
  return found[0];
}

function pointerOf(change: Readonly<Record<string, unknown>>): unknown {
  if (!Object.hasOwn(change, 'path')) throw invalidInput("Unable to find 'path' in JSON Schema change");
  return change.path;
}

/** A JSON pointer as its parts; upstream takes a limited form alone. */
function pathOf(pointer: unknown): [string, ...string[]] {
  if (typeof pointer !== 'string' || !pointer.startsWith('/')) throw invalidInput(`Pointer \`${String(pointer)}\` does not start with "/".`);
  if (/\/\s*?\//.test(pointer.slice(1))) throw invalidInput(`Pointer \`${pointer}\` contains adjacent "/".`);
  if (pointer.length > 1 && pointer.endsWith('/')) throw invalidInput(`Pointer \`${pointer}\` end with "/".`);
  if (pointer.slice(1).trim() === '/') throw invalidInput(`Pointer \`${pointer}\` does not contains valid token.`);
  if (/~[^01]/.test(pointer) || pointer.endsWith('~')) throw invalidInput(`Pointer \`${pointer}\` contains "~" not part of a recognized escape sequence.`);
  const parts = pointer
    .replace(/^\/+/, '')
    .split('/')
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~').trim());
  return parts as [string, ...string[]];
}

function checkChange(op: Verb, path: readonly [string, ...string[]], value: unknown): void {
  const [name] = path;
  if (READ_ONLY.has(name)) throw forbidden(`Attribute '${name}' is read-only.`, { field: name });
  checkName(name);
  if (op === 'remove') return;
  if (name === '' || [...name].length > MAX_NAME) throw invalidInput('Custom property should not be greater than 255 characters.', { field: name });
  // SECURITY: an own property named __proto__ would set the prototype of what it is written to
  if (name === '__proto__') throw invalidInput("'__proto__' cannot be the name of a property.", { field: name });
  checkAgainst(IMAGE, { [name]: path.length > 1 ? [value] : value });
  checkNumber(name, value);
}
