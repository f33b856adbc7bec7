import { ANYONE, type AnyOperation, type Versioned } from '@cairn/kit/http/operation';
import type { TSchema } from 'typebox';
import { object } from './schemas/types.ts';

const FROM = '2.102';

/** Calls that upstream has left open, and its removed ones, which are gone before anything is looked at. */
const OPEN = new Set(['nova.versions.show-one', 'nova.quota-set.defaults', 'nova.volume_attachment.show', 'nova.server_tag.list', 'nova.server_tag.show']);
const isOpen = ({ id, policy }: AnyOperation): boolean => policy === ANYONE || OPEN.has(id) || id.startsWith('nova.removed.');

/** The schema without further properties; patterns go, too, where it was open. */
function closed(schema: TSchema): TSchema {
  if ((schema as TSchema & { additionalProperties?: unknown }).additionalProperties === false) return schema;
  const { patternProperties: _patterns, ...rest } = schema as TSchema & { patternProperties?: unknown };
  return { ...rest, additionalProperties: false } as TSchema;
}

function closedFrom(query: Versioned | undefined): Versioned {
  if (query === undefined) {
    return [
      { from: '2.1', schema: { type: 'object', additionalProperties: true } as TSchema },
      { from: FROM, schema: object({}) },
    ];
  }
  const versions = Array.isArray(query)
    ? (query as readonly { readonly from: string; readonly schema: TSchema }[])
    : [{ from: '2.1', schema: query as TSchema }];
  const newest = versions.at(-1);
  if (newest === undefined || newest.from === FROM) return versions;
  return [...versions, { from: FROM, schema: closed(newest.schema) }];
}

/** From 2.102 on calls that read refuse query parameters that they do not know. Pages for browsers stay as they are. */
export const strictQueries = (operations: readonly AnyOperation[]): readonly AnyOperation[] =>
  operations.map((operation) =>
    isOpen(operation) || (operation.method !== 'GET' && operation.query === undefined) ? operation : { ...operation, query: closedFrom(operation.query) },
  );
