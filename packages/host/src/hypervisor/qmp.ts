import net from 'node:net';
import type { Clock } from '@cairn/kit/clock/clock';

/** An event as QEMU sends it. */
export interface QmpEvent {
  readonly event: string;
  readonly data: Readonly<Record<string, unknown>>;
  /** When QEMU saw it, Unix epoch milliseconds. */
  readonly atMs: number;
}

/** QEMU refused a command; `className` is its error class (`GenericError`, `DeviceNotFound`, `CommandNotFound` ...). */
export class QmpError extends Error {
  readonly className: string;
  readonly command: string;

  constructor(command: string, className: string, description: string) {
    super(`${command}: ${description}`);
    this.name = 'QmpError';
    this.className = className;
    this.command = command;
  }
}

/** The conversation is over: the process ended, or the socket did. What was asked last may or may not have happened. */
export class QmpClosed extends Error {
  constructor(what: string, options?: ErrorOptions) {
    super(what, options);
    this.name = 'QmpClosed';
  }
}

/** QEMU did not answer in time; the command may still happen. */
export class QmpTimeout extends Error {
  constructor(what: string) {
    super(what);
    this.name = 'QmpTimeout';
  }
}

export interface QmpConnectOptions {
  readonly clock: Clock;
  /** Gives up after this long. Default 10 000. */
  readonly timeoutMs?: number;
  /** Asked between attempts: a reason to stop trying (the process has ended). */
  readonly hopeless?: () => Error | undefined;
}

interface Waiting {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** The longest single message taken from QEMU: the schema is 0.3 MiB; a process gone mad must not fill Cairn's memory. */
const MAX_LINE_BYTES = 32 * 1024 * 1024;
const COMMAND_TIMEOUT_MS = 15_000;
const RETRY_MS = 2;

/**
 * A client of QEMU's machine protocol on a unix socket: JSON lines, commands answered in order, events in between.
 * QEMU takes one client per socket at a time.
 */
export class Qmp {
  readonly #socket: net.Socket;
  readonly #clock: Clock;
  readonly #waiting = new Map<number, Waiting>();
  readonly #onEvent = new Set<(event: QmpEvent) => void>();
  readonly #onClose = new Set<(reason: Error) => void>();
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #lastId = 0;
  #closed: QmpClosed | undefined;
  #greeting: { resolve: () => void; reject: (error: Error) => void } | undefined;

  private constructor(socket: net.Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.on('data', (chunk) => this.#onData(chunk));
    // ECONNRESET is how a `quit` often ends: closing is what matters, and 'close' follows every error.
    let cause: Error | undefined;
    socket.on('error', (error) => {
      cause = error;
    });
    socket.on('close', () => this.#end(new QmpClosed('QEMU closed its control socket', { cause })));
  }

  /** Connects and negotiates, trying until the socket is there and QEMU answers. */
  static async connect(path: string, options: QmpConnectOptions): Promise<Qmp> {
    const { clock, timeoutMs = 10_000 } = options;
    const deadlineMs = clock.nowMs() + timeoutMs;
    for (;;) {
      const hopeless = options.hopeless?.();
      if (hopeless) throw hopeless;
      const leftMs = deadlineMs - clock.nowMs();
      if (leftMs <= 0) throw new QmpTimeout(`no answer on ${path} within ${timeoutMs} ms`);
      const socket = await open(path);
      if (!socket) {
        await clock.sleep(RETRY_MS);
        continue;
      }
      const qmp = new Qmp(socket, clock);
      try {
        await qmp.#greeted(leftMs, path);
        await qmp.execute('qmp_capabilities', undefined, leftMs);
        return qmp;
      } catch (error) {
        qmp.close();
        // QEMU may end between accepting and greeting, or be replaced: only the deadline and `hopeless` end the trying.
        if (!(error instanceof QmpClosed)) throw error;
        await clock.sleep(RETRY_MS);
      }
    }
  }

  /** A conversation that is over before it began: stands in for a process that does not answer. */
  static dead(clock: Clock): Qmp {
    const qmp = new Qmp(new net.Socket(), clock);
    qmp.close();
    return qmp;
  }

  get closed(): boolean {
    return this.#closed !== undefined;
  }

  /** Runs a command. Rejects with QmpError when QEMU refuses, QmpClosed when it goes, QmpTimeout after `timeoutMs` (default 15 000). */
  execute<T = unknown>(command: string, args?: object, timeoutMs: number = COMMAND_TIMEOUT_MS): Promise<T> {
    if (this.#closed) return Promise.reject(this.#closed);
    const id = ++this.#lastId;
    return new Promise<T>((resolve, reject) => {
      const timer = this.#clock.after(timeoutMs, () => {
        this.#waiting.delete(id);
        reject(new QmpTimeout(`${command}: no answer within ${timeoutMs} ms`));
      });
      this.#waiting.set(id, {
        command,
        resolve: (value) => {
          timer.cancel();
          resolve(value as T);
        },
        reject: (error) => {
          timer.cancel();
          reject(error);
        },
      });
      this.#socket.write(`${JSON.stringify(args === undefined ? { execute: command, id } : { execute: command, arguments: args, id })}\n`);
    });
  }

  /** Calls back for every event. Returns the way to stop. */
  onEvent(listener: (event: QmpEvent) => void): () => void {
    this.#onEvent.add(listener);
    return () => this.#onEvent.delete(listener);
  }

  /** Calls back once when the conversation ends, for whatever reason; at once when it has. */
  onClose(listener: (reason: Error) => void): void {
    if (this.#closed) listener(this.#closed);
    else this.#onClose.add(listener);
  }

  /**
   * Resolves with the first event that `matches`, and with undefined after `timeoutMs`. Rejects with QmpClosed when QEMU goes and with the
   * signal's reason when it aborts. Call it before the command that causes the event.
   */
  waitFor(matches: (event: QmpEvent) => boolean, timeoutMs: number, signal?: AbortSignal): Promise<QmpEvent | undefined> {
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(this.#closed);
      if (signal?.aborted) return reject(signal.reason);
      const done = (): void => {
        timer.cancel();
        stop();
        this.#onClose.delete(onClose);
        signal?.removeEventListener('abort', onAbort);
      };
      const onClose = (reason: Error): void => {
        done();
        reject(reason);
      };
      const onAbort = (): void => {
        done();
        reject(signal?.reason);
      };
      const timer = this.#clock.after(timeoutMs, () => {
        done();
        resolve(undefined);
      });
      const stop = this.onEvent((event) => {
        if (!matches(event)) return;
        done();
        resolve(event);
      });
      this.#onClose.add(onClose);
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Hangs up. QEMU goes on. */
  close(): void {
    this.#end(new QmpClosed('the control connection was closed'));
    this.#socket.destroy();
  }

  async #greeted(timeoutMs: number, path: string): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      const timer = this.#clock.after(timeoutMs, () => reject(new QmpTimeout(`no greeting on ${path} within ${timeoutMs} ms`)));
      this.#greeting = {
        resolve: () => {
          timer.cancel();
          resolve();
        },
        reject: (error) => {
          timer.cancel();
          reject(error);
        },
      };
      if (this.#closed) this.#greeting.reject(this.#closed);
    });
  }

  #onData(chunk: Buffer): void {
    let start = 0;
    for (let newline = chunk.indexOf(10); newline >= 0; newline = chunk.indexOf(10, start)) {
      const line = Buffer.concat([...this.#chunks, chunk.subarray(start, newline)]).toString('utf8');
      this.#chunks = [];
      this.#chunkBytes = 0;
      start = newline + 1;
      if (line.trim() !== '') this.#onLine(line);
      if (this.#closed) return;
    }
    if (start < chunk.length) {
      this.#chunks.push(chunk.subarray(start));
      this.#chunkBytes += chunk.length - start;
      if (this.#chunkBytes > MAX_LINE_BYTES) this.#fail('QEMU sent a message without end');
    }
  }

  #onLine(line: string): void {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      this.#fail('QEMU sent what is not JSON');
      return;
    }
    if (typeof message !== 'object' || message === null) return;
    if ('QMP' in message) this.#greeting?.resolve();
    else if ('event' in message) this.#deliver(message as RawEvent);
    else if ('id' in message) this.#answer(message as RawAnswer);
  }

  #deliver(raw: RawEvent): void {
    const { seconds = 0, microseconds = 0 } = raw.timestamp ?? {};
    const event: QmpEvent = { event: String(raw.event), data: raw.data ?? {}, atMs: seconds * 1000 + Math.floor(microseconds / 1000) };
    // A copy: listeners come and go while they are called.
    for (const listener of Array.from(this.#onEvent)) listener(event);
  }

  #answer(raw: RawAnswer): void {
    const waiting = this.#waiting.get(raw.id);
    // A late answer to a command that timed out.
    if (!waiting) return;
    this.#waiting.delete(raw.id);
    if (raw.error) waiting.reject(new QmpError(waiting.command, String(raw.error.class), String(raw.error.desc)));
    else waiting.resolve(raw.return);
  }

  #fail(why: string): void {
    this.#end(new QmpClosed(why));
    this.#socket.destroy();
  }

  #end(reason: QmpClosed): void {
    if (this.#closed) return;
    this.#closed = reason;
    this.#greeting?.reject(reason);
    const waiting = [...this.#waiting.values()];
    this.#waiting.clear();
    for (const one of waiting) one.reject(reason);
    const listeners = [...this.#onClose];
    this.#onClose.clear();
    for (const listener of listeners) listener(reason);
  }
}

interface RawEvent {
  readonly event: unknown;
  readonly data?: Record<string, unknown>;
  readonly timestamp?: { readonly seconds?: number; readonly microseconds?: number };
}

interface RawAnswer {
  readonly id: number;
  readonly return?: unknown;
  readonly error?: { readonly class: unknown; readonly desc: unknown };
}

/** A connected socket, or nothing where nobody listens (yet). */
function open(path: string): Promise<net.Socket | undefined> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(path);
    socket.once('connect', () => {
      socket.removeAllListeners('error');
      resolve(socket);
    });
    socket.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT' || error.code === 'ECONNREFUSED' || error.code === 'EAGAIN') resolve(undefined);
      else reject(error);
    });
  });
}
