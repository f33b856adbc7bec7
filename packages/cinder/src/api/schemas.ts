/** Parts that request schemas share (cinder/api/validation/parameter_types.py). */

export const DB_MAX_INT = 2_147_483_647;

const TRUE = [true, 'True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes', 'y', 't'];
const FALSE = [false, 'False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no', 'n', 'f'];

export const boolean = { type: ['boolean', 'string'], enum: [...TRUE, ...FALSE] };
export const optionalBoolean = { oneOf: [{ type: 'null' }, boolean] };
export const uuid = { type: 'string', format: 'uuid' };
export const optionalUuid = { oneOf: [{ type: 'null' }, uuid] };
export const text = { type: ['string', 'null'] };
export const shortText = { type: ['string', 'null'], minLength: 0, maxLength: 255 };
export const name = { type: 'string', minLength: 1, maxLength: 255, pattern: '\\S' };
/** Null, or 1 to 255 characters between the white space around them. */
export const trimmedName = { type: ['string', 'null'], pattern: '^\\s*\\S(?:[\\s\\S]{0,253}\\S)?\\s*$' };
export const updateName = { type: ['string', 'null'], minLength: 1, maxLength: 255 };
/** No control characters; white space other than tabs and line ends is fine. */
export const description = { type: ['string', 'null'], minLength: 0, maxLength: 255, pattern: '^[^\\p{C}\\u2028\\u2029]*$' };
export const size = { type: ['integer', 'string'], pattern: '^[0-9]+$', minimum: 1, maximum: DB_MAX_INT };
export const sizeOrNull = { type: ['integer', 'string', 'null'], pattern: '^[0-9]+$', minimum: 1, maximum: DB_MAX_INT };
export const zone = { type: ['string', 'null'], minLength: 1, maxLength: 255 };
export const cinderHost = { type: ['string', 'null'], minLength: 1, maxLength: 255, pattern: '^[a-zA-Z0-9-._#@:/+\\[\\]]*$' };

const pairs = (keys: string, value: object): Record<string, unknown> => ({ type: 'object', patternProperties: { [keys]: value }, additionalProperties: false });

export const metadata = pairs('^[a-zA-Z0-9-_:. /]{1,255}$', { type: 'string', maxLength: 255 });
export const metadataOrNull = { ...metadata, type: ['object', 'null'] };
export const oneMetadata = { ...metadata, minProperties: 1, maxProperties: 1 };
export const snapshotMetadata = pairs('^[a-zA-Z0-9-_:. ]{1,255}$', { type: 'string', maxLength: 255 });
export const imageMetadata = pairs('^[a-zA-Z0-9-_:. /]{1,255}$', { type: 'string', maxLength: 65_535 });
export const extraSpecs = pairs('^[a-zA-Z0-9-_:.]{1,255}$', { type: ['string', 'null'], minLength: 0, maxLength: 255 });
export const extraSpecsWithSpaces = pairs('^[a-zA-Z0-9-_:. /]{1,255}$', { type: ['string', 'null'], maxLength: 255 });

/** `{"os-extend": {...}}` and the like: one object under one key, nothing beside it. */
export const wrapped = (key: string, properties: object, required: readonly string[] = [], more: object = {}): Record<string, unknown> => ({
  type: 'object',
  properties: { [key]: { type: 'object', properties, required, additionalProperties: false, ...more } },
  required: [key],
  additionalProperties: false,
});

/** The same where other names do not matter, beside the key and under it. */
export const openlyWrapped = (key: string, properties: object, required: readonly string[] = []): Record<string, unknown> => ({
  type: 'object',
  properties: { [key]: { type: 'object', properties, required } },
  required: [key],
});

/** An action without arguments: whatever is sent under its key is ignored. */
export const bare = (key: string): Record<string, unknown> => ({ type: 'object', properties: { [key]: {} }, required: [key], additionalProperties: false });
