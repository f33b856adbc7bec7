import { Type } from 'typebox';

/** Pieces of upstream's JSON schemas (keystone/api/validation/parameter_types.py). */

export type Schema = Readonly<Record<string, unknown>>;

export const text: Schema = { type: 'string' };
export const textOrNull: Schema = { type: ['string', 'null'] };
/** Printed in lists and links, so no control characters; upstream asks for something besides white space. */
export const name255: Schema = { type: 'string', minLength: 1, maxLength: 255, format: 'name' };
export const name64: Schema = { type: 'string', minLength: 1, maxLength: 64, format: 'name' };
export const shortText: Schema = { type: 'string', minLength: 1, maxLength: 255 };
export const flagValue: Schema = { type: 'boolean' };
export const flagOrNull: Schema = { type: ['boolean', 'null'] };
export const id64: Schema = { type: 'string', minLength: 1, maxLength: 64, pattern: '^[a-zA-Z0-9-]+$' };
export const id64OrNull: Schema = { ...id64, type: ['string', 'null'] };
export const description255: Schema = { type: ['string', 'null'], maxLength: 255 };
export const regionId: Schema = { type: ['string', 'null'], minLength: 1, maxLength: 255, format: 'no-control' };
export const url: Schema = { type: 'string', minLength: 0, maxLength: 225, pattern: '^[a-zA-Z0-9+.-]+:.+' };
export const tag: Schema = { type: 'string', minLength: 1, maxLength: 255, pattern: '^[^,/]*$' };
export const tags: Schema = { type: 'array', items: tag, maxItems: 80, uniqueItems: true };
export const immutableOption: Schema = { type: 'object', properties: { immutable: flagOrNull }, additionalProperties: false };
/** A boolean as a query spells it. */
export const queryFlag: Schema = {
  enum: ['True', 'TRUE', 'true', 'False', 'FALSE', 'false', '', '1', '0', 'y', 'Y', 'n', 'N', 'on', 'ON', 'off', 'OFF', 'yes', 'no'],
};
export const paging = { marker: text, limit: text };

export interface ObjectRules {
  readonly required?: readonly string[];
  readonly minProperties?: number;
  readonly closed?: boolean;
}

export const object = (properties: Readonly<Record<string, Schema>>, rules: ObjectRules = {}): Schema => ({
  type: 'object',
  properties,
  ...(rules.required && { required: rules.required }),
  ...(rules.minProperties !== undefined && { minProperties: rules.minProperties }),
  additionalProperties: !rules.closed,
});

/** A body `{<name>: {...}}` with the static type of what is inside. Upstream lets unknown attributes pass unless said otherwise. */
export const bodyOf = <T>() => {
  return <const Name extends string>(name: Name, properties: Readonly<Record<string, Schema>>, rules: ObjectRules & { readonly openRoot?: boolean } = {}) =>
    Type.Unsafe<Readonly<Record<Name, T & Readonly<Record<string, unknown>>>>>(
      object({ [name]: object(properties, rules) }, { required: [name], closed: !rules.openRoot }),
    );
};

/** A query's schema; unknown parameters pass unless `closed`. */
export const queryOf = (properties: Readonly<Record<string, Schema>>, rules: ObjectRules = {}) => Type.Unsafe<unknown>(object(properties, rules));
