import type { CairnError } from '@cairn/kit/errors/errors';
import type { FaultRequest, WireFault } from '@cairn/kit/http/service';

/** Cinder's names of faults by HTTP status (cinder/api/openstack/wsgi.py, Fault); any other status is a `computeFault`. */
const FAULT_NAMES: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  501: 'notImplemented',
  503: 'serviceUnavailable',
};

/** What webob says for a 500 that nobody foresaw. */
const UNEXPECTED = 'The server has either erred or is incapable of performing the requested operation.';

/** `{"itemNotFound": {"code": 404, "message": "..."}}`. */
export function cinderFault(error: CairnError, _request: FaultRequest): WireFault {
  // keystonemiddleware answers before cinder does
  if (error.status === 401) return { status: 401, body: { error: { code: 401, title: 'Unauthorized', message: error.message } } };
  // upstream's routes are per method: another method is a path that is not there
  if (error.kind === 'MethodNotAllowed') return { status: 404, body: { itemNotFound: { code: 404, message: 'The resource could not be found.' } } };
  const name = FAULT_NAMES[error.status] ?? 'computeFault';
  const retryAfter = error.headers?.['Retry-After'];
  const fault = {
    code: error.status,
    message: error.kind === 'Internal' ? UNEXPECTED : error.message,
    ...(error.status === 413 && retryAfter !== undefined ? { retryAfter } : {}),
  };
  return { status: error.status, body: { [name]: fault }, ...(error.headers && { headers: error.headers }) };
}
