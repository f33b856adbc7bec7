/** One change of glance's JSON patch. */
export interface Change {
  readonly op: 'add' | 'replace' | 'remove';
  readonly path: string;
  readonly value?: unknown;
}

/** What every image has; all else are properties that its owner gave it. */
const BASE = new Set([
  'id',
  'name',
  'status',
  'visibility',
  'disk_format',
  'container_format',
  'size',
  'virtual_size',
  'min_disk',
  'min_ram',
  'protected',
  'os_hidden',
  'owner',
  'checksum',
  'os_hash_algo',
  'os_hash_value',
  'tags',
  'created_at',
  'updated_at',
  'self',
  'file',
  'schema',
  'locations',
  'direct_url',
  'stores',
]);

/** The properties that an image's owner gave it. */
export const propertiesOf = (image: object): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(image).flatMap(([key, value]) => (BASE.has(key) || value === null ? [] : [[key, String(value)]])));

const pointer = (key: string): string => `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;

/** The patch that makes an image's base attributes as they are in `base`, and its properties exactly `properties` where they are given. */
export function patchOf(
  image: object,
  { properties, ...base }: Readonly<Record<string, unknown>> & { readonly properties?: Readonly<Record<string, string>> | undefined },
): readonly Change[] {
  const changes: Change[] = Object.entries(base).map(([key, value]) => ({ op: 'replace', path: pointer(key), value }));
  if (properties === undefined) return changes;
  const before = propertiesOf(image);
  for (const [key, value] of Object.entries(properties)) {
    if (!(key in before)) changes.push({ op: 'add', path: pointer(key), value });
    else if (before[key] !== value) changes.push({ op: 'replace', path: pointer(key), value });
  }
  for (const key of Object.keys(before)) if (!(key in properties)) changes.push({ op: 'remove', path: pointer(key) });
  return changes;
}
