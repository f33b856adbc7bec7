import { schema } from './op.ts';

// Bodies and queries by microversion (placement/schemas). Facts of the wire.

const RESOURCE_CLASS = '^[A-Z0-9_]+$';
const UUID_CHARS = '^[0-9a-fA-F-]{36}$';
const MAX_INT = 2 ** 31 - 1;
const UUID = { type: 'string', format: 'uuid' };
const OWNER = { type: 'string', minLength: 1, maxLength: 255 };
const int = (minimum: number) => ({ type: 'integer', maximum: MAX_INT, minimum });
const closed = (properties: object, required: readonly string[], more: object = {}) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
  ...more,
});

export const NAME_PATTERN = '^CUSTOM_[A-Z0-9_]+$';

const providerName = { type: 'string', maxLength: 200 };
const parent = { parent_provider_uuid: { anyOf: [UUID, { type: 'null' }] } };
export const CREATE_PROVIDER = [
  { from: '1.0', schema: schema(closed({ name: providerName, uuid: UUID }, ['name'])) },
  { from: '1.14', schema: schema(closed({ name: providerName, uuid: UUID, ...parent }, ['name'])) },
];
export const UPDATE_PROVIDER = [
  { from: '1.0', schema: schema(closed({ name: providerName }, ['name'])) },
  { from: '1.14', schema: schema(closed({ name: providerName, ...parent }, ['name'])) },
];
const providersQuery = { name: { type: 'string' }, uuid: UUID };
export const LIST_PROVIDERS = [
  { from: '1.0', schema: schema(closed(providersQuery, [])) },
  { from: '1.3', schema: schema(closed({ ...providersQuery, member_of: { type: 'string' } }, [])) },
  { from: '1.4', schema: schema(closed({ ...providersQuery, member_of: { type: 'string' }, resources: { type: 'string' } }, [])) },
  { from: '1.14', schema: schema(closed({ ...providersQuery, member_of: { type: 'string' }, resources: { type: 'string' }, in_tree: UUID }, [])) },
  {
    from: '1.18',
    schema: schema(
      closed({ ...providersQuery, member_of: { type: 'string' }, resources: { type: 'string' }, in_tree: UUID, required: { type: 'string' } }, []),
    ),
  },
];

const generation = { resource_provider_generation: { type: 'integer' } };
const inventory = {
  ...generation,
  total: int(1),
  reserved: int(0),
  min_unit: int(1),
  max_unit: int(1),
  step_size: int(1),
  allocation_ratio: { type: 'number', maximum: 3.402_823_466_385_29e38 },
};
const inventories = closed({ ...generation, inventories: { type: 'object', patternProperties: { [RESOURCE_CLASS]: closed(inventory, ['total']) } } }, [
  'resource_provider_generation',
  'inventories',
]);
export const CREATE_INVENTORY = schema(closed({ ...inventory, resource_class: { type: 'string', pattern: RESOURCE_CLASS } }, ['total', 'resource_class']));
export const UPDATE_INVENTORY = schema(closed(inventory, ['total', 'resource_provider_generation']));
export const SET_INVENTORIES = schema(inventories);

const aggregates = { type: 'array', items: UUID, uniqueItems: true };
export const SET_AGGREGATES = [
  { from: '1.1', schema: schema(aggregates) },
  { from: '1.19', schema: schema(closed({ aggregates, ...generation }, ['aggregates', 'resource_provider_generation'])) },
];

export const SET_TRAITS = schema(
  closed({ traits: { type: 'array', items: { type: 'string', minLength: 1, maxLength: 255 } }, ...generation }, ['traits', 'resource_provider_generation']),
);
export const LIST_TRAITS = schema(closed({ name: { type: 'string' }, associated: { type: 'string' } }, []));
export const RESOURCE_CLASS_NAME = schema(closed({ name: { type: 'string', pattern: NAME_PATTERN, maxLength: 255 } }, ['name']));

export const TOTAL_USAGES = [
  { from: '1.9', schema: schema(closed({ project_id: OWNER, user_id: OWNER }, ['project_id'])) },
  {
    from: '1.38',
    schema: schema(
      closed(
        { project_id: OWNER, user_id: OWNER, consumer_type: { type: 'string', pattern: `${RESOURCE_CLASS}|^all|^unknown$`, minLength: 1, maxLength: 255 } },
        ['project_id'],
      ),
    ),
  },
];

const resources = { type: 'object', minProperties: 1, patternProperties: { [RESOURCE_CLASS]: { type: 'integer', minimum: 1 } }, additionalProperties: false };
const listed = {
  allocations: {
    type: 'array',
    minItems: 1,
    items: closed({ resource_provider: closed({ uuid: UUID }, ['uuid']), resources }, ['resource_provider', 'resources']),
  },
};
const owner = { project_id: OWNER, user_id: OWNER };
const keyed = (minProperties: number) => ({
  allocations: {
    type: 'object',
    minProperties,
    patternProperties: { [UUID_CHARS]: closed({ generation: { type: 'integer' }, resources }, ['resources']) },
    additionalProperties: false,
  },
});
const v12 = (minProperties: number) => closed({ ...keyed(minProperties), ...owner }, ['allocations', 'project_id', 'user_id']);
const consumer = { consumer_generation: { type: ['integer', 'null'], additionalProperties: false } };
const mappings = {
  mappings: { type: 'object', minProperties: 1, patternProperties: { '^[a-zA-Z0-9_-]{1,64}$': { type: 'array', minItems: 1, items: UUID } } },
};
const consumerType = { consumer_type: { type: 'string', pattern: RESOURCE_CLASS, minLength: 1, maxLength: 255 } };
const v28 = closed({ ...keyed(0), ...owner, ...consumer }, ['allocations', 'project_id', 'user_id', 'consumer_generation']);
const v34 = closed({ ...keyed(0), ...owner, ...consumer, ...mappings }, ['allocations', 'project_id', 'user_id', 'consumer_generation']);
const v38 = closed({ ...keyed(0), ...owner, ...consumer, ...mappings, ...consumerType }, [
  'allocations',
  'project_id',
  'user_id',
  'consumer_generation',
  'consumer_type',
]);
export const SET_ALLOCATIONS = [
  { from: '1.0', schema: schema(closed(listed, ['allocations'])) },
  { from: '1.8', schema: schema(closed({ ...listed, ...owner }, ['allocations', 'project_id', 'user_id'])) },
  { from: '1.12', schema: schema(v12(1)) },
  { from: '1.28', schema: schema(v28) },
  { from: '1.34', schema: schema(v34) },
  { from: '1.38', schema: schema(v38) },
];
const byConsumer = (one: object, minProperties: number) => ({
  type: 'object',
  minProperties,
  additionalProperties: false,
  patternProperties: { [UUID_CHARS]: one },
});
export const MANAGE_ALLOCATIONS = [
  { from: '1.13', schema: schema(byConsumer(v12(0), 1)) },
  { from: '1.28', schema: schema(byConsumer(v28, 1)) },
  { from: '1.34', schema: schema(byConsumer(v34, 1)) },
  { from: '1.38', schema: schema(byConsumer(v38, 1)) },
];
const reshape = (one: object) =>
  schema(
    closed(
      {
        inventories: { type: 'object', patternProperties: { [UUID_CHARS]: inventories }, minProperties: 1, additionalProperties: false },
        allocations: byConsumer(one, 0),
      },
      ['inventories', 'allocations'],
    ),
  );
export const RESHAPE = [
  { from: '1.30', schema: reshape(v28) },
  { from: '1.34', schema: reshape(v34) },
  { from: '1.38', schema: reshape(v38) },
];

const text = { type: 'string' };
const limit = { limit: { type: ['integer', 'string'], pattern: '^[1-9][0-9]*$', minimum: 1, minLength: 1 } };
const policy = { group_policy: { type: 'string', enum: ['none', 'isolate'] } };
const groups = (suffix: string, ...kinds: readonly string[]) => ({
  patternProperties: Object.fromEntries(kinds.map((kind) => [`^${kind}(${suffix})?$`, text])),
});
const NUMBERED = '[1-9][0-9]*';
const NAMED = '[a-zA-Z0-9_-]{1,64}';
const named = groups(NAMED, 'resources', 'required', 'member_of', 'in_tree');
export const LIST_CANDIDATES = [
  { from: '1.10', schema: schema(closed({ resources: text }, ['resources'])) },
  { from: '1.16', schema: schema(closed({ resources: text, ...limit }, ['resources'])) },
  { from: '1.17', schema: schema(closed({ resources: text, ...limit, required: text }, ['resources'])) },
  { from: '1.21', schema: schema(closed({ resources: text, ...limit, required: text, member_of: text }, ['resources'])) },
  { from: '1.25', schema: schema(closed({ ...limit, ...policy }, [], groups(NUMBERED, 'resources', 'required', 'member_of'))) },
  { from: '1.31', schema: schema(closed({ ...limit, ...policy }, [], groups(NUMBERED, 'resources', 'required', 'member_of', 'in_tree'))) },
  { from: '1.33', schema: schema(closed({ ...limit, ...policy }, [], named)) },
  { from: '1.35', schema: schema(closed({ ...limit, ...policy, root_required: text }, [], named)) },
  { from: '1.36', schema: schema(closed({ ...limit, ...policy, root_required: text, same_subtree: text }, [], named)) },
];
