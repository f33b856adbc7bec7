import type { Answers } from './answers.ts';
import { activity } from './activity.ts';
import { ApiError, messageOf } from './errors.ts';
import { doorTo } from './region.ts';
import { sessionEnd } from './session-end.ts';
import { SERVICES, type ServiceName } from './services.ts';

export interface CallOptions {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** What the session endpoint and the services want to see from the console's own page. */
export const PAGE_HEADERS = { 'x-cairn-console': '1' } as const;

/** What a call answers: of an operation that the cloud's document has, by its name (`nova.server.show`); else the type itself. */
export type Answer<T> = T extends keyof Answers ? Answers[T] : T;
/** The members of the list that an operation answers. */
type Rows<A> = { [K in keyof A]-?: NonNullable<A[K]> extends readonly (infer R)[] ? (R extends { readonly id: string } ? R : never) : never }[keyof A];
/** A row of a list: of an operation by its name, or the type itself. */
export type Row<T> = T extends keyof Answers ? Rows<Answers[T]> : T;

/** The object of a single envelope. */
type Enveloped<A> = A extends unknown ? { [K in keyof A]: A[K] extends { readonly id: string } ? A[K] : never }[keyof A] : never;
/** What an operation shows or makes, without its envelope: of an operation by its name, or the type itself. */
export type Shown<T> = T extends keyof Answers ? Enveloped<Answers[T]> : T;

/** One call of a public API, in the name of who signed in. Rejects with ApiError. A body without content is undefined. */
export async function api<T>(service: ServiceName, path: string, options: CallOptions = {}): Promise<Answer<T>> {
  const { method = 'GET', body, signal } = options;
  const { header } = SERVICES[service];
  const headers: Record<string, string> = {
    accept: 'application/json',
    ...(header !== undefined && { 'openstack-api-version': header }),
    ...(body !== undefined && { 'content-type': 'application/json' }),
    ...options.headers,
  };
  const startedAtMs = Date.now();
  const from = performance.now();
  const end = activity.begin({ service, method, path, body, headers, startedAtMs });
  const signedOut = sessionEnd.begin();
  let response: Response;
  let text: string;
  try {
    response = await fetch(`${doorTo(service)}${path}`, {
      method,
      headers: { ...headers, ...PAGE_HEADERS },
      ...(body !== undefined && { body: JSON.stringify(body) }),
      ...(signal && { signal }),
      credentials: 'same-origin',
      redirect: 'error',
    });
    text = await response.text();
  } catch (error) {
    end({ status: 0, milliseconds: performance.now() - from });
    if (signal?.aborted) throw error;
    throw new ApiError(0, error instanceof Error ? error.message : String(error), undefined);
  }
  const requestId = response.headers.get('x-openstack-request-id') ?? undefined;
  end({ status: response.status, milliseconds: performance.now() - from, requestId });
  const isJson = (response.headers.get('content-type') ?? '').includes('json');
  const value: unknown = isJson && text !== '' ? JSON.parse(text) : text === '' ? undefined : text;
  if (response.ok) return value as Answer<T>;
  if (response.status === 401) signedOut();
  throw new ApiError(response.status, messageOf(value, response.status), requestId);
}

/** All pages of a list, by `limit` and `marker`, in the order of the API. */
export async function allOf<T extends keyof Answers | { readonly id: string }>(
  service: ServiceName,
  path: string,
  key: string,
  signal?: AbortSignal,
  pageSize = 500,
): Promise<Row<T>[]> {
  const rows: Row<T>[] = [];
  for (let marker: string | undefined; ; ) {
    const query = `${path.includes('?') ? '&' : '?'}limit=${pageSize}${marker === undefined ? '' : `&marker=${encodeURIComponent(marker)}`}`;
    const page = (await api<Record<string, Row<T>[]>>(service, path + query, signal ? { signal } : {}))[key] ?? [];
    rows.push(...page);
    if (page.length < pageSize) return rows;
    marker = (page.at(-1) as { readonly id: string } | undefined)?.id;
  }
}
