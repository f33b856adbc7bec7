import Type from 'typebox';

/** What glance says of itself: versions, stores, quotas, its cache, and the JSON schemas that it publishes. */

const text = Type.String();
const whole = Type.Integer();

export const versionsAnswer = Type.Object({
  versions: Type.Array(Type.Object({ id: text, status: text, links: Type.Array(Type.Object({ rel: text, href: text })) })),
});

/** A JSON schema is data here, not a description of the answer. */
export const jsonSchema = Type.Object({ name: text, properties: Type.Record(text, Type.Any()) }, { title: 'PublishedSchema', additionalProperties: true });

const store = { id: text, description: Type.Optional(text), default: Type.Optional(Type.Literal('true')), 'read-only': Type.Optional(Type.Literal('true')) };
export const storesAnswer = Type.Object({ stores: Type.Array(Type.Object(store, { title: 'ImageStore' })) });
export const storeDetailsAnswer = Type.Object({
  stores: Type.Array(Type.Object({ ...store, type: text, properties: Type.Record(text, Type.Any()), weight: whole }, { title: 'ImageStoreDetail' })),
});
export const importMethodsAnswer = Type.Object({
  'import-methods': Type.Object({ description: text, type: Type.Literal('array'), value: Type.Array(text) }),
});
export const usageAnswer = Type.Object({ usage: Type.Record(text, Type.Object({ usage: whole, limit: whole })) });

const cached = Type.Object({ image_id: text, hits: whole, last_accessed: Type.Number(), last_modified: Type.Number(), size: whole }, { title: 'CachedImage' });
export const cacheAnswer = Type.Object({ cached_images: Type.Array(cached), queued_images: Type.Array(text) });
export const prunedAnswer = Type.Object({ total_files_pruned: whole, total_bytes_pruned: whole });
