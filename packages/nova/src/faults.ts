import type { CairnError } from '@cairn/kit/errors/errors';
import type { FaultRequest, WireFault } from '@cairn/kit/http/service';

/** Nova's names of faults by HTTP status (nova/api/openstack/wsgi.py); any other status is a `computeFault`. */
const FAULT_NAMES: Readonly<Record<number, string>> = {
  400: 'badRequest',
  401: 'unauthorized',
  403: 'forbidden',
  404: 'itemNotFound',
  405: 'badMethod',
  409: 'conflictingRequest',
  413: 'overLimit',
  415: 'badMediaType',
  429: 'overLimit',
  501: 'notImplemented',
  503: 'serviceUnavailable',
};

/** An unforeseen error's text tells its class, as upstream's does; here there is nothing to tell. */
const UNEXPECTED = 'Unexpected API Error. Please report this at http://bugs.launchpad.net/nova/ and attach the Nova API log if possible.';

/** `{"itemNotFound": {"code": 404, "message": "..."}}`. */
export function novaFault(error: CairnError, _request: FaultRequest): WireFault {
  const name = FAULT_NAMES[error.status] ?? 'computeFault';
  const retryAfter = error.headers?.['retry-after'] ?? error.headers?.['Retry-After'];
  const body = {
    [name]: {
      code: error.status,
      message: error.kind === 'Internal' ? UNEXPECTED : error.message,
      ...((error.status === 413 || error.status === 429) && retryAfter !== undefined ? { retryAfter } : {}),
    },
  };
  return { status: error.status, body, ...(error.headers === undefined ? {} : { headers: error.headers }) };
}
