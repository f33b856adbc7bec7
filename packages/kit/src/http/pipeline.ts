import { Readable } from 'node:stream';
import type { Clock } from '../clock/clock.ts';
import type { Context } from '../context/context.ts';
import { CairnError, isCairnError, publicText } from '../errors/errors.ts';
import type { Logger } from '../log/log.ts';
import type { Policy } from '../policy/policy.ts';
import { allowedByRules } from './access-rules.ts';
import { type Answer, type Exchange, header } from './exchange.ts';
import { type Microversions, rankOf, Version } from './microversion.ts';
import { ANYONE, AUTHENTICATED, type AnyOperation, JsonText, Reply, type Request } from './operation.ts';
import type { FaultRequest, HttpService } from './service.ts';
import { schemaAt, validate } from './validation.ts';

/** One service with its policy compiled, ready to serve. */
export interface MountedService {
  readonly service: HttpService;
  readonly policy: Policy;
}

/** All operations of one path. */
export interface PathTable {
  readonly mounted: MountedService;
  readonly path: string;
  readonly byMethod: ReadonlyMap<string, readonly AnyOperation[]>;
}

export interface PipelineOptions {
  /** Turns a token into its Context; undefined when it is not valid. */
  authenticate(token: string, requestId: string): Promise<Context | undefined>;
  /** For `WWW-Authenticate: Keystone uri="..."`. */
  readonly identityUrl: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told of every answer, for metrics. */
  observe?(facts: { service: string; operation: string; method: string; status: number; milliseconds: number }): void;
  /** Sees every success before it is sent, and says what is sent. For tests, which hold answers against their schemas. */
  review?(facts: { service: HttpService; operation: AnyOperation; version: Version; method: string; query: URLSearchParams }, answer: Answer): Answer;
}

const VERSION_FORMAT = /^([1-9]\d*)\.([1-9]\d*|0)$/;
const NO_VERSION = new Version('0.0');
const DEFAULT_BODY_LIMIT_BYTES = 1024 * 1024;
const EMPTY_QUERY = new URLSearchParams();
const versions = new Map<string, Version>();
const versionOf = (text: string): Version => {
  let version = versions.get(text);
  if (!version) {
    version = new Version(text);
    if (versions.size < 2_000) versions.set(text, version);
  }
  return version;
};

/** Settles the microversion of a request. Throws InvalidInput (400) for nonsense and NotAcceptable (406) outside of the range. */
export function negotiate(micro: Microversions, headers: Exchange['headers']): Version {
  let wanted: string | undefined;
  const general = header(headers, 'openstack-api-version');
  if (general) {
    for (const part of general.split(',')) {
      const [type, text] = part.trim().split(/\s+/, 2);
      if (type?.toLowerCase() === micro.serviceType) wanted = text ?? '';
    }
  }
  if (wanted === undefined && micro.legacyHeader) wanted = header(headers, micro.legacyHeader.toLowerCase())?.trim();
  if (wanted === undefined) return versionOf(micro.fallback);
  if (wanted.toLowerCase() === 'latest') return versionOf(micro.max);
  if (!(micro.format ?? VERSION_FORMAT).test(wanted) || wanted.length > 9) {
    throw new CairnError('InvalidInput', `API Version String ${wanted} is of invalid format. Must be of format MajorNum.MinorNum.`, {
      type: 'InvalidAPIVersionString',
      detail: { wanted },
    });
  }
  const rank = rankOf(wanted);
  if (rank < rankOf(micro.min) || rank > rankOf(micro.max)) {
    throw new CairnError('NotAcceptable', `Version ${wanted} is not supported by the API. Minimum is ${micro.min} and maximum is ${micro.max}.`, {
      type: 'InvalidGlobalAPIVersion',
      detail: { min: micro.min, max: micro.max, wanted },
    });
  }
  return versionOf(wanted);
}

/** The microversion that an answer without any operation speaks; undefined where the request's own is none. */
export function versionOfRefused(service: HttpService, headers: Exchange['headers']): Version | undefined {
  try {
    return service.microversions && negotiate(service.microversions, headers);
  } catch {
    return undefined;
  }
}

const knows = (operation: AnyOperation, version: Version): boolean =>
  version === NO_VERSION || ((!operation.since || version.rank >= rankOf(operation.since)) && (!operation.until || version.rank <= rankOf(operation.until)));

/** Runs one request through: find, authenticate, negotiate, read, validate, authorise, handle, render. Never throws. */
export async function serve(table: PathTable, exchange: Exchange, options: PipelineOptions): Promise<Answer> {
  const { service } = table.mounted;
  const startedMs = performance.now();
  let version: Version | undefined;
  let operation: AnyOperation | undefined;
  let caller: Context | undefined;
  const facts = (): FaultRequest => ({
    requestId: exchange.requestId,
    version,
    method: exchange.method,
    url: exchange.url,
    accept: header(exchange.headers, 'accept') ?? '',
  });
  let answer: Answer;
  try {
    const candidates = table.byMethod.get(exchange.method) ?? (exchange.method === 'HEAD' && service.headTwins ? table.byMethod.get('GET') : undefined);
    const open = candidates?.some((o) => o.policy === ANYONE);
    const token = header(exchange.headers, 'x-auth-token');
    let ctx = exchange.ctx;
    if (!ctx && token) ctx = await options.authenticate(token, exchange.requestId);
    caller = ctx;
    if (ctx?.accessRules && !allowedByRules(ctx.accessRules, service, exchange.method, pathOf(exchange.url))) throw unauthenticated(options.identityUrl);
    if (!ctx && !open) throw unauthenticated(options.identityUrl);
    if (!candidates) version = versionOfRefused(service, exchange.headers);
    if (!candidates)
      throw new CairnError('MethodNotAllowed', 'The method is not allowed for the requested resource.', {
        headers: { Allow: [...table.byMethod.keys()].join(', ') },
      });
    version =
      service.microversions && !(open && candidates.length === 1)
        ? negotiate(service.microversions, exchange.headers)
        : service.microversions
          ? versionOf(service.microversions.fallback)
          : NO_VERSION;
    const at = version;
    const fitting = candidates.length === 1 && !candidates[0]?.since && !candidates[0]?.until ? candidates : candidates.filter((o) => knows(o, at));
    const first = fitting[0];
    if (!first) throw new CairnError('NotFound', `The resource could not be found.`, { type: 'VersionNotFoundForAPIMethod' });
    service.admit?.({ operation: first, method: exchange.method, headers: exchange.headers, hasBody: exchange.hasBody });
    let body: unknown;
    if ((first.input ?? 'json') === 'json' && exchange.hasBody) {
      const type = header(exchange.headers, 'content-type');
      if (service.contentTypes && exchange.method !== 'GET' && exchange.method !== 'HEAD' && !service.contentTypes.test(type ?? '')) {
        throw new CairnError('UnsupportedMediaType', `Unsupported Content-Type ${type ?? ''}`.trim());
      }
      body = await exchange.readJson(first.bodyLimitBytes ?? service.bodyLimitBytes ?? DEFAULT_BODY_LIMIT_BYTES);
    }
    operation = first.action === undefined ? first : byAction(fitting, candidates, body);
    const chosen = operation;
    const queryAt = exchange.url.indexOf('?');
    const query = queryAt < 0 ? EMPTY_QUERY : new URLSearchParams(exchange.url.slice(queryAt + 1));
    const app = service.app;
    const needCtx = (): Context => {
      if (!ctx) throw unauthenticated(options.identityUrl);
      return ctx;
    };
    const request: Request = {
      get ctx() {
        return needCtx();
      },
      maybeCtx: ctx,
      requestId: exchange.requestId,
      params: exchange.params,
      query,
      headers: exchange.headers,
      body,
      stream: exchange.stream,
      version,
      method: exchange.method,
      url: exchange.url,
      baseUrl: exchange.baseUrl,
      remoteAddress: exchange.remoteAddress,
      signal: exchange.signal,
      authorize: (rule, target) => table.mounted.policy.authorize(rule, needCtx(), target ?? ownTarget(needCtx())),
      allowed: (rule, target) => table.mounted.policy.allowed(rule, needCtx(), target ?? ownTarget(needCtx())),
    };
    if (chosen.query && chosen.validation !== 'handler') {
      const schema = schemaAt(chosen.query, version);
      if (schema) validate(schema, queryObject(query), 'query');
    }
    if (chosen.body && chosen.validation !== 'handler') {
      const schema = schemaAt(chosen.body, version);
      if (schema && !(chosen.bodyOptional && body === undefined)) {
        if (body === undefined) throw new CairnError('InvalidInput', 'Malformed request body: it is empty.', { type: 'MalformedRequestBody' });
        validate(schema, body, 'body');
      }
    }
    // upstream judges the shape of a call before it asks who may make it
    if (typeof chosen.policy === 'string') request.authorize(chosen.policy, chosen.target && (await chosen.target(app as never, request)));
    const result = await chosen.handle(app as never, request as never);
    answer = render(result, chosen.success ?? 200);
    if (options.review) answer = options.review({ service, operation: chosen, version, method: exchange.method, query }, answer);
  } catch (error) {
    answer = fail(error, service, facts(), options.log, operation?.id);
  }
  answer.headers['x-openstack-request-id'] = exchange.requestId;
  // every 401 says where to log in, whoever found it out
  if (answer.status === 401) answer.headers['WWW-Authenticate'] ??= challenge(options.identityUrl);
  if (service.headers) for (const [name, value] of Object.entries(service.headers(facts()))) answer.headers[name] ??= value;
  const milliseconds = performance.now() - startedMs;
  options.observe?.({ service: service.name, operation: operation?.id ?? 'none', method: exchange.method, status: answer.status, milliseconds });
  record(exchange, service, operation, caller, answer.status, milliseconds, options.log);
  return answer;
}

/**
 * One line per request, found again by its id: who did what with which outcome. Reads are of level debug. Neither query nor body nor words
 * of a refusal: they may hold what nobody else should read.
 */
function record(
  exchange: Exchange,
  service: HttpService,
  operation: AnyOperation | undefined,
  caller: Context | undefined,
  status: number,
  milliseconds: number,
  log: Logger,
): void {
  const fields = {
    requestId: exchange.requestId,
    status,
    milliseconds: Math.round(milliseconds * 10) / 10,
    operation: operation?.id,
    userId: caller?.userId,
    projectId: caller?.projectId,
    remoteAddress: exchange.remoteAddress,
  };
  const text = `${exchange.method} ${service.prefix}${operation?.hidesPath ? operation.path : pathOf(exchange.url)}`;
  if (exchange.method === 'GET' || exchange.method === 'HEAD') log.debug(fields, text);
  else log.info(fields, text);
}

/** The policy target of an operation before any resource is known: the caller's own project and user. */
const ownTarget = (ctx: Context): Readonly<Record<string, unknown>> => ({
  project_id: ctx.projectId,
  tenant_id: ctx.projectId,
  user_id: ctx.userId,
  domain_id: ctx.domainId,
});

function byAction(fitting: readonly AnyOperation[], all: readonly AnyOperation[], body: unknown): AnyOperation {
  if (body === null || typeof body !== 'object' || Array.isArray(body))
    throw new CairnError('InvalidInput', 'Malformed request body', { type: 'MalformedRequestBody' });
  const keys = Object.keys(body);
  for (const key of keys) {
    const found = fitting.find((o) => o.action === key);
    if (found) {
      if (keys.length > 1)
        throw new CairnError('InvalidInput', `Malformed request body: one action is expected, not ${keys.length}.`, { type: 'MalformedRequestBody' });
      return found;
    }
  }
  const key = keys[0] ?? '';
  if (all.some((o) => o.action === key)) throw new CairnError('NotFound', 'The resource could not be found.', { type: 'VersionNotFoundForAPIMethod' });
  throw new CairnError('InvalidInput', `There is no such action: ${key}`, { type: 'NoSuchAction' });
}

const pathOf = (url: string): string => {
  const end = url.indexOf('?');
  return end < 0 ? url : url.slice(0, end);
};

function queryObject(query: URLSearchParams): Record<string, string | string[]> {
  const object: Record<string, string | string[]> = {};
  for (const [key, value] of query) {
    if (key === '__proto__') continue;
    const before = object[key];
    object[key] = before === undefined ? value : Array.isArray(before) ? [...before, value] : [before, value];
  }
  return object;
}

function unauthenticated(identityUrl: string): CairnError {
  return new CairnError('Unauthorized', 'The request you have made requires authentication.', { headers: { 'WWW-Authenticate': challenge(identityUrl) } });
}

const challenge = (identityUrl: string): string => `Keystone uri="${identityUrl}"`;

function render(result: unknown, success: number): Answer {
  const reply = result instanceof Reply ? result : undefined;
  return write(reply ? reply.body : result, reply?.status ?? success, { ...reply?.headers });
}

function write(body: unknown, status: number, headers: Record<string, string | string[]>): Answer {
  if (body === undefined || status === 204 || status === 304) return { status, headers, body: undefined };
  if (typeof body === 'string' || Buffer.isBuffer(body) || body instanceof Readable) return { status, headers, body };
  headers['content-type'] ??= 'application/json';
  return { status, headers, body: body instanceof JsonText ? body : JSON.stringify(body) };
}

/** An error in the service's envelope. What is no domain error is a 500 that gives nothing away, and a logged stack. */
export function fail(error: unknown, service: HttpService, facts: FaultRequest, log: Logger, operation: string | undefined): Answer {
  const known = isCairnError(error) ? error : new CairnError('Internal', publicText(error), { cause: error });
  if (known.status >= 500)
    log.error(
      {
        requestId: facts.requestId,
        operation,
        method: facts.method,
        err: describe(isCairnError(error) && error.cause ? error.cause : error),
        detail: known.detail,
      },
      known.message,
    );
  const fault = service.fault(known, facts);
  const answer = write(fault.body, fault.status, { ...known.headers, ...fault.headers });
  return answer;
}

const describe = (error: unknown): object =>
  error instanceof Error ? { name: error.name, message: error.message, stack: error.stack } : { message: String(error) };

export { AUTHENTICATED };
