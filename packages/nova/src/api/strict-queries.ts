import { ANYONE, type AnyOperation, type Versioned } from '@cairn/kit/http/operation';
import type { TSchema } from 'typebox';
import { object } from './schemas/types.ts';

const FROM = '2.102';

/** The schema without further properties; patterns go, too. */
function closed(schema: TSchema): TSchema {
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

/** From 2.102 every call that reads refuses query parameters that it does not know. Pages for browsers stay as they are. */
export const strictQueries = (operations: readonly AnyOperation[]): readonly AnyOperation[] =>
  operations.map((operation) =>
    operation.policy === ANYONE || (operation.method !== 'GET' && operation.query === undefined)
      ? operation
      : { ...operation, query: closedFrom(operation.query) },
  );
