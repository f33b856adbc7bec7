import { checkAgainst, refuseReadOnly } from '../schema-check.ts';

export { bodyOf, checkAgainst } from '../schema-check.ts';

// The JSON schemas of metadata definitions as glance publishes them (glance/api/v2/metadef_*.py): names, types and limits are facts.

type Json = Readonly<Record<string, unknown>>;

const TYPES = ['array', 'boolean', 'integer', 'number', 'object', 'string', null];
const readOnlyTime = (description: string): Json => ({ type: 'string', readOnly: true, description, format: 'date-time' });
const readOnlyText: Json = { readOnly: true, type: 'string' };
const positive: Json = { $ref: '#/definitions/positiveInteger' };
const positiveOr0: Json = { $ref: '#/definitions/positiveIntegerDefault0' };

const PROPERTY_FIELDS: Json = {
  name: { type: 'string', maxLength: 80 },
  title: { type: 'string' },
  description: { type: 'string' },
  operators: { type: 'array', items: { type: 'string' } },
  type: { type: 'string', enum: TYPES },
  required: { $ref: '#/definitions/stringArray' },
  minimum: { type: 'number' },
  maximum: { type: 'number' },
  maxLength: positive,
  minLength: positiveOr0,
  pattern: { type: 'string', format: 'regex' },
  enum: { type: 'array' },
  readonly: { type: 'boolean' },
  default: {},
  items: { type: 'object', properties: { type: { type: 'string', enum: TYPES }, enum: { type: 'array' } } },
  maxItems: positive,
  minItems: positiveOr0,
  uniqueItems: { type: 'boolean', default: false },
  additionalItems: { type: 'boolean' },
};
const integers = {
  positiveInteger: { type: 'integer', minimum: 0 },
  positiveIntegerDefault0: { allOf: [{ $ref: '#/definitions/positiveInteger' }, { default: 0 }] },
};
const DEFINITIONS: Json = {
  ...integers,
  stringArray: { type: 'array', items: { type: 'string' }, uniqueItems: true },
  property: { type: 'object', additionalProperties: { type: 'object', required: ['title', 'type'], properties: PROPERTY_FIELDS } },
};

/** An object schema in glance's form: closed, with the collection's links where there are any. */
const schema = (name: string, properties: Json, required?: readonly string[], definitions?: Json): Json => ({
  name,
  properties,
  additionalProperties: false,
  ...(definitions && { definitions }),
  ...(required && { required }),
});

const collectionOf = (name: string, items: Json): Json => {
  const { definitions, ...item } = items;
  return {
    name,
    properties: {
      [name]: { type: 'array', items: item },
      first: { type: 'string' },
      next: { type: 'string' },
      schema: { type: 'string' },
    },
    links: [
      { rel: 'first', href: '{first}' },
      { rel: 'next', href: '{next}' },
      { rel: 'describedby', href: '{schema}' },
    ],
    ...(definitions !== undefined && { definitions }),
  };
};

export const NAMESPACE = schema(
  'namespace',
  {
    namespace: { type: 'string', description: 'Unique name of the namespace.', maxLength: 80 },
    display_name: { type: 'string', description: 'Name for people.', maxLength: 80 },
    description: { type: 'string', description: 'What the namespace is about, for people.', maxLength: 500 },
    visibility: { type: 'string', description: 'Who sees the namespace.', enum: ['public', 'private'] },
    protected: { type: 'boolean', description: 'Whether the namespace is kept from being deleted.' },
    owner: { type: 'string', description: 'Whose namespace it is.', maxLength: 255 },
    created_at: readOnlyTime('When the namespace was made'),
    updated_at: readOnlyTime('When the namespace last changed'),
    schema: readOnlyText,
    self: readOnlyText,
    resource_type_associations: {
      type: 'array',
      items: { type: 'object', properties: { name: { type: 'string' }, prefix: { type: 'string' }, properties_target: { type: 'string' } } },
    },
    properties: { $ref: '#/definitions/property' },
    objects: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          name: { type: 'string' },
          description: { type: 'string' },
          required: { $ref: '#/definitions/stringArray' },
          properties: { $ref: '#/definitions/property' },
        },
      },
    },
    tags: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } } } },
  },
  ['namespace'],
  DEFINITIONS,
);

export const OBJECT = schema(
  'object',
  {
    name: { type: 'string', maxLength: 80 },
    description: { type: 'string' },
    required: { $ref: '#/definitions/stringArray' },
    properties: { $ref: '#/definitions/property' },
    schema: readOnlyText,
    self: readOnlyText,
    created_at: readOnlyTime('When the object was made'),
    updated_at: readOnlyTime('When the object last changed'),
  },
  ['name'],
  DEFINITIONS,
);

const PROPERTY_DEFINITIONS: Json = { ...integers, stringArray: { type: 'array', items: { type: 'string' }, minItems: 1, uniqueItems: true } };
export const PROPERTY = schema('property', PROPERTY_FIELDS, ['type', 'title', 'name'], PROPERTY_DEFINITIONS);
/** Within an object or a namespace the name is the key. */
export const NAMELESS_PROPERTY = schema('property', PROPERTY_FIELDS, ['type', 'title'], PROPERTY_DEFINITIONS);

export const ASSOCIATION = schema(
  'resource_type_association',
  {
    name: { type: 'string', description: 'Type of resources, by its name in Heat where it has one.', maxLength: 80 },
    prefix: { type: 'string', description: 'What stands before the property names on such resources, with its separator.', maxLength: 80 },
    properties_target: { type: 'string', description: 'Which metadata of the resource is meant, where it has several kinds.', maxLength: 80 },
    created_at: readOnlyTime('When the association was made'),
    updated_at: readOnlyTime('When the association last changed'),
  },
  ['name'],
);

export const TAG = schema(
  'tag',
  { name: { type: 'string', maxLength: 80 }, created_at: readOnlyTime('When the tag was made'), updated_at: readOnlyTime('When the tag last changed') },
  ['name'],
);
/** The body that sets all tags of a namespace. */
export const TAGS_BODY = schema('tags', {
  tags: { type: 'array', items: { type: 'object', properties: { name: { type: 'string' } }, required: ['name'], additionalProperties: false } },
});

const dictCollection = collectionOf('properties', NAMELESS_PROPERTY);

/** What /v2/schemas/metadefs/{name} answers. */
export const METADEF_SCHEMAS: Readonly<Record<string, Json>> = {
  namespace: NAMESPACE,
  namespaces: collectionOf('namespaces', NAMESPACE),
  object: OBJECT,
  objects: collectionOf('objects', OBJECT),
  property: PROPERTY,
  properties: {
    ...dictCollection,
    properties: {
      ...(dictCollection.properties as Json),
      properties: { type: 'object', additionalProperties: schema('property', PROPERTY_FIELDS, ['type', 'title']) },
    },
  },
  resource_type: ASSOCIATION,
  resource_types: collectionOf('resource_type_associations', ASSOCIATION),
  tag: TAG,
  tags: collectionOf('tags', TAG),
};

/** Checks a body as upstream does: 403 for what only glance sets, 400 for what the schema does not allow. */
export function checkBody(document: Json, body: unknown, readOnly: readonly string[] = ['created_at', 'updated_at']): void {
  refuseReadOnly(body, readOnly);
  checkAgainst(document, body);
}
