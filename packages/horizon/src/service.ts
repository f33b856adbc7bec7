import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '@cairn/kit/clock/clock';
import type { Context } from '@cairn/kit/context/context';
import { isCairnError } from '@cairn/kit/errors/errors';
import { readJson } from '@cairn/kit/http/exchange';
import type { Passage } from '@cairn/kit/http/passage';
import type { Ids } from '@cairn/kit/ids/ids';
import type { Logger } from '@cairn/kit/log/log';
import type { Db } from '@cairn/kit/store/store';
import Type, { type Static } from 'typebox';
import { Value } from 'typebox/value';
import { Assets } from './assets.ts';
import { builtPage } from './build.ts';
import { HOME, RECEIPT, tokenInCookie } from './cookie.ts';
import { doorOf, REFUSED_PATH } from './door.ts';
import { EventFeed, type EventSource } from './event-feed.ts';
import { EventStream } from './event-stream.ts';
import { DATA_HEADERS, PAGE_HEADERS } from './headers.ts';
import { ASSETS_PATH, BASE, EVENTS_PATH, PASSWORD_PATH, REGION_PATH, SESSION_PATH, SINGLE_SIGN_ON_PATH, WAYS_PATH } from './paths.ts';
import { Regions } from './regions.ts';
import { isOwnForm, isOwnPage, isSecure } from './same-origin.ts';
import { type Call, type SessionAnswer, Sessions } from './session.ts';

export interface ConsoleOptions {
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Logger;
  readonly db: Db;
  readonly events: EventSource;
  /** Keystone's own check of a token. */
  authenticate(token: string, requestId: string): Promise<Context | undefined>;
  /** Prefixes of the services that the page may call. */
  readonly prefixes: readonly string[];
  readonly trustProxy: boolean;
  /** Identity providers by which a browser can sign in, with the protocols that they speak. */
  readonly singleSignOn: readonly { readonly provider: string; readonly protocol: string }[];
  /** The cloud's own URL begins with https. */
  readonly https: boolean;
  /** Where built pages are kept, the best first; the first that can be written to is used. */
  readonly cacheFolders: readonly string[];
}

/** The console, to be hung into the cloud's HTTP front. */
export interface Console {
  /** For the HTTP server: the page's requests to the services. */
  readonly door: (request: IncomingMessage) => Passage | undefined;
  /** Adds the page, its session and its events. */
  mount(fastify: FastifyInstance): void;
}

const short = { type: 'string', minLength: 1, maxLength: 255 } as const;
const SignInBody = Type.Object(
  {
    user: Type.String(short),
    domain: Type.String(short),
    password: Type.Optional(Type.String({ maxLength: 4_096 })),
    passcode: Type.Optional(Type.String({ maxLength: 16 })),
    projectId: Type.Optional(Type.String({ maxLength: 64 })),
  },
  { additionalProperties: false },
);
const id = Type.String({ minLength: 1, maxLength: 64 });
const closed = { additionalProperties: false };
const MoveBody = Type.Union([
  Type.Object({ projectId: id }, closed),
  Type.Object({ domainId: id }, closed),
  Type.Object({ system: Type.Literal(true) }, closed),
]);
const PasswordBody = Type.Object(
  {
    userId: id,
    user: Type.String(short),
    domain: Type.String(short),
    password: Type.String({ maxLength: 4_096 }),
    newPassword: Type.String({ minLength: 1, maxLength: 4_096 }),
    projectId: Type.Optional(Type.String({ maxLength: 64 })),
  },
  closed,
);
const BODY_LIMIT_BYTES = 16_384;
const MOST_STREAMS = 2_000;
const MOST_STREAMS_OF_A_USER = 20;

export function createConsole(options: ConsoleOptions): Console {
  const { log, clock } = options;
  const feed = new EventFeed(options.events, options.db, (error) => log.error({ err: error }, 'the console could not read the outbox'));
  const streams = new Map<EventStream, string>();
  let page: Assets | undefined;
  let building: Promise<void> | undefined;
  let failure: string | undefined;

  const secureFor = (request: FastifyRequest): boolean => options.https || isSecure(request.raw.headers, options.trustProxy);
  const own = (request: FastifyRequest): boolean => isOwnPage(request.raw.headers, options.trustProxy);
  const tokenOf = (request: FastifyRequest): string | undefined => tokenInCookie(request.raw.headers.cookie);
  const homeOf = (request: FastifyRequest): string | undefined => tokenInCookie(request.raw.headers.cookie, HOME);

  /** Builds, or finds, the page; one at a time. */
  const build = (): Promise<void> => {
    building ??= builtPage(options.cacheFolders)
      .then((folder) => {
        page = new Assets(folder);
        failure = undefined;
      })
      .catch((error: unknown) => {
        failure = error instanceof Error ? error.message : String(error);
        log.error({ err: error instanceof Error ? { message: error.message, stack: error.stack } : failure }, 'the console could not be built');
      })
      .finally(() => {
        building = undefined;
      });
    return building;
  };

  const answer = (reply: FastifyReply, result: SessionAnswer): FastifyReply => {
    for (const [name, value] of Object.entries({ ...DATA_HEADERS, ...result.headers })) void reply.header(name, typeof value === 'string' ? value : [...value]);
    void reply.code(result.status);
    return result.body === undefined ? reply.send() : reply.type('application/json').send(JSON.stringify(result.body));
  };
  const refuse = (reply: FastifyReply, status: number, message: string): FastifyReply => answer(reply, { status, body: { message } });

  /** The request's body, when it is one of the page's own requests and fits; else the refusal is sent. */
  const bodyOf = async <T extends Type.TSchema>(request: FastifyRequest, reply: FastifyReply, schema: T): Promise<Static<T> | undefined> => {
    if (!own(request)) {
      refuse(reply, 403, 'Only the console’s own page may ask this.');
      return undefined;
    }
    try {
      const body = await readJson(request.raw, BODY_LIMIT_BYTES);
      if (Value.Check(schema, body)) return body as Static<T>;
    } catch (error) {
      if (!isCairnError(error)) throw error;
    }
    refuse(reply, 400, 'The request is malformed.');
    return undefined;
  };

  const sendPage = async (request: FastifyRequest, reply: FastifyReply, name: string): Promise<FastifyReply> => {
    if (page === undefined && name === 'index.html') {
      const done = build();
      // a page that is built already is found at once; one that is not is waited for by the browser
      await Promise.race([done, clock.sleep(400)]);
      if (page === undefined) return sendWaiting(reply, failure);
    } else if (page === undefined) await build();
    const file = page?.get(name, { accepts: request.headers['accept-encoding'] as string | undefined, has: request.headers['if-none-match'] });
    if (file === undefined) return refuse(reply, 404, 'There is no such file.');
    return reply.code(file.status).headers(file.headers).send(file.body);
  };

  return {
    door: doorOf(options),
    mount(fastify) {
      const call: Call = async (request) => {
        const response = await fastify.inject({
          method: request.method as 'GET',
          url: request.url,
          headers: {
            ...(request.token !== undefined && { 'x-auth-token': request.token }),
            ...(request.body !== undefined && { 'content-type': 'application/json' }),
            ...request.headers,
          },
          ...(request.body !== undefined && { payload: JSON.stringify(request.body) }),
        });
        const isJson = String(response.headers['content-type'] ?? '').startsWith('application/json');
        return { status: response.statusCode, headers: response.headers, body: isJson && response.body !== '' ? JSON.parse(response.body) : undefined };
      };
      const sessions = new Sessions(call, () => clock.nowMs());
      const regions = new Regions(call, () => clock.nowMs());

      fastify.post(SESSION_PATH, async (request, reply) => {
        const body = await bodyOf(request, reply, SignInBody);
        return body === undefined
          ? reply
          : answer(
              reply,
              await sessions.leave(
                await sessions.open(body, secureFor(request), tokenOf(request), tokenInCookie(request.raw.headers.cookie, RECEIPT)),
                homeOf(request),
                secureFor(request),
              ),
            );
      });
      fastify.put(SESSION_PATH, async (request, reply) => {
        const body = await bodyOf(request, reply, MoveBody);
        return body === undefined ? reply : answer(reply, await sessions.move(tokenOf(request), body, secureFor(request), homeOf(request)));
      });
      fastify.get(SESSION_PATH, async (request, reply) => {
        if (!own(request)) return refuse(reply, 403, 'Only the console’s own page may ask this.');
        return answer(reply, await sessions.show(tokenOf(request), secureFor(request)));
      });
      fastify.delete(SESSION_PATH, async (request, reply) => {
        if (!own(request)) return refuse(reply, 403, 'Only the console’s own page may ask this.');
        return answer(reply, await sessions.leave(await sessions.close(tokenOf(request), secureFor(request)), homeOf(request), secureFor(request)));
      });

      fastify.post(PASSWORD_PATH, async (request, reply) => {
        const body = await bodyOf(request, reply, PasswordBody);
        return body === undefined
          ? reply
          : answer(reply, await sessions.leave(await sessions.changePassword(body, secureFor(request), tokenOf(request)), homeOf(request), secureFor(request)));
      });
      fastify.get(WAYS_PATH, (request, reply) => {
        if (!own(request)) return refuse(reply, 403, 'Only the console’s own page may ask this.');
        return answer(reply, { status: 200, body: { single_sign_on: options.singleSignOn } });
      });
      // keystone's page sends a form here; wherever it ends, the way on is to the console's own page and nowhere else
      fastify.post(SINGLE_SIGN_ON_PATH, async (request, reply) => {
        if (!isOwnForm(request.raw.headers, options.trustProxy)) return refuse(reply, 403, 'Only the cloud’s own page may sign somebody in.');
        const token = new URLSearchParams(await readForm(request.raw)).get('token') ?? '';
        const opened =
          token === ''
            ? undefined
            : await sessions.leave(await sessions.adopt(token, secureFor(request), tokenOf(request)), homeOf(request), secureFor(request));
        const location = opened?.status === 200 ? `${BASE}/` : `${BASE}/?refused=sso`;
        return answer(reply, { status: 303, headers: { ...(opened?.status === 200 && opened.headers), location } });
      });

      fastify.route({
        method: ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'],
        url: `${REGION_PATH}/:region/:service/*`,
        handler: async (request, reply) => {
          if (!own(request)) return refuse(reply, 403, 'Only the console’s own page may ask this.');
          const token = tokenOf(request);
          if (token === undefined) return refuse(reply, 401, 'Sign in first.');
          const { region, service } = request.params as { region: string; service: string };
          // as it was sent, with what is escaped in it
          const path = /^\/console\/region\/[^/]+\/[^/]+(\/.*)$/.exec(request.raw.url ?? '')?.[1] ?? '/';
          return regions.pass(request.raw, reply, token, { region, service, path });
        },
      });

      fastify.get(EVENTS_PATH, async (request, reply) => {
        if (!own(request)) return refuse(reply, 403, 'Only the console’s own page may ask this.');
        const token = tokenOf(request);
        const requestId = `req-${options.ids.uuid()}`;
        const ctx = token === undefined ? undefined : await options.authenticate(token, requestId);
        if (token === undefined || ctx === undefined || ctx.accessRules !== undefined) return refuse(reply, 401, 'Sign in first.');
        const sameUser = [...streams.values()].filter((userId) => userId === ctx.userId).length;
        if (streams.size >= MOST_STREAMS || sameUser >= MOST_STREAMS_OF_A_USER) return refuse(reply, 429, 'Too many pages listen already.');
        const last = Number(request.headers['last-event-id'] ?? Number.NaN);
        reply.hijack();
        const stream = new EventStream(reply.raw, clock, async () => (await options.authenticate(token, requestId)) !== undefined);
        streams.set(stream, ctx.userId);
        await stream.begin(feed, ctx, Number.isSafeInteger(last) && last >= 0 ? last : undefined, () => streams.delete(stream));
        return reply;
      });
      // streams never end by themselves, and a server that closes waits for all answers
      fastify.addHook('preClose', async () => {
        for (const stream of streams.keys()) stream.end();
      });

      fastify.all(REFUSED_PATH, (_request, reply) => refuse(reply, 403, 'Only the console’s own page may ask this, and only of the cloud’s services.'));
      fastify.get(`${ASSETS_PATH}*`, (request, reply) => sendPage(request, reply, `assets/${(request.params as { '*': string })['*']}`));
      // every other path is a view of the page, so that each can be linked to
      fastify.get(BASE, (request, reply) => sendPage(request, reply, 'index.html'));
      fastify.get(`${BASE}/*`, (request, reply) => sendPage(request, reply, 'index.html'));
    },
  };
}

/** The body of a form, as far as it may be long; nothing of one that is longer. */
async function readForm(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > BODY_LIMIT_BYTES) return '';
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const WAITING = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Cairn</title>`;

/** While the page is built for the first time, or when that failed. Both languages, since the reader's is not known here. */
function sendWaiting(reply: FastifyReply, failure: string | undefined): FastifyReply {
  const headers = { ...PAGE_HEADERS, 'cache-control': 'no-store', 'content-type': 'text/html; charset=utf-8' };
  if (failure === undefined) {
    const words = 'The console is being built (once per version; a few seconds) … 正在构建控制台（每个版本一次，需几秒钟）……';
    return reply.code(200).headers(headers).send(`${WAITING}<meta http-equiv="refresh" content="1"></head><body><p>${words}</p></body></html>`);
  }
  const words = "The console could not be built; the cloud's log says why. The APIs are not affected. 控制台构建失败，原因见云平台日志。API 不受影响。";
  return reply
    .code(503)
    .headers({ ...headers, 'retry-after': '10' })
    .send(`${WAITING}</head><body><p>${words}</p></body></html>`);
}
