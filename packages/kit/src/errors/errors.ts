/**
 * The closed union of domain errors. App code throws them; each service's fault renderer turns them into its wire form last.
 * Public text may reach a client; `detail` (private context) goes to the log alone.
 */

/** What went wrong, free of any transport. */
export type ErrorKind =
  | 'InvalidInput'
  | 'Unauthorized'
  | 'Forbidden'
  | 'NotFound'
  | 'MethodNotAllowed'
  | 'NotAcceptable'
  | 'AlreadyExists'
  | 'Conflict'
  | 'Gone'
  | 'PreconditionFailed'
  | 'TooLarge'
  | 'UnsupportedMediaType'
  | 'Unprocessable'
  | 'RangeNotSatisfiable'
  | 'QuotaExceeded'
  | 'RateLimited'
  | 'NoCapacity'
  | 'NotImplemented'
  | 'Unavailable'
  | 'Internal';

/** The HTTP status that fits each kind when a service has no rule of its own. */
export const HTTP_STATUS: Readonly<Record<ErrorKind, number>> = {
  InvalidInput: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  PreconditionFailed: 412,
  TooLarge: 413,
  UnsupportedMediaType: 415,
  RangeNotSatisfiable: 416,
  Unprocessable: 422,
  QuotaExceeded: 403,
  RateLimited: 429,
  NoCapacity: 400,
  NotImplemented: 501,
  Unavailable: 503,
  Internal: 500,
};

export interface ErrorOptions {
  /** The service's own name for the error, e.g. neutron's `NetworkInUse`, placement's `placement.concurrent_update`. */
  readonly type?: string;
  /** Overrides HTTP_STATUS for this one error. */
  readonly status?: number;
  /** Private context: logged, never sent. */
  readonly detail?: unknown;
  /** Extra response headers, e.g. Retry-After. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The request field that is at fault, as a path (`server/name`). */
  readonly field?: string;
  readonly cause?: unknown;
}

/** The one error class that app code throws on purpose. `message` is public. */
export class CairnError extends Error {
  readonly kind: ErrorKind;
  readonly type: string | undefined;
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>> | undefined;
  readonly field: string | undefined;

  constructor(kind: ErrorKind, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = kind;
    this.kind = kind;
    this.type = options.type;
    this.status = options.status ?? HTTP_STATUS[kind];
    this.detail = options.detail;
    this.headers = options.headers;
    this.field = options.field;
  }
}

type Make = (message: string, options?: ErrorOptions) => CairnError;
const maker =
  (kind: ErrorKind): Make =>
  (message, options) =>
    new CairnError(kind, message, options);

export const invalidInput: Make = maker('InvalidInput');
export const unauthorized: Make = maker('Unauthorized');
export const forbidden: Make = maker('Forbidden');
export const notFound: Make = maker('NotFound');
export const alreadyExists: Make = maker('AlreadyExists');
export const conflict: Make = maker('Conflict');
export const gone: Make = maker('Gone');
export const tooLarge: Make = maker('TooLarge');
export const quotaExceeded: Make = maker('QuotaExceeded');
export const noCapacity: Make = maker('NoCapacity');
export const notImplemented: Make = maker('NotImplemented');
export const unavailable: Make = maker('Unavailable');
export const preconditionFailed: Make = maker('PreconditionFailed');

/** True for a domain error, of the given kind when one is named. */
export function isCairnError(error: unknown, kind?: ErrorKind): error is CairnError {
  return error instanceof CairnError && (kind === undefined || error.kind === kind);
}

/** Public text of any error: a domain error's message, and for the rest a sentence that gives nothing away. */
export function publicText(error: unknown): string {
  return error instanceof CairnError ? error.message : 'An unexpected error prevented the server from fulfilling your request.';
}
