import { CairnError, type ErrorKind, HTTP_STATUS, isCairnError, unavailable } from '../errors/errors.ts';

/** An error as it crosses the bus. Without `kind` it was no domain error. */
export interface WireError {
  readonly kind?: ErrorKind;
  readonly message: string;
  readonly type?: string;
  readonly status?: number;
  readonly field?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Private, for the log: JSON text of the detail, or the stack. */
  readonly detail?: string;
}

/** What a served host answers. */
export type Reply = { readonly value: unknown } | { readonly error: WireError };

/** An error of another process that was no domain error. Its stack is the other side's. */
export class RemoteError extends Error {
  constructor(error: WireError) {
    super(error.message);
    this.name = 'RemoteError';
    if (error.detail !== undefined) this.stack = error.detail;
  }
}

export function toWire(error: unknown): WireError {
  if (!isCairnError(error)) {
    return error instanceof Error ? { message: error.message, detail: error.stack ?? error.message } : { message: String(error) };
  }
  const detail = detailText(error);
  return {
    kind: error.kind,
    message: error.message,
    status: error.status,
    ...(error.type === undefined ? {} : { type: error.type }),
    ...(error.field === undefined ? {} : { field: error.field }),
    ...(error.headers === undefined ? {} : { headers: error.headers }),
    ...(detail === undefined ? {} : { detail }),
  };
}

export function fromWire(error: WireError): Error {
  if (error.kind === undefined || !Object.hasOwn(HTTP_STATUS, error.kind)) return new RemoteError(error);
  return new CairnError(error.kind, error.message, {
    ...(error.status === undefined ? {} : { status: error.status }),
    ...(error.type === undefined ? {} : { type: error.type }),
    ...(error.field === undefined ? {} : { field: error.field }),
    ...(error.headers === undefined ? {} : { headers: error.headers }),
    ...(error.detail === undefined ? {} : { detail: error.detail }),
  });
}

function detailText(error: CairnError): string | undefined {
  const detail = error.detail ?? (error.cause instanceof Error ? (error.cause.stack ?? error.cause.message) : error.cause);
  if (detail === undefined || typeof detail === 'string') return detail;
  try {
    return JSON.stringify(detail);
  } catch {
    return String(detail);
  }
}

export const nobodyServes = (host: string): CairnError => unavailable(`Host ${host} is not reachable.`, { detail: 'nobody serves it on the bus' });
export const noAnswer = (host: string, method: string, timeoutMs: number): CairnError =>
  unavailable(`Host ${host} did not answer in time.`, { detail: `${method}: no answer within ${timeoutMs} ms` });
export const busClosed = (host: string): CairnError =>
  unavailable(`Host ${host} is not reachable.`, { detail: 'the bus is closed or has lost its connection' });

export const DEFAULT_TIMEOUT_MS = 60_000;
