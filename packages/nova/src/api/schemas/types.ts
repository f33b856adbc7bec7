import type { TSchema } from 'typebox';

/** A JSON schema written out. Nova's schemas use forms that a typed builder has no words for. */
export const json = (schema: object): TSchema => schema as TSchema;

/** A closed object. */
export const object = (properties: Readonly<Record<string, object>>, required: readonly string[] = []): TSchema =>
  json({ type: 'object', properties, required, additionalProperties: false });

/** The body of an action: one key. */
export const actionBody = (name: string, value: object): TSchema => object({ [name]: value }, [name]);

/** A query parameter that may come several times. */
export const multi = (schema: object): object => ({ anyOf: [schema, { type: 'array', items: schema }] });

/** Printable characters, neither beginning nor ending with white space (nova/api/validation/parameter_types.py). */
const PRINTABLE = '[^\\p{C}\\p{Zl}\\p{Zp}]';
export const name = { type: 'string', minLength: 1, maxLength: 255, pattern: `^(?!\\s)${PRINTABLE}*(?<!\\s)$` };
/** A name of something that is there already: any text. */
export const nameOrNull = { type: ['string', 'null'], minLength: 1, maxLength: 255 };
export const description = { type: ['string', 'null'], maxLength: 255, pattern: `^${PRINTABLE}*$` };
export const hostname = { type: 'string', pattern: '^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$', minLength: 2, maxLength: 63 };
export const fqdn = { type: 'string', pattern: '^[a-zA-Z0-9\\-._]*$', minLength: 1, maxLength: 255 };
export const uuid = { type: 'string', format: 'uuid' };
export const ipv4 = { type: 'string', format: 'ipv4' };
export const ipv6 = { type: 'string', format: 'ipv6' };
export const ipAddress = { type: 'string', oneOf: [{ format: 'ipv4' }, { format: 'ipv6' }] };
export const boolean = {
  type: ['boolean', 'string'],
  enum: [
    true,
    'True',
    'TRUE',
    'true',
    '1',
    'ON',
    'On',
    'on',
    'YES',
    'Yes',
    'yes',
    false,
    'False',
    'FALSE',
    'false',
    '0',
    'OFF',
    'Off',
    'off',
    'NO',
    'No',
    'no',
  ],
};
export const positiveInteger = { type: ['integer', 'string'], pattern: '^[0-9]*$', minimum: 1, minLength: 1 };
export const nonNegativeInteger = { type: ['integer', 'string'], pattern: '^[0-9]*$', minimum: 0, minLength: 1 };
export const volumeSize = { type: ['integer', 'string'], pattern: '^[0-9]+$', minimum: 1, maximum: 0x7fffffff };
export const base64 = { type: 'string', format: 'base64' };
export const tag = { type: 'string', minLength: 1, maxLength: 60, pattern: '^[^,/]*$' };
export const diskConfig = { type: 'string', enum: ['AUTO', 'MANUAL'] };
export const metadata = {
  type: 'object',
  patternProperties: { '^[a-zA-Z0-9\\-_:. ]{1,255}$': { type: 'string', maxLength: 255 } },
  additionalProperties: false,
};
export const devicePath = { type: ['string', 'null'], pattern: '(^/dev/x{0,1}[a-z]{0,1}d{0,1})([a-z]+)[0-9]*$' };
/** A query that takes whatever comes. */
export const anyQuery = json({ type: 'object', additionalProperties: true });
