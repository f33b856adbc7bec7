import { readFileSync } from 'node:fs';
import type { Static, TObject, TSchema } from 'typebox';
import { parseDocument } from 'yaml';
import { CairnError } from '../errors/errors.ts';
import { validate } from '../http/validation.ts';

/** Where options come from; later ones win: defaults, the file, the environment, the command line. */
export interface ConfigSources {
  /** What held before, over the schema's defaults: a whole, valid configuration. */
  readonly base?: object;
  /** A YAML file. */
  readonly file?: string;
  /** `CAIRN_LISTEN_PORT=1` sets `listen.port`. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly environmentPrefix?: string;
  /** From the command line, by path: `{ 'listen.port': 1 }`. */
  readonly overrides?: Readonly<Record<string, unknown>>;
}

/** One option as documentation and error messages name it. */
export interface OptionLine {
  readonly path: string;
  readonly environment: string;
  readonly type: string;
  /** Of an array: the type of what is in it. */
  readonly items?: string;
  readonly default: unknown;
  readonly description: string;
}

/** Reads, merges and checks options. Throws InvalidInput that names the option and where it was set. */
export function loadConfig<S extends TObject>(schema: S, sources: ConfigSources): Static<S> {
  const merged = defaultsOf(schema) as Record<string, unknown>;
  if (sources.base) merge(merged, sources.base as Record<string, unknown>, 'the earlier configuration', '', schema);
  const lines = optionsOf(schema, sources.environmentPrefix ?? 'CAIRN');
  if (sources.file !== undefined) merge(merged, readYaml(sources.file), sources.file, '', schema);
  for (const line of lines) {
    const text = sources.environment?.[line.environment];
    if (text !== undefined && text !== '') put(merged, line.path, fromText(text, line), line.environment);
  }
  for (const [path, value] of Object.entries(sources.overrides ?? {})) if (value !== undefined) put(merged, path, value, 'the command line');
  try {
    validate(schema, merged, 'body');
  } catch (error) {
    const field = error instanceof CairnError ? error.field : undefined;
    const reason = error instanceof CairnError ? ((error.detail as { reason?: string } | undefined)?.reason ?? error.message) : String(error);
    throw new CairnError(
      'InvalidInput',
      `Option ${(field ?? '?').replaceAll('/', '.')}: ${reason}. Set it in ${sources.file ?? 'the configuration file'}, in the environment or on the command line.`,
      { ...(field && { field }) },
    );
  }
  return merged as Static<S>;
}

/** Every option of a schema, for documentation. */
export function optionsOf(schema: TObject, prefix = 'CAIRN', path = ''): OptionLine[] {
  return Object.entries(schema.properties as Record<string, TSchema>).flatMap(([key, child]) => {
    const at = path ? `${path}.${key}` : key;
    const facts = child as {
      type?: string;
      properties?: unknown;
      default?: unknown;
      description?: string;
      enum?: readonly unknown[];
      anyOf?: readonly { const?: unknown }[];
      additionalProperties?: unknown;
      items?: { type?: string };
    };
    if (facts.type === 'object' && facts.properties) return optionsOf(child as TObject, prefix, at);
    const choices = facts.enum ?? (facts.anyOf?.every((a) => a.const !== undefined) ? facts.anyOf.map((a) => a.const) : undefined);
    return [
      {
        path: at,
        environment: `${prefix}_${at
          .replaceAll('.', '_')
          .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
          .toUpperCase()}`,
        type: choices ? choices.map(String).join(' | ') : (facts.type ?? 'any'),
        ...(facts.items?.type !== undefined && { items: facts.items.type }),
        default: facts.default,
        description: facts.description ?? '',
      },
    ];
  });
}

function readYaml(file: string): Record<string, unknown> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CairnError('InvalidInput', `The configuration file ${file} cannot be read: ${(error as Error).message}.`);
  }
  const document = parseDocument(text, { prettyErrors: true });
  const [problem] = document.errors;
  if (problem) throw new CairnError('InvalidInput', `${file}: ${problem.message}`);
  const value: unknown = document.toJS() ?? {};
  if (typeof value !== 'object' || Array.isArray(value)) throw new CairnError('InvalidInput', `${file}: a mapping of options is expected.`);
  return value as Record<string, unknown>;
}

function defaultsOf(schema: TSchema): unknown {
  const facts = schema as { type?: string; properties?: Record<string, TSchema>; default?: unknown };
  if (facts.type === 'object' && facts.properties) {
    const out: Record<string, unknown> = {};
    for (const [key, child] of Object.entries(facts.properties)) {
      const value = defaultsOf(child);
      if (value !== undefined) out[key] = value;
    }
    return out;
  }
  return structuredClone(facts.default);
}

function merge(into: Record<string, unknown>, from: Record<string, unknown>, file: string, path: string, schema: TSchema): void {
  const known = (schema as { properties?: Record<string, TSchema> }).properties;
  for (const [key, value] of Object.entries(from)) {
    const at = path ? `${path}.${key}` : key;
    const child = known && Object.hasOwn(known, key) ? known[key] : undefined;
    if (known && !child)
      throw new CairnError('InvalidInput', `${file}: there is no option ${at}. The options here are: ${Object.keys(known).join(', ')}.`, { field: at });
    if (child && (child as { properties?: unknown }).properties && value !== null && typeof value === 'object' && !Array.isArray(value))
      merge(into[key] as Record<string, unknown>, value as Record<string, unknown>, file, at, child);
    else into[key] = value;
  }
}

function put(into: Record<string, unknown>, path: string, value: unknown, where: string): void {
  const parts = path.split('.');
  let at = into;
  for (const part of parts.slice(0, -1)) {
    const next = at[part];
    if (next === null || typeof next !== 'object') throw new CairnError('InvalidInput', `${where}: there is no option ${path}.`);
    at = next as Record<string, unknown>;
  }
  at[parts.at(-1) as string] = value;
}

function fromText(text: string, line: OptionLine): unknown {
  if (line.type === 'integer' || line.type === 'number') return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
  if (line.type === 'boolean') return /^(1|true|yes|on)$/i.test(text) ? true : /^(0|false|no|off)$/i.test(text) ? false : text;
  if (line.type === 'array') return text.split(',').map((t) => (line.items === 'integer' && /^-?\d+$/.test(t.trim()) ? Number(t) : t.trim()));
  return text;
}
