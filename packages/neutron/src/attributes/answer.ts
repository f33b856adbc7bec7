import Type, { type TSchema } from 'typebox';
import { policies } from '../policies/index.ts';
import type { Attribute, AttributeMap } from './attribute.ts';
import type { Resource } from './resource.ts';

/**
 * The JSON schemas of answers about a resource, derived from its attribute map. Optional is what the caller may have no right to see (there is a
 * rule `get_<resource>:<attribute>`), and what answers about some of the kind leave out.
 */
export function answerOf(resource: Resource): TSchema {
  const properties: Record<string, TSchema> = {};
  for (const [name, attribute] of resource.list) {
    if (attribute.visible === false) continue;
    const shape = shapeOf(attribute);
    properties[name] = attribute.sometimes || RULES.has(`get_${resource.ruleName}:${name}`) ? Type.Optional(shape) : shape;
  }
  return Type.Object(properties, { title: resource.title });
}

/** The names of all rules. */
const RULES: ReadonlySet<string> = new Set(policies.map(({ name }) => name));

/** `{"network": {...}}` */
export const oneAnswer = (resource: Resource): TSchema => Type.Object({ [resource.name]: answerOf(resource) });

/** One, or many where many were asked for. */
export function createAnswer(resource: Resource): TSchema {
  const one = oneAnswer(resource);
  return resource.bulk ? Type.Union([one, Type.Object({ [resource.collection]: Type.Array(answerOf(resource)) })]) : one;
}

/** A page, with links to the pages beside it where there are any. */
export const listAnswer = (resource: Resource): TSchema =>
  Type.Object({ [resource.collection]: Type.Array(answerOf(resource)), [`${resource.collection}_links`]: Type.Optional(Type.Array(PAGE_LINK)) });

const PAGE_LINK = Type.Object({ rel: Type.Enum(['next', 'previous']), href: Type.String() });

/** What attributes are in answers, by name. */
export const shapesOf = (attributes: AttributeMap): Record<string, TSchema> =>
  Object.fromEntries(Object.entries(attributes).map(([name, attribute]) => [name, shapeOf(attribute)]));

/** What is given where nothing is said is nothing to the reader of an answer, nor are the bounds of what may be given. */
function shapeOf({ schema, answer }: Attribute): TSchema {
  const { default: _, maxLength: _maxLength, minimum: _minimum, maximum: _maximum, ...shape } = (answer ?? schema) as Record<string, unknown>;
  const { description } = schema as { description?: string };
  return { ...(description !== undefined && { description }), ...shape };
}
