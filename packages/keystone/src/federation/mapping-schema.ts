import { pythonRepr } from './python.ts';

/** The JSON schema of a mapping (keystone/federation/utils.py), per version of the language. */

export const SCHEMA_VERSIONS = ['1.0', '2.0', '3.0'] as const;
export type SchemaVersion = (typeof SCHEMA_VERSIONS)[number];
export const isSchemaVersion = (text: unknown): text is SchemaVersion => (SCHEMA_VERSIONS as readonly unknown[]).includes(text);

interface JsonSchema {
  readonly type?: 'object' | 'array' | 'string' | 'boolean';
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly closed?: boolean;
  readonly items?: JsonSchema;
  readonly minItems?: number;
  readonly oneOf?: readonly JsonSchema[];
  readonly enum?: readonly string[];
}

const text: JsonSchema = { type: 'string' };
const object = (properties: Readonly<Record<string, JsonSchema>>, required: readonly string[] = []): JsonSchema => ({
  type: 'object',
  properties,
  required,
  closed: true,
});
const array = (items: JsonSchema, minItems = 0): JsonSchema => ({ type: 'array', items, minItems });

const domain = object({ id: text, name: text });
const projects = (version: SchemaVersion): JsonSchema =>
  array(object({ name: text, roles: array(object({ name: text }, ['name'])), ...(version !== '1.0' && { domain }) }, ['name', 'roles']));

/** A requirement by one of the four ways to choose among an attribute's values. */
const choosing = (way: string): JsonSchema => object({ type: text, [way]: { type: 'array' }, regex: { type: 'boolean' } }, ['type', way]);

const mapping = (version: SchemaVersion): JsonSchema => ({
  type: 'object',
  required: ['rules'],
  properties: {
    rules: array(
      object(
        {
          local: array(
            object({
              user: object({ id: text, name: text, email: text, domain, type: { type: 'string', enum: ['ephemeral', 'local'] } }),
              projects: projects(version),
              group: { type: 'object', oneOf: [object({ id: text }, ['id']), object({ name: text, domain }, ['name', 'domain'])] },
              groups: text,
              group_ids: text,
              domain,
              ...(version === '3.0' && { projects_json: text }),
            }),
          ),
          remote: array(
            {
              type: 'object',
              oneOf: [object({ type: text }, ['type']), choosing('any_one_of'), choosing('not_any_of'), choosing('blacklist'), choosing('whitelist')],
            },
            1,
          ),
        },
        ['local', 'remote'],
      ),
      1,
    ),
    schema_version: text,
  },
});

/** What is wrong with a mapping's structure in upstream's words, a line each; empty where it is right. */
export const mappingFaults = (version: SchemaVersion, value: unknown): string[] => faultsOf(mapping(version), value).toSorted();
/** The same for the projects that version 3.0 takes from an attribute. */
export const projectFaults = (value: unknown): string[] => faultsOf(projects('3.0'), value).toSorted();

const typeOf = (value: unknown): string => (Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value);

function faultsOf(schema: JsonSchema, value: unknown): string[] {
  const faults: string[] = [];
  if (schema.type !== undefined && typeOf(value) !== schema.type) faults.push(`${pythonRepr(value)} is not of type '${schema.type}'`);
  if (schema.enum && !schema.enum.includes(value as string)) faults.push(`${pythonRepr(value)} is not one of ${pythonRepr(schema.enum)}`);
  if (Array.isArray(value)) {
    if (value.length < (schema.minItems ?? 0)) faults.push(`${pythonRepr(value)} should be non-empty`);
    if (schema.items) for (const item of value) faults.push(...faultsOf(schema.items, item));
  } else if (value !== null && typeof value === 'object') faults.push(...objectFaults(schema, value as Readonly<Record<string, unknown>>));
  if (schema.oneOf) {
    const fitting = schema.oneOf.filter((one) => faultsOf(one, value).length === 0).length;
    if (fitting === 0) faults.push(`${pythonRepr(value)} is not valid under any of the given schemas`);
    if (fitting > 1) faults.push(`${pythonRepr(value)} is valid under each of several of the given schemas`);
  }
  return faults;
}

function objectFaults(schema: JsonSchema, value: Readonly<Record<string, unknown>>): string[] {
  const faults: string[] = [];
  for (const key of schema.required ?? []) if (!Object.hasOwn(value, key)) faults.push(`'${key}' is a required property`);
  const properties = schema.properties ?? {};
  const unknown = Object.keys(value).filter((key) => !Object.hasOwn(properties, key));
  if (schema.closed && unknown.length > 0) {
    faults.push(`Additional properties are not allowed (${unknown.map(pythonRepr).join(', ')} ${unknown.length === 1 ? 'was' : 'were'} unexpected)`);
  }
  for (const [key, child] of Object.entries(properties)) if (Object.hasOwn(value, key)) faults.push(...faultsOf(child, value[key]));
  return faults;
}
