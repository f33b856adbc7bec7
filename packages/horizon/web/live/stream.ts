import { PAGE_HEADERS } from '../api/client.ts';
import { EventParser } from './sse.ts';

/** A change in the cloud: which resource of the project, not what is in it. */
export interface Change {
  readonly seq: number;
  /** OpenStack's notification: `compute.instance.create.end`. */
  readonly type: string;
  readonly at: string;
  /** `server`, `port`, `volume` ... */
  readonly resource: string;
  readonly id: string;
  readonly request_id: string | null;
}

export type StreamState = 'connecting' | 'live' | 'broken';

export interface StreamHandlers {
  change(change: Change): void;
  /** What happened last before it began to listen, oldest first. */
  earlier(changes: readonly Change[]): void;
  /** What of that is so young that the page may have asked just before it. */
  meanwhile(changes: readonly Change[]): void;
  /** Changes may have been missed. */
  lost(): void;
  state(state: StreamState): void;
}

/** How many changes the cloud tells of what was earlier: where all of them are young, there may have been more. */
const MOST_EARLIER = 20;
/** The cloud's time comes in whole seconds, and the page may have asked a little before it began to listen. */
const MARGIN_MS = 2_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/**
 * Those of the last changes before a stream began that are not older than so long: what the page asked for while the stream was on its way may not have them.
 * By the cloud's time alone (the answer's `Date`), since the reader's clock may go wrong. Undefined where there may have been more than were told.
 */
export function since(earlier: readonly Change[], date: string | null, ageMs: number): readonly Change[] | undefined {
  const nowMs = Date.parse(date ?? '');
  if (Number.isNaN(nowMs)) return undefined;
  const young = earlier.filter(({ at }) => Date.parse(at) >= nowMs - ageMs - MARGIN_MS);
  return young.length < MOST_EARLIER ? young : undefined;
}

/** Listens to the cloud's changes until the signal aborts; comes back by itself, from where it was. fetch, since an EventSource cannot send the page's header. */
export async function listen(handlers: StreamHandlers, signal: AbortSignal): Promise<void> {
  let last: string | undefined;
  const beganMs = performance.now();
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal.aborted) {
    handlers.state('connecting');
    try {
      const response = await fetch('/console/events', {
        headers: { ...PAGE_HEADERS, accept: 'text/event-stream', ...(last !== undefined && { 'last-event-id': last }) },
        signal,
        cache: 'no-store',
      });
      if (response.status === 401) return handlers.state('broken');
      if (!response.ok || response.body === null) throw new Error(`HTTP ${response.status}`);
      const ageMs = performance.now() - beganMs;
      const parser = new EventParser();
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        for (const event of parser.push(text)) {
          last = event.id === '' ? last : event.id;
          if (event.event === 'open') {
            pauseMs = FIRST_PAUSE_MS;
            handlers.state('live');
          } else if (event.event === 'earlier') {
            const earlier = JSON.parse(event.data) as readonly Change[];
            handlers.earlier(earlier);
            const young = since(earlier, response.headers.get('date'), ageMs);
            if (young === undefined) handlers.lost();
            else handlers.meanwhile(young);
          } else if (event.event === 'lost') handlers.lost();
          else if (event.event === 'message') handlers.change(JSON.parse(event.data) as Change);
        }
      }
    } catch {
      // the network, or the cloud that starts anew
    }
    if (signal.aborted) return;
    handlers.state('broken');
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}
