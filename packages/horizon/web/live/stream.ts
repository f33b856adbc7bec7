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
  /** Changes may have been missed. */
  lost(): void;
  state(state: StreamState): void;
}

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 15_000;

/** Listens to the cloud's changes until the signal aborts; comes back by itself, from where it was. fetch, since an EventSource cannot send the page's header. */
export async function listen(handlers: StreamHandlers, signal: AbortSignal): Promise<void> {
  let last: string | undefined;
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
      const parser = new EventParser();
      for await (const text of response.body.pipeThrough(new TextDecoderStream())) {
        for (const event of parser.push(text)) {
          last = event.id === '' ? last : event.id;
          if (event.event === 'open') {
            pauseMs = FIRST_PAUSE_MS;
            handlers.state('live');
          } else if (event.event === 'earlier') handlers.earlier(JSON.parse(event.data) as readonly Change[]);
          else if (event.event === 'lost') handlers.lost();
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
