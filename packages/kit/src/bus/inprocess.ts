import type { Clock } from '../clock/clock.ts';
import type { Logger } from '../log/log.ts';
import type { Bus, Served } from './bus.ts';
import { copy } from './codec.ts';
import { busClosed, DEFAULT_TIMEOUT_MS, fromWire, noAnswer, nobodyServes, toWire } from './wire.ts';

type Handler = (method: string, args: readonly unknown[]) => Promise<unknown>;

/** The bus within one process. Arguments, results and messages are copied, and errors rebuilt, as if they had crossed a network. */
export class InProcessBus implements Bus {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #hosts = new Map<string, Handler>();
  readonly #topics = new Map<string, Set<(message: unknown) => void>>();
  #closed = false;

  constructor(options: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /** A second one for the same host takes over from the first. */
  async serve(host: string, handler: Handler): Promise<Served> {
    this.#hosts.set(host, handler);
    return {
      stop: async () => {
        if (this.#hosts.get(host) === handler) this.#hosts.delete(host);
      },
    };
  }

  async call(host: string, method: string, args: readonly unknown[], options: { timeoutMs?: number; signal?: AbortSignal } = {}): Promise<unknown> {
    const { timeoutMs = DEFAULT_TIMEOUT_MS, signal } = options;
    signal?.throwIfAborted();
    if (this.#closed) throw busClosed(host);
    const sent = copy(args) as readonly unknown[];
    const handler = this.#hosts.get(host);
    if (!handler) throw nobodyServes(host);
    const answer = answered(handler, method, sent);
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        timer.cancel();
        reject(signal?.reason);
      };
      const timer = this.#clock.after(timeoutMs, () => {
        signal?.removeEventListener('abort', onAbort);
        reject(noAnswer(host, method, timeoutMs));
      });
      signal?.addEventListener('abort', onAbort, { once: true });
      const release = (): void => {
        timer.cancel();
        signal?.removeEventListener('abort', onAbort);
      };
      answer.then(
        (value) => {
          release();
          resolve(value);
        },
        (error: unknown) => {
          release();
          reject(fromWire(toWire(error)));
        },
      );
    });
  }

  publish(topic: string, message: unknown): void {
    if (this.#closed) return;
    for (const listener of this.#topics.get(topic) ?? []) {
      const received = copy(message);
      queueMicrotask(() => {
        if (!this.#topics.get(topic)?.has(listener)) return;
        try {
          listener(received);
        } catch (error) {
          this.#log.error({ err: error, topic }, 'a listener of the bus failed');
        }
      });
    }
  }

  listen(topic: string, handler: (message: unknown) => void): () => void {
    // a handler given twice is called twice
    const listener = (message: unknown): void => handler(message);
    const listeners = this.#topics.get(topic) ?? new Set();
    this.#topics.set(topic, listeners.add(listener));
    return () => {
      listeners.delete(listener);
      if (listeners.size === 0 && this.#topics.get(topic) === listeners) this.#topics.delete(topic);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#hosts.clear();
    this.#topics.clear();
  }
}

/** The handler's copied result. A result that cannot be copied is the handler's error. */
async function answered(handler: Handler, method: string, args: readonly unknown[]): Promise<unknown> {
  return copy(await handler(method, args));
}
