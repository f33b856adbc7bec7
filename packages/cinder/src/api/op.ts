import type { Context } from '@cairn/kit/context/context';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { type AnyOperation, operationsOf, type Request } from '@cairn/kit/http/operation';
import type { TSchema } from 'typebox';
import type { CinderApp } from '../app/app.ts';

/** Declares one operation of the block storage API; its path begins with `/v3`. */
export const op = operationsOf<CinderApp>();

/** A JSON schema that is written out, as upstream writes its own. */
export const schema = (document: Readonly<Record<string, unknown>>): TSchema => document as TSchema;

/**
 * Upstream has each path twice: with the project's id after `/v3`, and (from microversion 3.67) without. Every microversion is served on both here,
 * as upstream's routes do. The project in the path must be the token's.
 */
export function withAndWithoutProject(operations: readonly AnyOperation[]): AnyOperation[] {
  return operations.flatMap((operation) => [
    checked(operation, checkPath),
    {
      ...checked(operation, (request) => {
        checkPath(request);
        checkProject(request);
      }),
      id: `${operation.id}.in-project`,
      path: operation.path.replace(/^\/v3/, '/v3/{project_id}') as `/${string}`,
    },
  ]);
}

/** The same operation behind a check of its path, which comes before policy. */
function checked(operation: AnyOperation, check: (request: Request) => void): AnyOperation {
  const { target } = operation;
  return {
    ...operation,
    async target(app: CinderApp, request: Request) {
      check(request);
      return target ? await target(app as never, request) : ownTarget(request.ctx);
    },
    handle(app: CinderApp, request: Request) {
      check(request);
      return operation.handle(app as never, request as never);
    },
  };
}

/** Upstream has no path that ends with a slash: `GET /volumes/` is a volume without an id, not the list. */
function checkPath(request: Request): void {
  if (/\/(?:\?|$)/.test(request.url)) throw notFound(NO_PATH);
  // no name, id or value has a NUL in it, and PostgreSQL takes none
  const nul = request.url.indexOf('%00');
  if (nul < 0) return;
  const query = request.url.indexOf('?');
  throw query >= 0 && query < nul ? invalidInput('Malformed request url') : notFound(NO_PATH);
}

/** Ids are hex with or without dashes (`project_id_regex`); anything else is no path at all. */
function checkProject(request: Request): void {
  const id = request.params['project_id'] ?? '';
  if (!/^[0-9a-f-]+$/.test(id)) throw notFound(NO_PATH);
  if (id !== request.ctx.projectId) throw invalidInput('Malformed request url');
}

export const NO_PATH = 'The resource could not be found.';

const ownTarget = (ctx: Context): Readonly<Record<string, unknown>> => ({ project_id: ctx.projectId, user_id: ctx.userId, domain_id: ctx.domainId });
