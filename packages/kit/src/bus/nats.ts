import { connect, type ConnectionOptions, type Msg, type NatsConnection, RequestError, TimeoutError } from '@nats-io/transport-node';
import { tooLarge } from '../errors/errors.ts';
import type { Logger } from '../log/log.ts';
import type { Bus, Served } from './bus.ts';
import { decode, encode } from './codec.ts';
import { busClosed, DEFAULT_TIMEOUT_MS, fromWire, noAnswer, nobodyServes, type Reply, toWire } from './wire.ts';

export interface NatsBusOptions {
  /** `nats://host:4222`; several of one cluster. */
  readonly servers: readonly string[];
  readonly log: Logger;
  /** First part of every subject; clouds that share servers differ in it. Default `cairn`. */
  readonly prefix?: string;
  /** Shown in the server's list of connections. */
  readonly name?: string;
  readonly token?: string;
  readonly user?: string;
  readonly pass?: string;
  readonly tls?: ConnectionOptions['tls'];
}

/** Connects to NATS. Rejects when no server answers; later it reconnects by itself, forever. */
export async function connectNatsBus(options: NatsBusOptions): Promise<Bus> {
  const connection = await connect({
    servers: [...options.servers],
    name: options.name ?? 'cairn',
    maxReconnectAttempts: -1,
    reconnectTimeWait: 500,
    ...(options.token === undefined ? {} : { token: options.token }),
    ...(options.user === undefined ? {} : { user: options.user }),
    ...(options.pass === undefined ? {} : { pass: options.pass }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  });
  return new NatsBus(connection, options.prefix ?? 'cairn', options.log);
}

/** Any text as one token of a subject: dots, spaces and wildcards have a meaning there. */
const token = (text: string): string => Buffer.from(text).toString('base64url') || '_';

/** The bus over NATS core: nothing is stored, and a call to a host that nobody serves fails at once. */
class NatsBus implements Bus {
  readonly #connection: NatsConnection;
  readonly #prefix: string;
  readonly #log: Logger;
  /** Calls on their way: told when the connection is lost, since their answers are lost with it. */
  readonly #pending = new Set<() => void>();
  #connected = true;
  #closed = false;

  constructor(connection: NatsConnection, prefix: string, log: Logger) {
    this.#connection = connection;
    this.#prefix = prefix;
    this.#log = log;
    void this.#follow();
  }

  async serve(host: string, handler: (method: string, args: readonly unknown[]) => Promise<unknown>): Promise<Served> {
    const subscription = this.#connection.subscribe(this.#hostSubject(host), {
      // while one agent takes over from another, one of them answers
      queue: 'host',
      callback: (error, message) => {
        if (error) this.#log.error({ err: error, host }, 'the bus subscription of a host failed');
        else void this.#answer(host, message, handler);
      },
    });
    await this.#connection.flush();
    return { stop: () => subscription.drain() };
  }

  async call(host: string, method: string, args: readonly unknown[], options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<unknown> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    signal?.throwIfAborted();
    if (this.#closed || !this.#connected) throw busClosed(host);
    const data = encode([method, args]);
    this.#requireFits(data, `the arguments of ${method}`);
    const message = await this.#request(host, method, data, timeoutMs, signal);
    const reply = decode(message.data) as Reply;
    if ('error' in reply) throw fromWire(reply.error);
    return reply.value;
  }

  publish(topic: string, message: unknown): void {
    const data = encode(message);
    if (this.#closed) return;
    try {
      this.#requireFits(data, `a message of ${topic}`);
      this.#connection.publish(this.#topicSubject(topic), data);
    } catch (error) {
      this.#log.warn({ err: error, topic }, 'a hint could not be sent');
    }
  }

  listen(topic: string, handler: (message: unknown) => void): () => void {
    const subscription = this.#connection.subscribe(this.#topicSubject(topic), {
      callback: (error, message) => {
        try {
          if (error) throw error;
          handler(decode(message.data));
        } catch (thrown) {
          this.#log.error({ err: thrown, topic }, 'a listener of the bus failed');
        }
      },
    });
    return () => subscription.unsubscribe();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#lost();
    await this.#connection.drain().catch(() => this.#connection.close());
  }

  async #answer(host: string, message: Msg, handler: (method: string, args: readonly unknown[]) => Promise<unknown>): Promise<void> {
    let data: Uint8Array;
    try {
      const [method, args] = decode(message.data) as [string, readonly unknown[]];
      data = encode({ value: await handler(method, args) } satisfies Reply);
      this.#requireFits(data, `the result of ${method}`);
    } catch (error) {
      data = encode({ error: toWire(error) } satisfies Reply);
    }
    try {
      message.respond(data);
    } catch (error) {
      this.#log.warn({ err: error, host }, 'an answer could not be sent');
    }
  }

  /** One request; whatever ends it first: the answer, the timeout, the caller, the connection. */
  #request(host: string, method: string, data: Uint8Array, timeoutMs: number, signal: AbortSignal | undefined): Promise<Msg> {
    return new Promise((resolve, reject) => {
      const onAbort = (): void => settle(() => reject(signal?.reason));
      const onLost = (): void => settle(() => reject(busClosed(host)));
      const settle = (end: () => void): void => {
        signal?.removeEventListener('abort', onAbort);
        this.#pending.delete(onLost);
        end();
      };
      signal?.addEventListener('abort', onAbort, { once: true });
      this.#pending.add(onLost);
      this.#connection.request(this.#hostSubject(host), data, { timeout: timeoutMs }).then(
        (message) => settle(() => resolve(message)),
        (error: unknown) => settle(() => reject(failure(error, host, method, timeoutMs))),
      );
    });
  }

  #lost(): void {
    for (const reject of this.#pending) reject();
  }

  #requireFits(data: Uint8Array, what: string): void {
    const limit = this.#connection.info?.max_payload;
    if (limit !== undefined && data.byteLength > limit) {
      throw tooLarge('The request is too large to be passed on to the host.', {
        detail: `${what}: ${data.byteLength} bytes, the NATS servers' max_payload is ${limit}`,
      });
    }
  }

  async #follow(): Promise<void> {
    for await (const status of this.#connection.status()) {
      if (status.type === 'disconnect') {
        this.#log.warn({}, 'the connection to NATS is lost');
        this.#connected = false;
        this.#lost();
      } else if (status.type === 'reconnect') {
        this.#log.info({}, 'connected to NATS again');
        this.#connected = true;
      }
    }
  }

  #hostSubject(host: string): string {
    return `${this.#prefix}.host.${token(host)}`;
  }

  #topicSubject(topic: string): string {
    return `${this.#prefix}.topic.${token(topic)}`;
  }
}

function failure(error: unknown, host: string, method: string, timeoutMs: number): unknown {
  if (error instanceof TimeoutError) return noAnswer(host, method, timeoutMs);
  if (error instanceof RequestError && error.isNoResponders()) return nobodyServes(host);
  return busClosed(host);
}
