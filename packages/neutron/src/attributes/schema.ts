import Type, { type TSchema } from 'typebox';
import type { Resource } from './resource.ts';

/**
 * The JSON schemas of a resource's bodies, derived from its attribute map, for the API description alone: the engine itself checks
 * bodies, since its messages and conversions (text to numbers, any case of true and false) are upstream's.
 */
export function createSchema(resource: Resource): TSchema {
  const one = attributesSchema(resource, 'post');
  const single = Type.Object({ [resource.name]: one });
  return resource.bulk ? Type.Union([single, Type.Object({ [resource.collection]: Type.Array(one) })]) : single;
}

export const updateSchema = (resource: Resource): TSchema => Type.Object({ [resource.name]: attributesSchema(resource, 'put') });

function attributesSchema(resource: Resource, verb: 'post' | 'put'): TSchema {
  const properties: Record<string, TSchema> = {};
  for (const [name, attribute] of resource.list) {
    if (!attribute[verb]) continue;
    const required = verb === 'post' && !('default' in attribute) && name !== 'tenant_id' && name !== 'project_id';
    properties[name] = required ? attribute.schema : Type.Optional(attribute.schema);
  }
  return Type.Object(properties, { additionalProperties: false });
}

const value = Type.Union([Type.String(), Type.Array(Type.String())]);

/** The query of one. */
export const showSchema = Type.Object({ fields: Type.Optional(value) });

/** The query of a list. Repeated parameters arrive as lists. */
export function listSchema(resource: Resource): TSchema {
  const properties: Record<string, TSchema> = {};
  for (const [name, attribute] of resource.list) if (attribute.filter) properties[name] = Type.Optional(value);
  for (const name of ['fields', 'sort_key', 'sort_dir', 'limit', 'marker', 'page_reverse']) properties[name] = Type.Optional(value);
  return Type.Object(properties);
}
