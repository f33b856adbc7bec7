import type { Context } from '@cairn/kit/context/context';
import { CairnError, type ErrorKind } from '@cairn/kit/errors/errors';
import type { InsideAnswer, NovaDeps } from './deps.ts';

/** Calls a service in the caller's name. A refusal is thrown as nova's own, with that service's words, unless `refused` has a better one. */
export type HandOn = (
  method: string,
  url: string,
  body?: unknown,
  refused?: (status: number, message: string, type: string) => Error | undefined,
) => Promise<Record<string, unknown>>;

const KINDS: Readonly<Record<number, ErrorKind>> = {
  400: 'InvalidInput',
  401: 'Forbidden',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  413: 'Forbidden',
};

/** What a refusal says: neutron's envelope, cinder's by the fault's name, or glance's with its mark-up. */
function wordsOf(body: unknown): { readonly message: string; readonly type: string } {
  const { NeutronError: neutron, message } = (body ?? {}) as { NeutronError?: { message?: string; type?: string } | string; message?: string };
  if (typeof neutron === 'string') return { message: neutron, type: '' };
  if (neutron) return { message: neutron.message ?? '', type: neutron.type ?? '' };
  const fault = message === undefined ? (Object.values((body ?? {}) as object)[0] as { readonly message?: string } | undefined) : undefined;
  if (typeof fault?.message === 'string') return { message: fault.message, type: '' };
  return { message: (message ?? '').replace(/<br \/>|\n+$/g, '').trim(), type: '' };
}

/** Hands calls on to one service. */
export function handOn(deps: NovaDeps, ctx: Context, service: 'neutron' | 'glance' | 'cinder', headers: Readonly<Record<string, string>> = {}): HandOn {
  return async (method, url, body, refused) => {
    const call = { service, method, url, ctx, headers: { accept: 'application/json', ...headers }, ...(body !== undefined && { body }) };
    const answer: InsideAnswer = await deps.inside(call);
    if (answer.status < 300) return (answer.body ?? {}) as Record<string, unknown>;
    const { message, type } = wordsOf(answer.body);
    const kind = KINDS[answer.status];
    if (kind === undefined) throw new Error(`${service} answered ${method} ${url} with ${answer.status}: ${message}`);
    throw refused?.(answer.status, message, type) ?? new CairnError(kind, message, { detail: { service, status: answer.status, type } });
  };
}
