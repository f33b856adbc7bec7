import type { Db, Tx } from '../store/store.ts';

/** A change of a resource, as it is written in the transaction that makes the change. */
export interface NewEvent {
  /** OpenStack's notification name: `compute.instance.create.end`. */
  readonly type: string;
  readonly projectId?: string | undefined;
  readonly userId?: string | undefined;
  readonly requestId?: string | undefined;
  /** `server`, and its id. */
  readonly resource: string;
  readonly resourceId: string;
  readonly payload: object;
}

export interface StoredEvent extends NewEvent {
  /** Grows with the commit order; the cursor of subscribers. */
  readonly seq: number;
  readonly atMs: number;
}

/** The transactional outbox. */
export interface Events {
  emit(tx: Tx, event: NewEvent): Promise<void>;
  /**
   * Calls `handle` for every event whose type starts with one of `prefixes`, in order, at least once, from a durable cursor of
   * that name. A throw is logged and retried with back-off.
   */
  subscribe(name: string, prefixes: readonly string[], handle: (event: StoredEvent) => Promise<void>): Subscription;
  /** A page of the outbox, for live updates and tests. */
  since(db: Db, seq: number, limit: number): Promise<readonly StoredEvent[]>;
}

export interface Subscription {
  stop(): Promise<void>;
}
