import type { Db } from '@cairn/kit/store/store';
import type { StoredEvent } from '@cairn/kit/events/events';

/** What the feed reads from: the outbox. */
export interface EventSource {
  since(db: Db, seq: number, limit: number): Promise<readonly StoredEvent[]>;
  newest(db: Db): Promise<number>;
  onNews(listener: () => void): () => void;
}

/** What a page is told of a change: which resource, not what is in it; that it asks the API for, which knows what it may see. */
export interface Change {
  readonly seq: number;
  readonly type: string;
  readonly at: string;
  readonly resource: string;
  readonly id: string;
  readonly request_id: string | null;
}

export interface Listener {
  /** The project whose changes it may hear of. */
  readonly projectId: string;
  hear(change: Change): void;
  /** Changes were missed: everything has to be asked for anew. */
  lost(seq: number): void;
}

const PAGE = 200;
/** How far back a page that begins is told what happened: rows of the outbox that are looked at, and changes of its project that are told. */
const LOOKED_AT = 300;
const TOLD = 20;
/** Changes that are kept for pages that come back after a break. */
const KEPT = 2_000;

/** One reader of the outbox for all pages that listen, whatever their number; it reads while there is one. */
export class EventFeed {
  readonly #source: EventSource;
  readonly #db: Db;
  readonly #onError: (error: unknown) => void;
  readonly #listeners = new Set<Listener>();
  #recent: { readonly projectId: string | undefined; readonly change: Change }[] = [];
  #seq = -1;
  /** The oldest place from which `recent` is complete. */
  #from = -1;
  #silence: (() => void) | undefined;
  #reading = false;
  #again = false;

  constructor(source: EventSource, db: Db, onError: (error: unknown) => void) {
    this.#source = source;
    this.#db = db;
    this.#onError = onError;
  }

  /** Begins to tell a listener, from after `seq` when it says where it was. Returns where it is now, and the way to stop. */
  async join(listener: Listener, seq: number | undefined): Promise<{ readonly seq: number; leave(): void }> {
    if (this.#silence === undefined) {
      this.#silence = this.#source.onNews(() => this.#wake());
      this.#recent = [];
      this.#seq = -1;
    }
    if (this.#seq < 0) {
      const newest = await this.#source.newest(this.#db);
      // another one may have begun meanwhile
      if (this.#seq < 0) {
        this.#seq = newest;
        this.#from = newest;
      }
    }
    this.#listeners.add(listener);
    if (seq !== undefined && seq !== this.#seq) {
      if (seq < this.#from || seq > this.#seq) listener.lost(this.#seq);
      else for (const { projectId, change } of this.#recent) if (change.seq > seq && projectId === listener.projectId) listener.hear(change);
    }
    this.#wake();
    return { seq: this.#seq, leave: () => this.#leave(listener) };
  }

  /** The last changes of a project until `seq`, oldest first; what lies further back than a fixed number of rows is not looked for. */
  async earlier(projectId: string, seq: number): Promise<readonly Change[]> {
    const events = await this.#source.since(this.#db, Math.max(0, seq - LOOKED_AT), LOOKED_AT);
    return events
      .filter((event) => event.projectId === projectId && event.seq <= seq)
      .slice(-TOLD)
      .map(changeOf);
  }

  #leave(listener: Listener): void {
    this.#listeners.delete(listener);
    if (this.#listeners.size > 0) return;
    this.#silence?.();
    this.#silence = undefined;
  }

  #wake(): void {
    this.#again = true;
    if (this.#reading) return;
    this.#reading = true;
    void this.#read().finally(() => {
      this.#reading = false;
      if (this.#again && this.#silence !== undefined) this.#wake();
    });
  }

  async #read(): Promise<void> {
    try {
      while (this.#again) {
        this.#again = false;
        if (this.#silence === undefined || this.#seq < 0) return;
        for (;;) {
          const events = await this.#source.since(this.#db, this.#seq, PAGE);
          for (const event of events) this.#tell(event);
          if (events.length < PAGE) break;
        }
      }
    } catch (error) {
      // the next news, or the outbox's sweep, tries again
      this.#again = false;
      this.#onError(error);
    }
  }

  #tell(event: StoredEvent): void {
    this.#seq = event.seq;
    const { projectId } = event;
    const change = changeOf(event);
    this.#recent.push({ projectId, change });
    if (this.#recent.length > 2 * KEPT) {
      this.#recent = this.#recent.slice(-KEPT);
      this.#from = (this.#recent[0]?.change.seq ?? event.seq) - 1;
    }
    if (projectId === undefined) return;
    for (const listener of this.#listeners) if (listener.projectId === projectId) listener.hear(change);
  }
}

const changeOf = (event: StoredEvent): Change => ({
  seq: event.seq,
  type: event.type,
  at: new Date(event.atMs).toISOString(),
  resource: event.resource,
  id: event.resourceId,
  request_id: event.requestId ?? null,
});
