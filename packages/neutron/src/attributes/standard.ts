import Type, { type TSchema } from 'typebox';
import type { Attribute, AttributeMap } from './attribute.ts';
import { toBoolean } from './converters.ts';
import { DESCRIPTION_LENGTH, LONG_DESCRIPTION_LENGTH, NAME_LENGTH, nameString, PROJECT_ID_LENGTH, string, uuid } from './validators.ts';

export const textSchema = (description: string, maxLength?: number) => Type.String({ description, ...(maxLength === undefined ? {} : { maxLength }) });
/** What may be null besides. */
export const nullable = (schema: TSchema) => Type.Union([schema, Type.Null()]);
/** Whole seconds of UTC: `2026-01-31T12:00:00Z`. */
const TIME = Type.String({ format: 'date-time' });
export const uuidSchema = (description: string) => Type.String({ description, format: 'uuid' });

/** A route, of routers as of subnets. */
export const ROUTE = Type.Object({ destination: Type.String(), nexthop: Type.String() });

/** Attributes that many resources share, each declared once. */
export const id: Attribute = { validate: uuid, filter: true, sort: true, schema: uuidSchema('The ID of the resource.') };
export const name: Attribute = {
  post: true,
  put: true,
  default: '',
  validate: nameString(NAME_LENGTH),
  filter: true,
  sort: true,
  schema: textSchema('Human-readable name; need not be unique.', NAME_LENGTH),
};
export const tenantId: Attribute = {
  post: true,
  validate: string(PROJECT_ID_LENGTH),
  requiredByPolicy: true,
  filter: true,
  sort: true,
  schema: textSchema('The project that owns the resource.', PROJECT_ID_LENGTH),
};
export const flag = (initial: boolean, description: string, more: Partial<Attribute> = {}): Attribute => ({
  post: true,
  put: true,
  default: initial,
  convert: toBoolean,
  filter: true,
  sort: true,
  schema: Type.Boolean({ description, default: initial }),
  ...more,
});
export const adminStateUp: Attribute = flag(true, 'The administrative state, up (true) or down (false).');
export const status: Attribute = { filter: true, sort: true, schema: textSchema('The operational status.') };
export const readOnly = (description: string, shape: TSchema, more: Partial<Attribute> = {}): Attribute => ({ schema: { ...shape, description }, ...more });

/** The description of kinds that upstream gives more room (neutron_lib.db.constants.LONG_DESCRIPTION_FIELD_SIZE). */
export const longDescription: Attribute = {
  post: true,
  put: true,
  default: '',
  validate: string(LONG_DESCRIPTION_LENGTH),
  filter: true,
  schema: textSchema('Human-readable description.', LONG_DESCRIPTION_LENGTH),
};

const description: Attribute = {
  post: true,
  put: true,
  default: '',
  validate: string(DESCRIPTION_LENGTH),
  filter: true,
  schema: textSchema('Human-readable description.', DESCRIPTION_LENGTH),
};

/** The description of kinds that the cloud makes some of by itself, without one. */
export const descriptionOrNull: Attribute = { ...description, answer: nullable(Type.String()) };

/** Description, times and revision of every resource (extensions standard-attr-*). */
export const standardAttributes: AttributeMap = {
  description,
  created_at: readOnly('When the resource was created.', TIME, { default: null }),
  updated_at: readOnly('When the resource was changed last.', TIME, { default: null }),
  revision_number: readOnly('How often the resource has changed; for If-Match.', Type.Integer(), { default: null, filter: true }),
};

/** Tags and the filters by them (extension standard-attr-tag). */
export const tagAttributes: AttributeMap = {
  tags: { filter: true, schema: Type.Array(Type.String(), { description: 'The tags of the resource.' }) },
  'tags-any': { filter: true, visible: false, schema: textSchema('Tags of which one must be there, for lists.') },
  'not-tags': { filter: true, visible: false, schema: textSchema('Tags that must not all be there, for lists.') },
  'not-tags-any': { filter: true, visible: false, schema: textSchema('Tags of which none may be there, for lists.') },
};
