import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rankOf } from '@cairn/kit/http/microversion';
import { parse } from 'yaml';

export type Schema = Readonly<Record<string, unknown>>;

/** A schema of upstream's, and the microversions that it holds for, as ranks. */
export interface Ranged {
  readonly from: number;
  readonly to: number;
  readonly schema: Schema;
}

/** A call as upstream describes it. */
export interface UpstreamCall {
  readonly method: string;
  /** Parameters are `{}`. */
  readonly path: string;
  /** The key of the body that chooses it, of the calls of one path. */
  readonly action?: string;
  readonly from: number;
  readonly to: number;
  readonly bodies: readonly Ranged[];
  readonly answers: readonly Ranged[];
}

interface Marks {
  readonly 'min-ver'?: string;
  readonly 'max-ver'?: string;
  readonly 'action-name'?: string;
  readonly discriminator?: string;
}
interface Content {
  readonly content?: Readonly<Record<string, { readonly schema?: Schema }>>;
}
interface Call {
  readonly requestBody?: Content;
  readonly responses?: Readonly<Record<string, Content>>;
  readonly 'x-openstack'?: Marks;
}
interface Description {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Call>>>>;
  readonly components: { readonly schemas: Readonly<Record<string, Schema>> };
}
type Marked = { readonly marks: Marks; readonly schema: Schema };

/** Upstream's descriptions are read where they are, and are no part of this project: without that folder there is nothing to compare. */
const folder = process.env['CAIRN_OPENAPI'] ?? join(import.meta.dirname, '..', '..', '..', 'shared', 'openapi');
export const withoutDescriptions: string | false = existsSync(folder) ? false : 'the descriptions of the API are not here (CAIRN_OPENAPI names their folder)';

export const plainPath = (path: string): string => path.replace(/\{[^}]*\}/g, '{}').replace(/(.)\/$/, '$1');

/** Every call of a service's description: `compute`, `block-storage`. */
export function upstreamCalls(name: string): readonly UpstreamCall[] {
  const description = parse(readFileSync(join(folder, `${name}.yaml`), 'utf8')) as Description;
  const follow = (schema: Schema): Schema =>
    typeof schema['$ref'] === 'string' ? follow(description.components.schemas[schema['$ref'].split('/').at(-1) ?? ''] ?? {}) : schema;
  const marked = (given: Schema | undefined, above: Marks = {}): readonly Marked[] => {
    if (given === undefined) return [];
    const schema = follow(given);
    const marks = { ...above, ...(schema['x-openstack'] as Marks | undefined) };
    const choices = schema['oneOf'] as readonly Schema[] | undefined;
    // choices that are no type of the value, but of the microversion or of the action
    if (choices !== undefined && schema['type'] === undefined) return choices.flatMap((one) => marked(one, marks));
    return [{ marks, schema }];
  };
  const jsonOf = (content: Content | undefined): Schema | undefined => content?.content?.['application/json']?.schema;
  return Object.entries(description.paths).flatMap(([path, item]) =>
    Object.entries(item)
      .filter(([method]) => ['get', 'post', 'put', 'patch', 'delete'].includes(method))
      .flatMap(([method, call]) => {
        const bodies = marked(jsonOf(call.requestBody));
        const answers = Object.entries(call.responses ?? {}).flatMap(([status, content]) => (status.startsWith('2') ? marked(jsonOf(content)) : []));
        const { 'min-ver': from, 'max-ver': to } = call['x-openstack'] ?? {};
        const base = {
          method: method.toUpperCase(),
          path: plainPath(path),
          from: from === undefined ? 0 : rankOf(from),
          to: to === undefined ? Infinity : rankOf(to),
        };
        const nameOf = (one: Marked): string | undefined => one.marks['action-name'];
        const actions = [...new Set(bodies.map(nameOf))].filter((one) => one !== undefined);
        if (actions.length === 0) return [{ ...base, bodies: ranged(bodies), answers: ranged(answers) }];
        return actions.map((action) => {
          const [mine, theirs] = [ranged(bodies.filter((one) => nameOf(one) === action)), ranged(answers.filter((one) => nameOf(one) === action))];
          return { ...base, action, from: Math.min(...mine.map((one) => one.from)), to: Math.max(...mine.map((one) => one.to)), bodies: mine, answers: theirs };
        });
      }),
  );
}

/** By microversion. The end of a range is where the next one begins: the description has some ends wrong. */
function ranged(all: readonly Marked[]): readonly Ranged[] {
  const sorted = all
    .map(({ marks, schema }) => ({ from: rankOf(marks['min-ver'] ?? '0.0'), end: marks['max-ver'], schema }))
    .toSorted((a, b) => a.from - b.from);
  return sorted.map(({ from, end, schema }, at) => {
    const next = sorted[at + 1];
    const last = end === undefined || rankOf(end) < from ? Infinity : rankOf(end);
    return { from, to: next === undefined ? last : next.from - 1, schema };
  });
}

/** The schema that holds at a microversion. */
export const schemaFor = (all: readonly Ranged[], rank: number): Schema | undefined => all.find(({ from, to }) => from <= rank && rank <= to)?.schema;
