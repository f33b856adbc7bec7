import { STATUS_CODES } from 'node:http';
import type { CairnError } from '@cairn/kit/errors/errors';
import type { FaultRequest, WireFault } from '@cairn/kit/http/service';

/**
 * Glance's faults are webob's: HTML where the client accepts it (also any type), JSON where it asks for JSON, text otherwise
 * (webob/exc.py, generate_response).
 */
export function glanceFault(error: CairnError, request: FaultRequest): WireFault {
  const status = error.status === 429 ? 413 : error.status;
  const title = STATUS_CODES[status] ?? 'Error';
  const line = `${status} ${title}`;
  const headers = { ...error.headers };
  if (status === 401) return { status, headers, body: { error: { code: 401, title: 'Unauthorized', message: error.message } } };
  const { accept } = request;
  if (accept === '' || /\*\/\*|text\/html|text\/\*/.test(accept)) {
    return {
      status,
      headers: { ...headers, 'content-type': 'text/html; charset=UTF-8' },
      body: `<html>\n <head>\n  <title>${line}</title>\n </head>\n <body>\n  <h1>${line}</h1>\n  ${escapeHtml(error.message)}<br /><br />\n\n\n\n </body>\n</html>`,
    };
  }
  if (/application\/json|application\/\*/.test(accept))
    return {
      status,
      headers: { ...headers, 'content-type': 'application/json' },
      body: { message: `${escapeHtml(error.message)}<br /><br />\n\n\n`, code: line, title },
    };
  return { status, headers: { ...headers, 'content-type': 'text/plain; charset=UTF-8' }, body: `${line}\n\n${error.message}\n\n` };
}

const escapeHtml = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;').replaceAll("'", '&#x27;');
