import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { type Duplex, Readable } from 'node:stream';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Context } from '../context/context.ts';
import { CairnError } from '../errors/errors.ts';
import type { Ids } from '../ids/ids.ts';
import { createPolicy } from '../policy/engine.ts';
import { clientErrorOf } from './client-error.ts';
import { type CorsOptions, corsOf } from './cors.ts';
import { encode } from './encode.ts';
import { type Answer, header, noBody, parseJson, readJson } from './exchange.ts';
import { ANYONE, AUTHENTICATED, type AnyOperation, JsonText } from './operation.ts';
import { type Passage, pass, withheld } from './passage.ts';
import { fail, type MountedService, type PathTable, type PipelineOptions, serve, versionOfRefused } from './pipeline.ts';
import type { HttpService } from './service.ts';
import { sendStream } from './send-stream.ts';
import { refuseUpgrade } from './upgrade.ts';

export interface HttpServerOptions extends PipelineOptions {
  readonly services: readonly HttpService[];
  /** Operators' overrides per service: rule → check string. */
  readonly policyOverrides?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly ids: Ids;
  /** Trust X-Forwarded-Proto/-Host of a proxy in front. Off unless the operator says so. */
  readonly trustProxy?: boolean;
  /** Web pages of other origins may call; absent: none may. */
  readonly cors?: CorsOptions;
  /** Looks at every request of the one port: what it stands for, when it stands for another. */
  readonly door?: (request: IncomingMessage) => Passage | undefined;
}

/** A line of `cairn routes`. */
export interface RouteLine {
  readonly service: string;
  readonly id: string;
  readonly method: string;
  readonly path: string;
  readonly action?: string;
  readonly since?: string;
  readonly until?: string;
  readonly policy: string;
  readonly summary: string;
}

/** A call from inside the process, in the caller's own name. */
export interface InsideCall {
  readonly service: string;
  readonly method: string;
  /** Path within the service, with the query. */
  readonly url: string;
  readonly ctx: Context;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'COPY'] as const;
const classicPrefix = new WeakMap<IncomingMessage, string>();

/** The cloud's HTTP front: one port with a prefix per service, and the classic ports when asked. */
export class HttpServer {
  readonly fastify: FastifyInstance;
  readonly #options: HttpServerOptions;
  readonly #mounted: readonly MountedService[];
  readonly #classic: Server[] = [];
  readonly #classicPorts = new Map<number, string>();
  readonly #tables = new Map<MountedService, PathTable[]>();
  readonly #aliases: readonly (readonly [from: string, to: string])[];
  readonly #cors: ReturnType<typeof corsOf> | undefined;
  readonly #clientError: ReturnType<typeof clientErrorOf>;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#mounted = options.services.map((service) => ({
      service,
      policy: createPolicy(service.name, service.policies, options.policyOverrides?.[service.name]),
    }));
    this.#aliases = options.services.flatMap(({ prefix, aliases }) => Object.entries(aliases ?? {}).map(([from, to]) => [prefix + from, prefix + to] as const));
    this.#cors = options.cors && corsOf(options.cors);
    this.#clientError = clientErrorOf(
      this.#mounted,
      (socket) => this.#classicPorts.get(socket.localPort ?? 0),
      () => `req-${options.ids.uuid()}`,
      options.log,
    );
    this.fastify = Fastify({
      logger: false,
      clientErrorHandler: this.#clientError,
      bodyLimit: Number.MAX_SAFE_INTEGER,
      requestTimeout: 0,
      keepAliveTimeout: 75_000,
      exposeHeadRoutes: false,
      routerOptions: { ignoreTrailingSlash: true, maxParamLength: 1024, ignoreDuplicateSlashes: true },
      rewriteUrl: (request) => {
        const prefix = this.#classicPorts.get(request.socket.localPort ?? 0);
        const url = request.url ?? '/';
        if (!prefix) {
          const passage = options.door?.(request as IncomingMessage);
          return this.#withoutAlias(passage ? pass(request as IncomingMessage, passage) : url);
        }
        classicPrefix.set(request as IncomingMessage, prefix);
        return this.#withoutAlias(prefix + url);
      },
    });
    this.fastify.addHttpMethod('COPY', { hasBody: true });
    this.fastify.removeAllContentTypeParsers();
    this.fastify.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    for (const mounted of this.#mounted) this.#mount(mounted);
    this.fastify.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.fastify.setNotFoundHandler((request, reply) => this.#unknown(request, reply));
    this.fastify.setErrorHandler((error, request, reply) => this.#broken(error, request, reply));
  }

  services(): readonly HttpService[] {
    return this.#mounted.map((m) => m.service);
  }

  /** Every operation of every service. */
  routes(): RouteLine[] {
    return this.#mounted.flatMap(({ service }) =>
      service.operations.map((o) => ({
        service: service.name,
        id: o.id,
        method: o.method,
        path: service.prefix + o.path,
        ...(o.action && { action: o.action }),
        ...(o.since && { since: o.since }),
        ...(o.until && { until: o.until }),
        policy: o.policy === ANYONE ? '(anyone)' : o.policy === AUTHENTICATED ? (o.asks ?? '(any valid token)') : String(o.policy),
        summary: o.summary,
      })),
    );
  }

  /** Listens; returns the port (the real one for port 0). */
  async listen(host: string, port: number): Promise<number> {
    await this.fastify.listen({ host, port });
    const address = this.fastify.server.address();
    return typeof address === 'object' && address ? address.port : port;
  }

  /** Also listens on upstream's own port of each service, without the prefix. */
  async listenClassic(host: string): Promise<void> {
    await this.fastify.ready();
    for (const { service } of this.#mounted) {
      this.#classicPorts.set(service.classicPort, service.prefix);
      const server = createServer((request: IncomingMessage, response: ServerResponse) => this.fastify.routing(request, response));
      server.keepAliveTimeout = 75_000;
      server.on('clientError', this.#clientError);
      server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(service.classicPort, host, resolve);
      });
      this.#classic.push(server);
    }
  }

  /** Takes no new connections and ends when the running requests have. */
  async close(): Promise<void> {
    for (const server of this.#classic) {
      server.close();
      server.closeIdleConnections();
    }
    this.fastify.server.closeIdleConnections();
    await this.fastify.close();
  }

  /** The same operations without HTTP, with the caller's own context. */
  async dispatch(call: InsideCall): Promise<{ status: number; headers: Answer['headers']; body: unknown }> {
    const mounted = this.#mounted.find((m) => m.service.name === call.service);
    if (!mounted) throw new CairnError('NotFound', `There is no service ${call.service}.`);
    const found = matchPath(this.#tables.get(mounted) ?? [], call.url.split('?')[0] ?? '/');
    if (!found) throw new CairnError('NotFound', 'The resource could not be found.');
    const payload = call.body === undefined ? undefined : JSON.parse(JSON.stringify(call.body));
    const answer = await serve(
      found.table,
      {
        requestId: call.ctx.requestId,
        method: call.method,
        url: call.url,
        baseUrl: mounted.service.prefix,
        headers: { ...(payload !== undefined && { 'content-type': 'application/json' }), ...call.headers },
        params: found.params,
        remoteAddress: 'inside',
        signal: new AbortController().signal,
        ctx: call.ctx,
        hasBody: payload !== undefined,
        readJson: async () => payload,
        stream: noBody(),
      },
      this.#options,
    );
    return {
      status: answer.status,
      headers: answer.headers,
      body: typeof answer.body === 'string' || answer.body instanceof JsonText ? parseMaybe(answer, answer.body) : answer.body,
    };
  }

  /** A connection that asks to leave HTTP goes to the service that has its path; elsewhere there is nothing to change to. */
  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // whatever breaks is the connection's own end
    socket.on('error', () => socket.destroy());
    const classic = this.#classicPorts.get((request.socket as { localPort?: number }).localPort ?? 0) ?? '';
    let url: URL;
    try {
      url = new URL(classic + (request.url ?? '/'), 'http://inside');
    } catch {
      refuseUpgrade(socket, 400);
      return;
    }
    for (const { service } of this.#mounted) {
      const handle = url.pathname.startsWith(service.prefix) ? service.upgrades?.[url.pathname.slice(service.prefix.length)] : undefined;
      if (handle === undefined) continue;
      handle(request, socket, head, url);
      return;
    }
    refuseUpgrade(socket, 404);
  }

  /** An older path as the one that it stands for. */
  #withoutAlias(url: string): string {
    for (const [from, to] of this.#aliases) if (url.startsWith(from) && url.length > from.length) return to + url.slice(from.length);
    return url;
  }

  #mount(mounted: MountedService): void {
    const { service } = mounted;
    const byPath = new Map<string, { path: string; methods: Map<string, AnyOperation[]> }>();
    for (const operation of service.operations) {
      if (operation.policy === undefined) throw new Error(`operation ${operation.id} has no policy rule`);
      if (typeof operation.policy === 'string' && !mounted.policy.has(operation.policy))
        throw new Error(`operation ${operation.id} names policy rule ${operation.policy}, which does not exist`);
      if (operation.asks !== undefined && !mounted.policy.has(operation.asks))
        throw new Error(`operation ${operation.id} names policy rule ${operation.asks}, which does not exist`);
      // parameter names are per path: `/a/{x}` and `/a/{y}/b` are one node for the router, so names are kept per route
      const url = operation.path.replace(/\{(\w+)\*\}/g, '*').replace(/\{(\w+)\}/g, ':$1');
      const shape = shapeOf(url);
      let entry = byPath.get(shape);
      if (!entry) {
        entry = { path: url, methods: new Map() };
        byPath.set(shape, entry);
      }
      if (entry.path !== url)
        throw new Error(`operation ${operation.id}: ${operation.path} names its parameters otherwise than another operation of the same path`);
      const list = entry.methods.get(operation.method) ?? [];
      const clash = list.find((o) => o.action === operation.action && overlaps(o, operation));
      if (clash) throw new Error(`operations ${clash.id} and ${operation.id} claim the same call`);
      list.push(operation);
      entry.methods.set(operation.method, list);
    }
    for (const { path, methods } of byPath.values()) {
      const table: PathTable = { mounted, path, byMethod: methods };
      this.#tables.set(mounted, [...(this.#tables.get(mounted) ?? []), table]);
      const star = /\{(\w+)\*\}/.exec(
        service.operations.find((o) => o.path.replace(/\{(\w+)\*\}/g, '*').replace(/\{(\w+)\}/g, ':$1') === path)?.path ?? '',
      )?.[1];
      const others = service.spellings?.(path).filter((other) => !byPath.has(shapeOf(other))) ?? [];
      for (const spelling of [path, ...others]) {
        this.fastify.route({
          method: [...METHODS],
          url: service.prefix + (spelling === '/' ? '' : spelling) || '/',
          config: { table },
          handler: (request, reply) => this.#handle(table, request, reply, star),
        });
      }
    }
  }

  async #handle(table: PathTable, request: FastifyRequest, reply: FastifyReply, star: string | undefined): Promise<void> {
    const { service } = table.mounted;
    if (service.strictSlashes && table.path.lastIndexOf('/') > 0 && /^[^?]*\/(?:\?|$)/.test(request.url)) return this.#unknown(request, reply);
    const raw = request.raw;
    const params = request.params as Record<string, string>;
    if (star !== undefined && params['*'] !== undefined) params[star] = params['*'];
    const abort = new AbortController();
    // the response's close: the request's own comes as soon as its body is read
    reply.raw.once('close', () => {
      if (!reply.raw.writableFinished) abort.abort(new CairnError('Unavailable', 'The client went away.'));
    });
    const length = raw.headers['content-length'];
    const hasBody = (length !== undefined && length !== '0') || raw.headers['transfer-encoding'] !== undefined;
    const answer = await serve(
      table,
      {
        requestId: `req-${this.#options.ids.uuid()}`,
        method: raw.method ?? 'GET',
        url: request.url.slice(service.prefix.length) || '/',
        baseUrl: this.#baseUrl(raw, service.prefix),
        headers: raw.headers,
        params,
        remoteAddress: request.ip,
        signal: abort.signal,
        hasBody,
        readJson: (limitBytes) => readJson(raw, limitBytes),
        stream: raw,
      },
      this.#options,
    );
    this.#send(reply, answer, raw);
  }

  #send(reply: FastifyReply, plain: Answer, raw: IncomingMessage): void {
    const answer = withheld(raw, this.#cors ? this.#cors({ method: raw.method ?? 'GET', headers: raw.headers }, plain) : plain);
    reply.hijack();
    const response = reply.raw;
    // an upload that was refused unread would have to be drained to keep the connection: end it instead
    if (!raw.complete && !raw.readableEnded && (raw.headers['transfer-encoding'] !== undefined || Number(raw.headers['content-length'] ?? 0) > 1_048_576))
      answer.headers.connection = 'close';
    const { body } = answer;
    if (body instanceof Readable) {
      response.writeHead(answer.status, answer.headers);
      if (raw.method === 'HEAD') {
        body.destroy();
        response.end();
        return;
      }
      sendStream(body, response);
      return;
    }
    if (body === undefined) {
      if (answer.status !== 204 && answer.status !== 304) answer.headers['content-length'] ??= '0';
      response.writeHead(answer.status, answer.headers).end();
      return;
    }
    const { payload, sent } = encode(body);
    answer.headers['content-length'] = String(Buffer.byteLength(payload));
    response.writeHead(answer.status, answer.headers);
    // `finish` comes when the system has all bytes; without it the memory is left to whoever still holds it
    if (sent) response.once('finish', sent);
    response.end(raw.method === 'HEAD' ? undefined : payload);
  }

  #baseUrl(raw: IncomingMessage, prefix: string): string {
    const proxy = this.#options.trustProxy;
    const scheme = (proxy && header(raw.headers, 'x-forwarded-proto')) || 'http';
    const host = (proxy && header(raw.headers, 'x-forwarded-host')) || raw.headers.host || 'localhost';
    // a Host header is the client's to choose: let nothing through that is not a host
    const safe = /^[A-Za-z0-9.\-_:[\]]{1,260}$/.test(host) ? host : 'localhost';
    return `${scheme === 'https' ? 'https' : 'http'}://${safe}${classicPrefix.has(raw) ? '' : prefix}`;
  }

  /** A path that no operation has: the service's own 404, behind authentication as everything else. */
  async #unknown(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const mounted = this.#mounted.find(
      (m) => request.url === m.service.prefix || request.url.startsWith(`${m.service.prefix}/`) || request.url.startsWith(`${m.service.prefix}?`),
    );
    if (!mounted) {
      this.#send(
        reply,
        {
          status: 404,
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ error: { code: 404, title: 'Not Found', message: 'No service has this path. GET / lists them.' } }),
        },
        request.raw,
      );
      return;
    }
    const requestId = `req-${this.#options.ids.uuid()}`;
    const token = header(request.raw.headers, 'x-auth-token');
    const ctx = token ? await this.#options.authenticate(token, requestId).catch(() => undefined) : undefined;
    const error =
      ctx || mounted.service.type === 'identity'
        ? new CairnError('NotFound', 'The resource could not be found.', { type: 'NoSuchPath' })
        : new CairnError('Unauthorized', 'The request you have made requires authentication.', {
            headers: { 'WWW-Authenticate': `Keystone uri="${this.#options.identityUrl}"` },
          });
    const facts = {
      requestId,
      version: versionOfRefused(mounted.service, request.raw.headers),
      method: request.method,
      url: request.url.slice(mounted.service.prefix.length),
      accept: header(request.raw.headers, 'accept') ?? '',
    };
    const answer = fail(error, mounted.service, facts, this.#options.log, undefined);
    answer.headers['x-openstack-request-id'] = requestId;
    if (mounted.service.headers) for (const [name, value] of Object.entries(mounted.service.headers(facts))) answer.headers[name] ??= value;
    this.#send(reply, answer, request.raw);
  }

  #broken(error: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const status = (error as { statusCode?: number }).statusCode ?? 500;
    if (status >= 500)
      this.#options.log.error(
        { method: request.method, err: error instanceof Error ? { message: error.message, stack: error.stack } : String(error) },
        'request failed outside of any operation',
      );
    const message = status >= 500 ? 'An unexpected error prevented the server from fulfilling your request.' : 'The request is malformed.';
    this.#send(
      reply,
      {
        status,
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ error: { code: status, title: status >= 500 ? 'Internal Server Error' : 'Bad Request', message } }),
      },
      request.raw,
    );
  }
}

/** What the router tells paths apart by: their names of parameters aside. */
const shapeOf = (path: string): string => path.replace(/:\w+/g, ':');

/** Finds the path table for a concrete path; static segments win over parameters. */
function matchPath(tables: readonly PathTable[], path: string): { table: PathTable; params: Record<string, string> } | undefined {
  const parts = path.split('/').filter(Boolean);
  let best: { table: PathTable; params: Record<string, string>; parameters: number } | undefined;
  for (const table of tables) {
    const segments = table.path.split('/').filter(Boolean);
    if (segments.length !== parts.length) continue;
    const params: Record<string, string> = {};
    const fits = segments.every((segment, i) => {
      const part = parts[i] as string;
      if (!segment.startsWith(':')) return segment === part;
      params[segment.slice(1)] = decodeURIComponent(part);
      return true;
    });
    const parameters = Object.keys(params).length;
    if (fits && (!best || parameters < best.parameters)) best = { table, params, parameters };
  }
  return best;
}

const overlaps = (a: AnyOperation, b: AnyOperation): boolean => {
  const rank = (text: string | undefined, otherwise: number): number => {
    if (!text) return otherwise;
    const [major = '0', minor = '0'] = text.split('.');
    return Number(major) * 10_000 + Number(minor);
  };
  return rank(a.since, 0) <= rank(b.until, Number.MAX_SAFE_INTEGER) && rank(b.since, 0) <= rank(a.until, Number.MAX_SAFE_INTEGER);
};

function parseMaybe(answer: Answer, body: string | JsonText): unknown {
  const text = typeof body === 'string' ? body : body.pieces.join('');
  return String(answer.headers['content-type'] ?? '').startsWith('application/json') ? parseJson(Buffer.from(text)) : text;
}
