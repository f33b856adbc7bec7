/**
 * Writes packages/horizon/web/api/answers.ts: the types of the answers that the console calls for, from the cloud's own OpenAPI document. With `--check`
 * it writes nothing, and exits 1 when the file is not as it would be. The console names an operation where it calls one (`api<'nova.server.show'>(...)`),
 * and the microversion where that is an older one that answers otherwise (`'nova.hypervisor.detail@2.87'`).
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openApiOf } from '../packages/kit/src/http/openapi.ts';
import { readTable } from '../packages/cairn/src/cloud/compose.ts';
import { configOf } from '../packages/cairn/src/config.ts';

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly patternProperties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly prefixItems?: readonly Schema[];
}
interface Call {
  readonly operationId: string;
  readonly 'x-actions'?: readonly { readonly operationId: string; readonly answer?: Schema }[];
  readonly 'x-answers'?: Readonly<Record<string, readonly { readonly 'min-ver': string; readonly answer: Schema }[]>>;
  readonly responses: Readonly<Record<string, { readonly content?: { readonly 'application/json'?: { readonly schema: Schema } } }>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Call>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}

const web = join(import.meta.dirname, '..', 'packages', 'horizon', 'web');
const file = join(web, 'api', 'answers.ts');
const document = openApiOf((await readTable(configOf({}))).services(), 'console') as Document;
function write(): string {
  const calls = new Map(Object.values(document.paths).flatMap((methods) => Object.values(methods).flatMap(answersOf)));
  const answers = [...usedOperations()].sort().map((name) => {
    const schema = find(calls, name);
    if (schema === undefined) throw new Error(`the console calls ${name}, which is no operation that says what it answers`);
    return [name, schema] as const;
  });
  const reached = new Set<string>();
  const reach = (schema: unknown): void => {
    if (schema === null || typeof schema !== 'object') return;
    const { $ref } = schema as Schema;
    const name = typeof $ref === 'string' ? nameOf($ref) : undefined;
    if (name !== undefined && !reached.has(name)) {
      reached.add(name);
      reach(document.components.schemas[name]);
    }
    for (const value of Object.values(schema)) reach(value);
  };
  for (const [, schema] of answers) reach(schema);
  return [
    `/** What the cloud answers: written by scripts/console-types.ts from the cloud's own OpenAPI document. Not to be edited. */`,
    ...[...reached].sort().map((name) => `\n${declared(name, document.components.schemas[name] as Schema)}`),
    `\n/** By operation: what its success answers. */\nexport interface Answers {\n${answers.map(([name, schema]) => `  readonly '${name}': ${typeOf(schema, '  ')};`).join('\n')}\n}\n`,
  ].join('\n');
}

/** The operations that the console names, in quotation marks. */
function usedOperations(): Set<string> {
  const used = new Set<string>();
  for (const path of readdirSync(web, { recursive: true, encoding: 'utf8' })) {
    if (!/\.tsx?$/.test(path) || path.endsWith('.test.ts') || join(web, path) === file) continue;
    for (const [, name] of readFileSync(join(web, path), 'utf8').matchAll(/'((?:keystone|glance|placement|cinder|neutron|nova)\.[\w.-]+(?:@\d+\.\d+)?)'/g))
      used.add(name as string);
  }
  return used;
}

/** Each operation of a call with what it answers. */
function answersOf(call: Call): readonly (readonly [string, Schema])[] {
  const all: [string, Schema][] = [];
  const [success] = Object.entries(call.responses).filter(([code]) => /^[23]/.test(code));
  const schema = success?.[1].content?.['application/json']?.schema;
  const actions = call['x-actions'] ?? [];
  if (schema && !actions.some(({ operationId }) => operationId === call.operationId)) all.push([call.operationId, schema]);
  for (const { operationId, answer } of actions) if (answer) all.push([operationId, answer]);
  for (const [operationId, ranges] of Object.entries(call['x-answers'] ?? {}))
    for (const { 'min-ver': from, answer } of ranges) all.push([`${operationId}@${from}`, answer]);
  return all;
}

/** `nova.server.show`, or `nova.hypervisor.show@2.87`: the last range that begins there or before. */
function find(calls: ReadonlyMap<string, Schema>, name: string): Schema | undefined {
  const [operation = '', version] = name.split('@');
  if (version === undefined) return calls.get(name);
  const rank = (text: string): number => Number(text.split('.')[0]) * 10_000 + Number(text.split('.')[1]);
  const ranges = [...calls].filter(([key]) => key.startsWith(`${operation}@`) && rank(key.slice(operation.length + 1)) <= rank(version));
  return ranges.at(-1)?.[1] ?? calls.get(operation);
}

const nameOf = ($ref: string): string => $ref.slice($ref.lastIndexOf('/') + 1);

function declared(name: string, schema: Schema): string {
  // no interfaces: those have no index signature of their own, so that nothing could go through their properties
  return `type ${name} = ${typeOf(schema, '')};`;
}

function typeOf(schema: Schema, indent: string): string {
  if (schema.$ref !== undefined) return nameOf(schema.$ref);
  if ('const' in schema) return literal(schema.const);
  if (schema.enum) return schema.enum.map(literal).join(' | ');
  const choice = schema.anyOf ?? schema.oneOf;
  if (choice) return [...new Set(choice.map((each) => typeOf(each, indent)))].join(' | ');
  if (schema.allOf) return schema.allOf.map((each) => typeOf(each, indent)).join(' & ');
  if (Array.isArray(schema.type)) return schema.type.map((type: string) => typeOf({ ...schema, type }, indent)).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      if (schema.prefixItems) return `readonly [${schema.prefixItems.map((each) => typeOf(each, indent)).join(', ')}]`;
      return arrayOf(schema.items ?? {}, indent);
    case 'object':
      return objectOf(schema, indent);
    default:
      return schema.properties ? objectOf(schema, indent) : 'unknown';
  }
}

const literal = (value: unknown): string => (typeof value === 'string' ? `'${value.replaceAll("'", String.raw`\'`)}'` : JSON.stringify(value));
/** A choice of types, and an array, stand in brackets. */
function arrayOf(items: Schema, indent: string): string {
  const type = typeOf(items, indent);
  const single = /^[\w.]+$/.test(type) || (items.anyOf === undefined && items.oneOf === undefined && type.startsWith('{'));
  return `readonly ${single ? type : `(${type})`}[]`;
}

function objectOf(schema: Schema, indent: string): string {
  const properties = Object.entries(schema.properties ?? {});
  const more = schema.additionalProperties ?? Object.values(schema.patternProperties ?? {})[0] ?? (properties.length === 0 ? true : undefined);
  const rest = more === true ? 'unknown' : typeof more === 'object' ? typeOf(more, indent) : undefined;
  if (properties.length === 0) return rest === undefined ? 'object' : `Readonly<Record<string, ${rest}>>`;
  const lines = properties.map(([name, each]) => {
    const key = /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`;
    return `${indent}  readonly ${key}${schema.required?.includes(name) ? '' : '?'}: ${typeOf(each, `${indent}  `)};`;
  });
  // a signature for names that nobody knows has to fit those that are known, too
  if (rest !== undefined) {
    const known = properties.flatMap(([name, each]) => [typeOf(each, `${indent}  `), ...(schema.required?.includes(name) ? [] : ['undefined'])]);
    lines.push(`${indent}  readonly [name: string]: ${rest === 'unknown' ? rest : [...new Set([rest, ...known])].join(' | ')};`);
  }
  return `{\n${lines.join('\n')}\n${indent}}`;
}

const text = write();
if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  process.stderr.write(`${file} is not what the cloud's document says: run node scripts/console-types.ts\n`);
  process.exit(1);
}
