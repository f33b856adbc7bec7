import type { CairnError } from '@cairn/kit/errors/errors';
import type { FaultRequest, WireFault } from '@cairn/kit/http/service';
import { NOT_IMPLEMENTED, PLAIN_NOT_FOUND } from './errors.ts';

/** webob's class names, for errors that come from the HTTP layer and not from neutron. */
const HTTP_TYPES: Readonly<Record<number, string>> = {
  400: 'HTTPBadRequest',
  403: 'HTTPForbidden',
  404: 'HTTPNotFound',
  405: 'HTTPMethodNotAllowed',
  409: 'HTTPConflict',
  412: 'HTTPPreconditionFailed',
  413: 'HTTPRequestEntityTooLarge',
  415: 'HTTPUnsupportedMediaType',
  501: 'HTTPNotImplemented',
  503: 'HTTPServiceUnavailable',
};

const UNEXPECTED = 'Request Failed: internal server error while processing your request.';

/** `{"NeutronError": {"type": "NetworkInUse", "message": "...", "detail": ""}}`; a refused token is keystonemiddleware's own form. */
export function neutronFault(error: CairnError, _request: FaultRequest): WireFault {
  if (error.status === 401)
    return { status: 401, body: { error: { code: 401, title: 'Unauthorized', message: 'The request you have made requires authentication.' } } };
  if (error.type === PLAIN_NOT_FOUND) return { status: 404, body: { type: 'HTTPNotFound', message: error.message, detail: '' } };
  if (error.kind === 'Internal' && error.type === undefined)
    return { status: 500, body: { NeutronError: { type: 'HTTPInternalServerError', message: UNEXPECTED, detail: '' } } };
  if (error.type === NOT_IMPLEMENTED)
    return { status: error.status, body: { [NOT_IMPLEMENTED]: { type: NOT_IMPLEMENTED, message: error.message, detail: '' } } };
  // kit's own complaint about JSON that does not parse has a type that other services know
  const malformed = error.type === 'MalformedRequestBody';
  const type = malformed ? 'HTTPBadRequest' : (error.type ?? HTTP_TYPES[error.status] ?? 'HTTPInternalServerError');
  const message = malformed ? 'Body contains invalid data' : error.message;
  return { status: error.status, body: { NeutronError: { type, message, detail: '' } } };
}
