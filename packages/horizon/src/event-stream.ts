import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '@cairn/kit/clock/clock';
import type { Context } from '@cairn/kit/context/context';
import type { Change, EventFeed } from './event-feed.ts';
import { DATA_HEADERS } from './headers.ts';

const HEARTBEAT_MS = 15_000;
/** A page that does not read is let go; it comes back from where it was. */
const MOST_UNREAD_BYTES = 1024 * 1024;

/** Server-sent events of one page. Ends when the page goes away, when its token is no longer valid, or by `end`. */
export class EventStream {
  readonly #response: ServerResponse;
  readonly #clock: Clock;
  readonly #stillValid: () => Promise<boolean>;
  #leave: (() => void) | undefined;
  #timer: Timer | undefined;
  #ended = false;

  constructor(response: ServerResponse, clock: Clock, stillValid: () => Promise<boolean>) {
    this.#response = response;
    this.#clock = clock;
    this.#stillValid = stillValid;
  }

  /** Begins; `done` is called once, when the stream has ended. */
  async begin(feed: EventFeed, ctx: Context, seq: number | undefined, done: () => void): Promise<void> {
    this.#response.once('close', () => {
      this.#ended = true;
      this.#timer?.cancel();
      this.#leave?.();
      done();
    });
    this.#response.writeHead(200, { ...DATA_HEADERS, 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' });
    this.#response.flushHeaders();
    const projectId = ctx.projectId;
    if (projectId !== undefined) {
      const joined = await feed.join(
        { projectId, hear: (change) => this.#change(change), lost: (at) => this.#send(`event: lost\nid: ${at}\ndata: {}\n\n`) },
        seq,
      );
      if (this.#ended) joined.leave();
      else this.#leave = joined.leave;
      if (seq === undefined) this.#send(`event: earlier\ndata: ${JSON.stringify(await feed.earlier(projectId, joined.seq))}\n\n`);
      this.#send(`event: open\nid: ${joined.seq}\ndata: {}\n\n`);
    }
    this.#beat();
  }

  end(): void {
    this.#response.end();
  }

  #beat(): void {
    if (this.#ended) return;
    this.#timer = this.#clock.after(HEARTBEAT_MS, () => {
      void this.#stillValid()
        .catch(() => true)
        .then((valid) => {
          if (!valid) return this.end();
          this.#send(': here\n\n');
          this.#beat();
        });
    });
  }

  #change(change: Change): void {
    this.#send(`id: ${change.seq}\ndata: ${JSON.stringify(change)}\n\n`);
  }

  #send(text: string): void {
    if (this.#ended) return;
    this.#response.write(text);
    if (this.#response.writableLength > MOST_UNREAD_BYTES) this.#response.destroy();
  }
}
