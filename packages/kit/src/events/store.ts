import type { Generated } from 'kysely';
import { insertRow } from '../store/insert.ts';
import { prepared } from '../store/prepared.ts';
import { relax } from '../store/relax.ts';
import { type Db, on, type Tx } from '../store/store.ts';
import type { NewEvent, StoredEvent } from './events.ts';

export interface EventTables {
  kit_event: {
    /** PostgreSQL alone. */
    id: Generated<number>;
    /** Null on PostgreSQL until the event has its place in the order. */
    seq: Generated<number | null>;
    at_ms: number;
    type: string;
    project_id: string | null;
    user_id: string | null;
    request_id: string | null;
    resource: string;
    resource_id: string;
    payload: string;
  };
  /** PostgreSQL alone: one row, the last place given. */
  kit_event_head: { one: number; seq: number };
  kit_event_cursor: CursorTable;
}

export interface CursorTable {
  name: string;
  /** Everything up to here is handled. */
  seq: number;
  lease_owner: string | null;
  lease_until_ms: number;
  updated_at_ms: number;
}

export async function insertEvent(tx: Tx, event: NewEvent, atMs: number): Promise<void> {
  await insertRow<Omit<EventTables['kit_event'], 'id' | 'seq'>>(tx, 'kit_event', {
    at_ms: atMs,
    type: event.type,
    project_id: event.projectId ?? null,
    user_id: event.userId ?? null,
    request_id: event.requestId ?? null,
    resource: event.resource,
    resource_id: event.resourceId,
    payload: JSON.stringify(event.payload),
  });
}

/** An event as it is stored. */
export type EventRow = Pick<EventTables['kit_event'], Exclude<(typeof EVENT)[number], 'seq'>> & { seq: number | null };

const EVENT = ['seq', 'at_ms', 'type', 'project_id', 'user_id', 'request_id', 'resource', 'resource_id', 'payload'] as const;

/** How many events a subscriber reads at once. */
export const EVENTS_PAGE = 200;

/** What every subscriber asks after every event: its statement is made once. */
const nextPage = prepared<EventTables, { seq: number }, EventRow>((db, place) =>
  db.selectFrom('kit_event').select(EVENT).where('seq', '>', place('seq')).orderBy('seq').limit(EVENTS_PAGE),
);

/** The next events after `seq`, in order, at most EVENTS_PAGE. */
export const pageAfter = async (db: Db, seq: number): Promise<readonly EventRow[]> => (await nextPage(db, { seq })).rows;

export const eventOf = (row: EventRow): StoredEvent => ({
  seq: row.seq as number,
  atMs: row.at_ms,
  type: row.type,
  projectId: row.project_id ?? undefined,
  userId: row.user_id ?? undefined,
  requestId: row.request_id ?? undefined,
  resource: row.resource,
  resourceId: row.resource_id,
  payload: JSON.parse(row.payload) as object,
});

/** Events after `seq`, in order. */
export async function eventsAfter(db: Db, seq: number, limit: number): Promise<StoredEvent[]> {
  const rows = await on<EventTables>(db).selectFrom('kit_event').select(EVENT).where('seq', '>', seq).orderBy('seq').limit(limit).execute();
  return rows.map(eventOf);
}

/** The place of the newest event; 0 before the first. */
export async function newestEvent(db: Db): Promise<number> {
  const row = await on<EventTables>(db)
    .selectFrom('kit_event')
    .select(({ fn }) => fn.max<number | null>('seq').as('seq'))
    .executeTakeFirst();
  return row?.seq ?? 0;
}

/** Who reads from a cursor, and until when nobody else may. */
export interface CursorLease {
  readonly owner: string;
  readonly untilMs: number;
  readonly nowMs: number;
  /** Take it even from another who holds it. */
  readonly force: boolean;
}

/** Takes (or keeps) a cursor, making it at 0 when it is new. Returns its place, or undefined while another holds it. */
export async function takeCursor(tx: Tx, name: string, lease: CursorLease): Promise<number | undefined> {
  await relax(tx);
  const row = await on<EventTables>(tx).selectFrom('kit_event_cursor').selectAll().where('name', '=', name).executeTakeFirst();
  const held = { lease_owner: lease.owner, lease_until_ms: lease.untilMs, updated_at_ms: lease.nowMs };
  if (!row) {
    const made = await on<EventTables>(tx)
      .insertInto('kit_event_cursor')
      .values({ name, seq: 0, ...held })
      .onConflict((c) => c.column('name').doNothing())
      .executeTakeFirst();
    return made.numInsertedOrUpdatedRows === 1n ? 0 : undefined;
  }
  if (!lease.force && row.lease_owner !== null && row.lease_owner !== lease.owner && row.lease_until_ms > lease.nowMs) return undefined;
  await on<EventTables>(tx).updateTable('kit_event_cursor').set(held).where('name', '=', name).execute();
  return row.seq;
}

/** Moves a cursor that `owner` holds; with `release`, gives it back. False when it is held no longer. */
export async function moveCursor(tx: Tx, name: string, owner: string, seq: number, nowMs: number, release: boolean): Promise<boolean> {
  await relax(tx);
  const result = await on<EventTables>(tx)
    .updateTable('kit_event_cursor')
    .set({ seq, updated_at_ms: nowMs, ...(release ? { lease_owner: null, lease_until_ms: 0 } : {}) })
    .where('name', '=', name)
    .where('lease_owner', '=', owner)
    .executeTakeFirst();
  return result.numUpdatedRows === 1n;
}

/** The place up to which every cursor that moved since `sinceMs` has handled everything; undefined without any cursor. */
export async function slowestCursor(db: Db, sinceMs: number): Promise<number | undefined> {
  const row = await on<EventTables>(db)
    .selectFrom('kit_event_cursor')
    .select(({ fn }) => fn.min<number | null>('seq').as('seq'))
    .where('updated_at_ms', '>=', sinceMs)
    .executeTakeFirst();
  return row?.seq ?? undefined;
}

/** Deletes up to `limit` of the oldest events: those before `beforeMs`, up to place `upTo`. Returns how many. */
export async function deleteOldest(tx: Tx, beforeMs: number, upTo: number, limit: number): Promise<number> {
  await relax(tx);
  // places grow with time, so the oldest events are the first ones: no index on the time is needed
  const rows = await on<EventTables>(tx).selectFrom('kit_event').select(['seq', 'at_ms']).where('seq', '<=', upTo).orderBy('seq').limit(limit).execute();
  const fresh = rows.findIndex((row) => row.at_ms >= beforeMs);
  const old = fresh < 0 ? rows : rows.slice(0, fresh);
  const last = old.at(-1)?.seq;
  if (last === undefined || last === null) return 0;
  await on<EventTables>(tx).deleteFrom('kit_event').where('seq', '<=', last).execute();
  return old.length;
}
