import { STATUS_CODES } from 'node:http';
import type { CairnError } from '@cairn/kit/errors/errors';
import type { FaultRequest, WireFault } from '@cairn/kit/http/service';

/** The sentence that each status brings along on the wire (webob's, which clients and their tests read). */
const EXPLANATIONS: Readonly<Record<number, string>> = {
  400: 'The server could not comply with the request since it is either malformed or otherwise incorrect.',
  403: 'Access was denied to this resource.',
  404: 'The resource could not be found.',
  409: 'There was a conflict when trying to complete your request.',
  413: 'The body of your request was too large for this server.',
  500: 'The server has either erred or is incapable of performing the requested operation.',
  503: 'The server is currently unavailable. Please try again at a later time.',
};

/** Placement's faults follow the API guideline on errors; codes from microversion 1.23 on (placement/util.py, placement/errors.py). */
export function placementFault(error: CairnError, request: FaultRequest): WireFault {
  const { status } = error;
  const title = STATUS_CODES[status] ?? 'Error';
  const detail = detailOf(error, request);
  const headers = { ...error.headers };
  const form = formOf(request.accept);
  if (form !== 'json')
    return {
      status,
      headers: { ...headers, 'content-type': `text/${form}; charset=UTF-8` },
      body: form === 'html' ? page(status, title, detail) : `${status} ${title}\n\n${detail}\n\n`,
    };
  const range = error.type === 'InvalidGlobalAPIVersion' ? (error.detail as { min: string; max: string }) : undefined;
  const fault = {
    status,
    title,
    detail,
    ...(request.version?.atLeast('1.23') && { code: error.type?.startsWith('placement.') ? error.type : 'placement.undefined_code' }),
    request_id: request.requestId,
    ...(range && { max_version: range.max, min_version: range.min }),
  };
  return { status, headers, body: { errors: [fault] } };
}

function detailOf(error: CairnError, request: FaultRequest): string {
  const text = textOf(error);
  if (error.status === 405) return `The method ${request.method} is not allowed for this resource. \n\n The method specified is not allowed for this resource.`;
  if (error.status === 406) return `The resource could not be generated that was acceptable to your browser (content of type ${request.accept}). \n\n ${text}`;
  if (error.status === 415) return `The request media type is not supported by this server. \n\n ${text}`;
  const explanation = EXPLANATIONS[error.status];
  return explanation === undefined ? text : `${explanation}\n\n ${text}  `;
}

/** The error's own words; kit's are put as placement puts them. */
function textOf(error: CairnError): string {
  switch (error.type) {
    case 'InvalidAPIVersionString':
      return `Invalid microversion: invalid version string: ${(error.detail as { wanted: string }).wanted}`;
    case 'InvalidGlobalAPIVersion':
      return `Invalid microversion: Unacceptable version header: ${(error.detail as { wanted: string }).wanted}`;
    case 'MalformedRequestBody':
      return `Malformed JSON: ${error.message}`;
    case 'PolicyNotAuthorized':
      return `Policy does not allow ${(error.detail as { rule: string }).rule} to be performed.`;
    case 'NoSuchPath':
    case 'VersionNotFoundForAPIMethod':
      return '';
    default:
      return error.message;
  }
}

/** Without an Accept header, or with anything accepted, errors are JSON; else HTML or plain text where that is asked for. */
function formOf(accept: string): 'json' | 'html' | 'plain' {
  if (accept === '' || accept === '*/*') return 'json';
  const ranges = accept.split(',').map((range) => range.split(';')[0]?.trim().toLowerCase() ?? '');
  const html = ranges.findIndex((range) => range === 'text/html' || range === 'text/*' || range === '*/*');
  const json = ranges.findIndex((range) => range === 'application/json' || range === 'application/*' || range === '*/*');
  if (html < 0 && json < 0) return 'plain';
  return json >= 0 && (html < 0 || json < html) ? 'json' : 'html';
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#x27;' };
const escaped = (text: string): string => text.replace(/[&<>"']/g, (c) => ENTITIES[c] ?? c);
const page = (status: number, title: string, detail: string): string =>
  `<html>\n <head>\n  <title>${status} ${title}</title>\n </head>\n <body>\n  <h1>${status} ${title}</h1>\n  ${escaped(detail).replaceAll('\n\n', '<br /><br />\n')}\n </body>\n</html>`;
