import Type from 'typebox';

/** Resource providers, and what they have: inventories, traits, aggregates, what of it is in use. */

const text = Type.String();
const whole = Type.Integer();
const generation = { resource_provider_generation: whole };
const links = Type.Array(Type.Object({ rel: text, href: text }));

export const resourceProvider = Type.Object(
  {
    uuid: text,
    name: text,
    generation: whole,
    links,
    parent_provider_uuid: Type.Union([text, Type.Null()]),
    root_provider_uuid: text,
  },
  { title: 'ResourceProvider' },
);
export const providersAnswer = Type.Object({ resource_providers: Type.Array(resourceProvider) });

const inventoryProperties = { total: whole, reserved: whole, min_unit: whole, max_unit: whole, step_size: whole, allocation_ratio: Type.Number() };
const inventory = Type.Object(inventoryProperties, { title: 'Inventory' });
export const inventoriesAnswer = Type.Object({ ...generation, inventories: Type.Record(text, inventory) });
/** A provider's generation of 0 is not shown. */
export const inventoryAnswer = Type.Object({ ...inventoryProperties, resource_provider_generation: Type.Optional(whole) });

export const aggregatesAnswer = Type.Object({ aggregates: Type.Array(text), ...generation });
export const traitsAnswer = Type.Object({ traits: Type.Array(text) });
export const providerTraitsAnswer = Type.Object({ traits: Type.Array(text), ...generation });

export const resourceClass = Type.Object({ name: text, links }, { title: 'ResourceClass' });
export const resourceClassesAnswer = Type.Object({ resource_classes: Type.Array(resourceClass) });

/** Amounts by the names of resource classes. */
export const amounts = Type.Record(text, whole);
export const providerUsagesAnswer = Type.Object({ ...generation, usages: amounts });
export const usagesAnswer = [
  { from: '1.9', schema: Type.Object({ usages: amounts }) },
  // by type of consumers, with `consumer_count` among the amounts
  { from: '1.38', schema: Type.Object({ usages: Type.Record(text, amounts) }) },
];

export const versionsAnswer = Type.Object({
  versions: Type.Array(
    Type.Object({
      id: text,
      max_version: text,
      min_version: text,
      status: text,
      links,
    }),
  ),
});
