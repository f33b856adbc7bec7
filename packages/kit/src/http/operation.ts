import type { Readable } from 'node:stream';
import type { Static, TSchema } from 'typebox';
import type { Context } from '../context/context.ts';
import type { Version } from './microversion.ts';

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE' | 'OPTIONS' | 'COPY';

/** The explicit mark of an operation that needs no token: version documents, `POST /v3/auth/tokens`. */
export const ANYONE = Symbol('anyone');
/** The explicit mark of an operation whose rule is "any valid token"; the app narrows further by ownership. */
export const AUTHENTICATED = Symbol('authenticated');

/** One schema, or one per microversion range (ascending by `from`; each holds until the next). */
export type Versioned<S extends TSchema = TSchema> = S | readonly { readonly from: string; readonly schema: TSchema }[];

/** What a handler gets: parsed, authenticated, validated, authorised by the operation's policy. */
export interface Request<B = unknown> {
  /** The caller. For an operation open to ANYONE without a token this throws; see `maybeCtx`. */
  readonly ctx: Context;
  /** The caller if a valid token came along. */
  readonly maybeCtx: Context | undefined;
  readonly requestId: string;
  readonly params: Readonly<Record<string, string>>;
  /** Every query parameter in order, repeated ones included (neutron and placement repeat them). */
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The parsed JSON body; for `input: 'stream'` undefined. */
  readonly body: B;
  /** The raw body, for `input: 'stream'` alone. */
  readonly stream: Readable;
  /** The settled microversion; `0.0` for a service without them. */
  readonly version: Version;
  readonly method: string;
  /** The path within the service, without the prefix, with the query. */
  readonly url: string;
  /** Scheme, host and prefix as the client sees them: `http://10.0.0.1:8080/compute`, for links. */
  readonly baseUrl: string;
  readonly remoteAddress: string;
  /** Aborts when the client goes away. */
  readonly signal: AbortSignal;
  /** Asks a further policy rule of the operation's service about a target; throws Forbidden. */
  authorize(rule: string, target?: Readonly<Record<string, unknown>>): void;
  /** The same, answering instead of throwing. */
  allowed(rule: string, target?: Readonly<Record<string, unknown>>): boolean;
}

/** A handler's answer when it is more than a body with the operation's own success code. */
export class Reply {
  readonly status: number | undefined;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[]>>;
  constructor(body?: unknown, options: { status?: number; headers?: Readonly<Record<string, string | string[]>> } = {}) {
    this.body = body;
    this.status = options.status;
    this.headers = options.headers ?? {};
  }
}

/** A body that is JSON text already, in pieces. */
export class JsonText {
  readonly pieces: readonly string[];
  constructor(pieces: readonly string[]) {
    this.pieces = pieces;
  }
}

/** One API call, declared once. `App` is the service's app object that the handler is given. */
export interface Operation<App = never, B = unknown> {
  /** `<service>.<resource>.<verb>`, unique in the cloud: `nova.flavor.create`. */
  readonly id: string;
  readonly method: Method;
  /** Path within the service: `/v2.1/flavors/{flavor_id}`. A trailing `{name*}` takes the rest. */
  readonly path: `/${string}`;
  /** For `POST .../action`: the one key of the body that chooses this operation (`reboot`). */
  readonly action?: string;
  readonly summary: string;
  /** The service's policy rule, asked before the handler runs with what `target` says, or else the caller's own project. */
  readonly policy: string | typeof ANYONE | typeof AUTHENTICATED;
  /** Builds the target that the policy rule is asked with, where the caller's own project will not do. Query and body are valid by then. */
  target?(app: App, request: Request): Promise<Readonly<Record<string, unknown>>> | Readonly<Record<string, unknown>>;
  /**
   * With AUTHENTICATED: the rule that the handler itself asks, once it knows what the rule is about (neutron's rules look at the parent
   * network, and refuse in their own words). For the list of routes and the check at start that the rule exists.
   */
  readonly asks?: string;
  /** Its path holds a secret: the log shows the names of the path's parameters, and not what they are. */
  readonly hidesPath?: boolean;
  /** First and last microversion that know the operation; outside of them it is a 404. */
  readonly since?: string;
  readonly until?: string;
  /** Default 200. */
  readonly success?: number;
  /** JSON by default; `stream` hands the raw body over; `none` refuses nothing and reads nothing. */
  readonly input?: 'json' | 'stream' | 'none';
  /** Limit of a JSON body in bytes; the service's limit when absent. */
  readonly bodyLimitBytes?: number;
  readonly query?: Versioned;
  readonly body?: Versioned;
  /** Set where a missing body stands for an empty object. */
  readonly bodyOptional?: boolean;
  /** `handler`: the handler validates query and body itself, in upstream's order (placement looks its provider up first); the schemas here tell OpenAPI alone. */
  readonly validation?: 'handler';
  /**
   * The JSON body of success at the newest microversion that knows the operation; properties that a state, a right or an older microversion
   * leaves out are optional. An older microversion may have less; where it has something else under the same name, the schema is one per range.
   * `none`: success has no body; `stream`: what it has is no JSON. For the OpenAPI document and the tests alone: nothing is written by it.
   * An object type with a `title` is a type of its own in the document; a title stands for one type in the whole cloud.
   */
  readonly answer?: Versioned | 'none' | 'stream';
  /** The query parameter that asks for some properties of what is shown alone; an answer to it may lack all that `answer` requires. */
  readonly trimmedBy?: string;
  handle(app: App, request: Request<B>): Promise<unknown> | unknown;
}

// oxlint-disable-next-line typescript/no-explicit-any -- the table holds operations of every app and body type; each was checked where it was declared
export type AnyOperation = Operation<any, any>;

type BodyOf<S> = S extends TSchema ? Static<S> : unknown;

/**
 * Makes the declaring function of one service: `const op = operationsOf<NovaApp>()`, then
 * `export const createFlavor = op({ id, method, path, policy, body: CreateFlavor, handle: async (app, req) => ... })`.
 * A plain body schema types `req.body`; a versioned one leaves it `unknown`-shaped as `any` record for the app to narrow.
 */
export function operationsOf<App>() {
  return <const S extends Versioned | undefined = undefined>(
    operation: Omit<Operation<App>, 'body' | 'handle'> & {
      readonly body?: S;
      handle(app: App, request: Request<S extends readonly unknown[] ? AnyBody : S extends TSchema ? BodyOf<S> : AnyBody>): Promise<unknown> | unknown;
    },
  ): Operation<App> => operation as unknown as Operation<App>;
}

// oxlint-disable-next-line typescript/no-explicit-any -- bodies of versioned schemas are validated before the handler; their static type is the app's to state
export type AnyBody = any;
