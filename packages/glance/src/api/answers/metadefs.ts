import Type, { type TSchema } from 'typebox';
import { page } from './images.ts';

/** Metadata definitions. What is null is left out. */

const text = Type.String();
const optional = Type.Optional(text);
const times = { created_at: text, updated_at: text };

/** A JSON schema of one property, as its maker wrote it. */
const definition = Type.Object({ type: optional, title: Type.Optional(text) }, { title: 'PropertyDefinition', additionalProperties: true });
const definitions = Type.Record(text, definition);
export const property = Type.Object({ name: text, type: optional, title: Type.Optional(text) }, { title: 'MetadefProperty', additionalProperties: true });
export const propertiesAnswer = Type.Object({ properties: definitions });

const objectProperties = { name: text, description: optional, required: Type.Optional(Type.Array(text)), properties: Type.Optional(definitions) };
export const metadefObject = Type.Object({ ...objectProperties, ...times, self: text, schema: text }, { title: 'MetadefObject' });
export const objectsAnswer = Type.Object({ objects: Type.Array(metadefObject), schema: text });

const associationProperties = { name: text, prefix: optional, properties_target: optional };
export const association = Type.Object({ ...associationProperties, ...times }, { title: 'MetadefAssociation' });
export const associationsAnswer = Type.Object({ resource_type_associations: Type.Array(association) });
export const resourceTypesAnswer = Type.Object({ resource_types: Type.Array(Type.Object({ name: text, ...times }, { title: 'MetadefResourceType' })) });

export const metadefTag = Type.Object({ name: text, ...times }, { title: 'MetadefTag' });
const tagName = Type.Object({ name: text });
export const tagsAnswer = Type.Object({ tags: Type.Array(tagName) });

const namespaceOf = (associations: TSchema, objects: TSchema) => ({
  namespace: text,
  display_name: optional,
  description: optional,
  visibility: text,
  protected: Type.Boolean(),
  owner: text,
  ...times,
  self: text,
  schema: text,
  resource_type_associations: Type.Optional(Type.Array(associations)),
  properties: Type.Optional(definitions),
  objects: Type.Optional(Type.Array(objects)),
  tags: Type.Optional(Type.Array(tagName)),
});
export const namespace = Type.Object(namespaceOf(association, metadefObject), { title: 'MetadefNamespace' });
/** What is made with a namespace is shown as it was given. */
export const newNamespace = Type.Object(namespaceOf(Type.Object(associationProperties), Type.Object(objectProperties)), { title: 'NewMetadefNamespace' });
export const namespacesAnswer = Type.Object({ namespaces: Type.Array(namespace), ...page });
