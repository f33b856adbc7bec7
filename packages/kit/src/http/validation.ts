import type { SchemaValidateFunction } from 'ajv';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { isIPv4, isIPv6 } from 'node:net';
import type { TSchema } from 'typebox';
import { CairnError } from '../errors/errors.ts';
import { isUuidLike } from '../ids/ids.ts';
import { rankOf, type Version } from './microversion.ts';
import type { Versioned } from './operation.ts';

const ajv = new Ajv2020({ strict: false, allErrors: false, allowUnionTypes: true, verbose: true, ownProperties: true });

const cidr = (text: string): boolean => {
  const [address, length, rest] = text.split('/');
  if (rest !== undefined || address === undefined || length === undefined || !/^\d{1,3}$/.test(length)) return false;
  return (isIPv4(address) && Number(length) <= 32) || (isIPv6(address) && Number(length) <= 128);
};

/** As upstream's decoder judges: letters outside of the alphabet do not count, and the rest comes in fours, padded. */
function isBase64(text: string): boolean {
  let inFour = 0;
  let pads = 0;
  for (const letter of text) {
    if (letter === '=') {
      pads += 1;
      if (inFour >= 2 && inFour + pads >= 4) return true;
    } else if (/[A-Za-z0-9+/]/.test(letter)) {
      pads = 0;
      inFour = (inFour + 1) % 4;
    }
  }
  return inFour === 0;
}

/** The `format`s that schemas may name; the set that upstream's own validators know. */
const FORMATS: Readonly<Record<string, (text: string) => boolean>> = {
  uuid: isUuidLike,
  ipv4: (t) => isIPv4(t),
  ipv6: (t) => isIPv6(t),
  ip: (t) => isIPv4(t) || isIPv6(t),
  cidr,
  'date-time': (t) => /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?$/.test(t) && !Number.isNaN(Date.parse(t)),
  uri: (t) => URL.canParse(t),
  base64: isBase64,
  'mac-address': (t) => /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(t),
  regex: (t) => {
    try {
      new RegExp(t, 'u');
      return true;
    } catch {
      return false;
    }
  },
  // no control characters, and something besides white space
  name: (t) => /\S/.test(t) && !hasControl(t),
  'no-control': (t) => !hasControl(t),
};
for (const [name, validate] of Object.entries(FORMATS)) ajv.addFormat(name, validate);

// nova and cinder hold numbers that come as text to the same limits
for (const keyword of ['minimum', 'maximum'] as const) {
  ajv.removeKeyword(keyword);
  const validate: SchemaValidateFunction = (limit: number, value: unknown, parentSchema = {}) => {
    const number = typeof value === 'number' ? value : typeof value === 'string' && value.trim() !== '' ? Number(value) : Number.NaN;
    if (!(keyword === 'minimum' ? number < limit : number > limit)) return true;
    // ajv adds the paths and the value to errors of keywords of others, not the schema around
    validate.errors = [{ keyword, params: { limit }, parentSchema }];
    return false;
  };
  ajv.addKeyword({ keyword, type: ['number', 'string'], schemaType: 'number', errors: true, validate });
}

/** True for text with C0, DEL or C1 control characters; such text must not meet a console, a log or a config file. */
export function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c < 0x20 || (c >= 0x7f && c < 0xa0)) return true;
  }
  return false;
}

const compiled = new WeakMap<object, ValidateFunction>();

/** The schema that holds at `version`; undefined where none does yet. */
export function schemaAt(schema: Versioned, version: Version | undefined): TSchema | undefined {
  if (!Array.isArray(schema)) return schema as TSchema;
  let found: TSchema | undefined;
  for (const range of schema as readonly { from: string; schema: TSchema }[]) if (!version || rankOf(range.from) <= version.rank) found = range.schema;
  return found;
}

/** Checks `value`; throws InvalidInput that names the field. Schemas compile on first use: eagerly, hundreds cost seconds. */
export function validate(schema: TSchema, value: unknown, where: 'body' | 'query'): void {
  let check = compiled.get(schema);
  if (!check) {
    check = ajv.compile(schema);
    compiled.set(schema, check);
  }
  if (check(value)) return;
  throw invalid((check.errors ?? [])[0], where);
}

/** upstream's sentence for a value that breaks its schema (nova, cinder and keystone share it in large part). */
function invalid(error: ErrorObject | undefined, where: 'body' | 'query'): CairnError {
  if (!error) return new CairnError('InvalidInput', `Invalid ${where}.`);
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map((p) => p.replaceAll('~1', '/').replaceAll('~0', '~'));
  const reason = reasonOf(error);
  const field = path.join('/');
  const message =
    field === '' || error.keyword === 'required' || error.keyword === 'additionalProperties'
      ? `Invalid input${field ? ` for field/attribute ${path.at(-1)}. Value: ${show(error.data)}` : ''}. ${reason}`
      : `Invalid input for field/attribute ${path.at(-1)}. Value: ${show(error.data)}. ${reason}`;
  return new CairnError('InvalidInput', where === 'query' ? `Invalid input for query parameters ${field}. Value: ${show(error.data)}. ${reason}` : message, {
    type: 'ValidationError',
    field: field || (error.params as { missingProperty?: string }).missingProperty || where,
    detail: {
      keyword: error.keyword,
      path: error.instancePath,
      schemaPath: error.schemaPath,
      value: error.data,
      params: error.params,
      reason,
      schema: error.parentSchema,
    },
  });
}

const show = (value: unknown): string => {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return (text ?? 'None').length > 200 ? `${text.slice(0, 200)}...` : (text ?? 'None');
};
const quote = (value: unknown): string => (typeof value === 'string' ? `'${show(value)}'` : show(value));

function reasonOf(error: ErrorObject): string {
  const params = error.params as Record<string, unknown>;
  switch (error.keyword) {
    case 'required':
      return `'${params.missingProperty}' is a required property`;
    case 'additionalProperties':
      return `Additional properties are not allowed ('${params.additionalProperty}' was unexpected)`;
    case 'type':
      return `${quote(error.data)} is not of type ${String(params.type)
        .split(',')
        .map((t) => `'${t}'`)
        .join(', ')}`;
    case 'enum':
      return `${quote(error.data)} is not one of [${(params.allowedValues as unknown[]).map(quote).join(', ')}]`;
    case 'maxLength':
      return `${quote(error.data)} is too long`;
    case 'minLength':
      return `${quote(error.data)} is too short`;
    case 'maxItems':
      return `${show(error.data)} is too long`;
    case 'minItems':
      return `${show(error.data)} is too short`;
    case 'minimum':
      return `${show(error.data)} is less than the minimum of ${params.limit}`;
    case 'maximum':
      return `${show(error.data)} is greater than the maximum of ${params.limit}`;
    case 'pattern':
      return `${quote(error.data)} does not match '${params.pattern}'`;
    case 'format':
      return `${quote(error.data)} is not a '${params.format}'`;
    case 'minProperties':
      return `${show(error.data)} does not have enough properties`;
    case 'maxProperties':
      return `${show(error.data)} has too many properties`;
    case 'uniqueItems':
      return `${show(error.data)} has non-unique elements`;
    case 'oneOf':
    case 'anyOf':
      return `${quote(error.data)} is not valid under any of the given schemas`;
    default:
      return error.message ?? 'it is not valid';
  }
}
