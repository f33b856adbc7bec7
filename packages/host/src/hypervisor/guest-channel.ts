import { connect, type Socket } from 'node:net';
import type { Clock } from '@cairn/kit/clock/clock';
import { unavailable } from '@cairn/kit/errors/errors';

/** More than this in one line is no word of the protocol. */
const LINE_BYTES = 4096;

/**
 * Cairn's end of the channel by which a guest becomes a template and learns that it was started from one: lines of words. What comes is a
 * guest's text; only the words that are waited for mean something.
 */
export class GuestChannel {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #lines: string[] = [];
  #rest = '';
  #over = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('error', () => {});
    socket.on('close', () => {
      this.#over = true;
      this.#wake();
    });
  }

  static async open(path: string, clock: Clock): Promise<GuestChannel> {
    const socket = connect(path);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', (cause) => reject(unavailable('The guest cannot be spoken to.', { cause })));
    });
    return new GuestChannel(socket, clock);
  }

  say(...words: readonly string[]): void {
    this.#socket.write(`${words.join(' ')}\n`);
  }

  /** The words of the next line that begins with one of `expected`; undefined after `withinMs`, when the guest's process is gone, or when it is hopeless. */
  async hear(
    expected: readonly string[],
    withinMs: number,
    options: { readonly signal?: AbortSignal; readonly hopeless?: () => boolean } = {},
  ): Promise<readonly string[] | undefined> {
    const deadlineMs = this.#clock.nowMs() + withinMs;
    for (;;) {
      for (let line = this.#lines.shift(); line !== undefined; line = this.#lines.shift()) {
        const words = line.trim().split(/ +/);
        if (expected.includes(words[0] ?? '')) return words;
      }
      options.signal?.throwIfAborted();
      const leftMs = deadlineMs - this.#clock.nowMs();
      if (this.#over || leftMs <= 0 || options.hopeless?.()) return undefined;
      const slept = new AbortController();
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
        this.#clock.sleep(Math.min(leftMs, 1000), slept.signal).catch(() => {}),
      ]);
      slept.abort(new Error('over'));
    }
  }

  close(): void {
    this.#socket.destroy();
  }

  #onData(chunk: Buffer): void {
    const lines = (this.#rest + chunk.toString('latin1')).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-LINE_BYTES);
    for (const line of lines) if (line.length <= LINE_BYTES && this.#lines.length < 100) this.#lines.push(line);
    this.#wake();
  }
}
