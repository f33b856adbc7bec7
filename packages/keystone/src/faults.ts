import { STATUS_CODES } from 'node:http';
import type { CairnError } from '@cairn/kit/errors/errors';
import type { FaultRequest, WireFault } from '@cairn/kit/http/service';
import { AUTH_PLUGIN, forbiddenAction, INSUFFICIENT_METHODS } from './errors.ts';

const UNEXPECTED = 'An unexpected error prevented the server from fulfilling your request.';

/** `{"error": {"code": 404, "message": "...", "title": "Not Found"}}` (keystone/server/flask/request_processing/middleware/auth_context.py). */
export function keystoneFault(error: CairnError, _request: FaultRequest): WireFault {
  if (error.type === INSUFFICIENT_METHODS) return { status: error.status, headers: { Vary: 'X-Auth-Token' }, body: error.detail };
  const title = STATUS_CODES[error.status] ?? 'Error';
  const body: Record<string, unknown> = { code: error.status, message: messageOf(error), title };
  if (error.type === AUTH_PLUGIN) body.identity = (error.detail as { identity?: unknown } | undefined)?.identity ?? {};
  return { status: error.status, headers: { Vary: 'X-Auth-Token' }, body: { error: body } };
}

function messageOf(error: CairnError): string {
  if (error.kind === 'Internal') return UNEXPECTED;
  if (error.type === 'PolicyNotAuthorized') return forbiddenAction((error.detail as { rule: string }).rule).message;
  if (error.type === 'NoSuchPath') return 'The resource could not be found.';
  return error.message;
}
