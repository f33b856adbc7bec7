import { invalidInput } from '@cairn/kit/errors/errors';

/** What a property means: a JSON schema with a few fields of its own, as glance keeps it. */
export type PropertyDefinition = Readonly<Record<string, unknown>>;

export interface MetadefObject {
  readonly name: string;
  readonly description?: string;
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, PropertyDefinition>>;
}

/** That the properties of a namespace go with a type of resources, and under which prefix. */
export interface Association {
  readonly name: string;
  readonly prefix?: string;
  /** Which of the resource's metadata is meant, where it has several: `image`, `metadata`. */
  readonly properties_target?: string;
}

/** A namespace as clients write it. */
export interface NamespaceFields {
  readonly namespace: string;
  readonly display_name?: string;
  readonly description?: string;
  readonly visibility?: 'public' | 'private';
  readonly protected?: boolean;
  readonly owner?: string;
}

export interface NewNamespace extends NamespaceFields {
  readonly resource_type_associations?: readonly Association[];
  readonly properties?: Readonly<Record<string, PropertyDefinition>>;
  readonly objects?: readonly MetadefObject[];
  readonly tags?: readonly { readonly name: string }[];
}

type Kind = 'text' | 'whole' | 'flag' | 'texts' | 'bytes' | 'item';
/** The fields of a definition and their types (glance/api/v2/model/metadef_property_type.py). */
const FIELDS: Readonly<Record<string, Kind>> = {
  name: 'text',
  type: 'text',
  title: 'text',
  description: 'text',
  operators: 'texts',
  default: 'bytes',
  readonly: 'flag',
  minimum: 'whole',
  maximum: 'whole',
  enum: 'texts',
  pattern: 'text',
  minLength: 'whole',
  maxLength: 'whole',
  confidential: 'flag',
  items: 'item',
  uniqueItems: 'flag',
  minItems: 'whole',
  maxItems: 'whole',
  additionalItems: 'flag',
};

/**
 * Reads a property definition into upstream's types: a default of any kind becomes text, bounds become whole numbers. Throws InvalidInput
 * for fields that there are not and for values that no type takes.
 */
export function propertyDefinition(value: unknown): PropertyDefinition {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw invalidInput('A property definition must be an object.');
  const out: Record<string, unknown> = {};
  for (const [name, given] of Object.entries(value)) {
    const kind = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (kind === undefined) throw invalidInput(`Unknown attribute: ${name} of a property definition.`, { field: name });
    if (given !== null) out[name] = typed(kind, name, given);
  }
  return out;
}

function typed(kind: Kind, name: string, value: unknown): unknown {
  const refuse = (): never => {
    throw invalidInput(`Invalid input for field/attribute ${name}. Value: '${String(value).slice(0, 100)}'.`, { field: name });
  };
  switch (kind) {
    case 'text':
      return typeof value === 'string' ? value : refuse();
    case 'texts':
      return Array.isArray(value) && value.every((one) => typeof one === 'string') ? value : refuse();
    case 'flag':
      return typeof value === 'boolean' ? value : refuse();
    case 'whole':
      return typeof value === 'number' && Number.isFinite(value) ? Math.trunc(value) : refuse();
    case 'bytes':
      // as Python writes them
      if (typeof value === 'boolean') return value ? 'True' : 'False';
      return typeof value === 'string' || typeof value === 'number' ? String(value) : refuse();
    case 'item': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse();
      const { type, enum: values, ...rest } = value as { type?: unknown; enum?: unknown };
      if (typeof type !== 'string' || Object.keys(rest).length > 0) return refuse();
      return { type, ...(values !== undefined && { enum: typed('texts', name, values) }) };
    }
  }
}

/** All definitions of a set, read. */
export const propertyDefinitions = (set: Readonly<Record<string, unknown>>): Record<string, PropertyDefinition> =>
  Object.fromEntries(Object.entries(set).map(([name, value]) => [name, propertyDefinition(value)]));
