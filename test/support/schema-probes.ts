import { isIPv4, isIPv6 } from 'node:net';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import type { Schema } from './upstream.ts';

type Path = readonly (string | number)[];

const isPrintable = (text: string): boolean => !/[\p{C}\p{Zl}\p{Zp}]/u.test(text);
const isTrimmed = (text: string): boolean => text !== '' && text.trim() === text;
type Formats = Readonly<Record<string, (text: string) => boolean>>;
const isShort = (text: string): boolean => text !== '' && text.length <= 255;
/** The formats that upstream's own checkers know; one that is not here takes anything. */
const FORMATS: Formats = {
  uuid: (text) => /^[0-9a-f]{32}$/i.test(text.replace(/urn:|uuid:|[{}-]/g, '')),
  ipv4: (text) => isIPv4(text),
  ipv6: (text) => isIPv6(text),
  cidr: (text) => /^\d+\.\d+\.\d+\.\d+\/\d+$/.test(text),
  uri: (text) => URL.canParse(text),
  url: (text) => URL.canParse(text),
  'date-time': (text) => /^\d{4}-\d\d-\d\d/.test(text) && !Number.isNaN(Date.parse(text)),
  'mac-address': (text) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(text),
  base64: (text) => text.replace(/[^A-Za-z0-9+/=]/g, '').length % 4 === 0,
  name: (text) => isTrimmed(text) && isPrintable(text),
  name_with_leading_trailing_spaces: (text) => text.trim() !== '' && isPrintable(text),
  az_name: (text) => isTrimmed(text) && isPrintable(text) && !text.includes(':'),
  az_name_with_leading_trailing_spaces: (text) => text.trim() !== '' && isPrintable(text) && !text.includes(':'),
};

/** What cinder means by names of its own or by the same ones (cinder/api/validation/validators.py). */
const CINDERS: Formats = {
  ...FORMATS,
  name: (text) => text.trim() !== '',
  name_skip_leading_trailing_spaces: (text) => text.trim() !== '' && text.trim().length <= 255,
  availability_zone: isShort,
  group_type: isShort,
  disabled_reason: (text) => text.trim().length <= 255,
  backup_status: (text) => ['available', 'error'].includes(text),
  key_size: (text) => /^\d+$/.test(text),
  mysql_text: (text) => text.length <= 65_535,
};

const ajvs = { nova: validator(FORMATS), cinder: validator(CINDERS) } as const;
export type Service = keyof typeof ajvs;

function validator(formats: Formats): Ajv2020 {
  const ajv = new Ajv2020({ strict: false, allowUnionTypes: true, ownProperties: true, unicodeRegExp: false, logger: false });
  for (const [name, check] of Object.entries(formats)) ajv.addFormat(name, check);
  // limits hold for numbers in strings too
  for (const keyword of ['minimum', 'maximum'] as const) {
    ajv.removeKeyword(keyword);
    ajv.addKeyword({
      keyword,
      validate: (limit: number, data: unknown) => {
        const value = typeof data === 'number' ? data : typeof data === 'string' && data.trim() !== '' ? Number(data) : Number.NaN;
        return Number.isNaN(value) || (keyword === 'minimum' ? value >= limit : value <= limit);
      },
    });
  }
  return ajv;
}

const compiled = new WeakMap<Schema, ValidateFunction>();
/** Whether a value fits a schema of upstream's. */
export function fits(service: Service, schema: Schema, value: unknown): boolean {
  let check = compiled.get(schema);
  if (check === undefined) {
    check = ajvs[service].compile(schema);
    compiled.set(schema, check);
  }
  return check(value);
}

const UUID = '11111111-1111-4111-8111-111111111111';
const WORDS = [UUID, 'x', '1', 'True', '10.0.0.1', 'fe80::1', '10.0.0.0/8', '2020-01-01T00:00:00Z', 'http://a', 'aa:bb:cc:dd:ee:ff', 'YQ=='];

const merged = (a: Schema, b: Schema): Schema => ({
  ...a,
  ...b,
  ...(a['properties'] !== undefined || b['properties'] !== undefined ? { properties: { ...(a['properties'] as object), ...(b['properties'] as object) } } : {}),
  ...(a['required'] !== undefined || b['required'] !== undefined
    ? { required: [...((a['required'] as string[] | undefined) ?? []), ...((b['required'] as string[] | undefined) ?? [])] }
    : {}),
});

/** A value that fits a schema, with all its properties. */
function exampleOf(service: Service, schema: Schema): unknown {
  if ('const' in schema) return schema['const'];
  const values = schema['enum'] as readonly unknown[] | undefined;
  if (values !== undefined) return values.find((one) => one !== null) ?? null;
  const { oneOf, anyOf, ...rest } = schema;
  const choices = (oneOf ?? anyOf) as readonly Schema[] | undefined;
  if (choices !== undefined) {
    const examples = choices.map((one) => exampleOf(service, merged(rest, one)));
    return examples.find((one) => one !== null && fits(service, schema, one)) ?? examples[0];
  }
  const {
    properties,
    required = [],
    patternProperties,
  } = schema as { properties?: Record<string, Schema>; required?: string[]; patternProperties?: Record<string, Schema> };
  const types = new Set(
    [schema['type'] ?? (properties !== undefined || required.length > 0 ? 'object' : schema['items'] !== undefined ? 'array' : 'string')].flat(),
  );
  if (types.has('object')) {
    const [pattern] = Object.values(patternProperties ?? {});
    const names = [...new Set([...required, ...Object.keys(properties ?? {})])];
    return Object.fromEntries([
      ...names.map((name) => [name, exampleOf(service, properties?.[name] ?? {})]),
      ...(pattern === undefined ? [] : [['a', exampleOf(service, pattern)]]),
    ]);
  }
  if (types.has('array'))
    return Array.from({ length: Math.max((schema['minItems'] as number | undefined) ?? 0, 1) }, () =>
      exampleOf(service, (schema['items'] as Schema | undefined) ?? {}),
    );
  if (types.has('string')) return WORDS.find((word) => fits(service, schema, word)) ?? 'x';
  if (types.has('integer') || types.has('number')) return Math.max((schema['minimum'] as number | undefined) ?? 1, 1);
  return types.has('boolean') ? true : null;
}

const ODD: readonly unknown[] = [
  null,
  '',
  'x',
  ' a ',
  'x'.repeat(255),
  'x'.repeat(256),
  'x'.repeat(70_000),
  0,
  -1,
  '0',
  '-1',
  1.5,
  2 ** 31,
  true,
  [],
  [null],
  {},
  { a: null },
  'a\u0007',
];

function* pathsOf(value: unknown, at: Path = []): Generator<Path> {
  yield at;
  if (value !== null && typeof value === 'object')
    for (const key of Object.keys(value)) yield* pathsOf((value as Record<string, unknown>)[key], [...at, Array.isArray(value) ? Number(key) : key]);
}
const within = (value: unknown, path: Path): unknown => path.reduce((at: unknown, key) => (at as Record<string | number, unknown>)[key], value);
/** A copy with something else at a path, or with nothing there. */
function changed(value: unknown, [key, ...rest]: Path, change: { readonly to: unknown } | 'gone'): unknown {
  if (key === undefined) return change === 'gone' ? undefined : change.to;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  if (change === 'gone' && rest.length === 0) delete copy[key];
  else copy[key] = changed(copy[key], rest, change);
  return copy;
}

/** What a schema may take or refuse: an example, with each of its parts left out, added to or something odd. */
export function* probesOf(service: Service, schema: Schema): Generator<readonly [what: string, value: unknown]> {
  const example = exampleOf(service, schema);
  yield ['as it should be', example];
  for (const path of pathsOf(example)) {
    const at = path.join('.');
    const part = within(example, path);
    if (path.length > 0 && typeof path.at(-1) === 'string') yield [`without ${at}`, changed(example, path, 'gone')];
    if (Array.isArray(part))
      for (const length of [0, 51, 1000])
        yield [`${length} of ${at}`, changed(example, path, { to: Array.from({ length }, (_, n) => (typeof part[0] === 'string' ? `x${n}` : part[0])) })];
    else if (part !== null && typeof part === 'object') yield [`surplus in ${at}`, changed(example, path, { to: { ...part, surplus: 1 } })];
    for (const odd of ODD)
      yield [`${at} = ${typeof odd === 'string' && odd.length > 20 ? `${odd.length} letters` : JSON.stringify(odd)}`, changed(example, path, { to: odd })];
  }
}
