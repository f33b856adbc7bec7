import { type RawBuilder, sql } from 'kysely';
import { relax } from '../store/relax.ts';
import { type Db, on, type Tx } from '../store/store.ts';
import { insertSteps, type SagaRow } from './store.ts';
import type { SagaTables } from './tables.ts';

/** Who takes work, and until when it is theirs. */
export interface Lease {
  readonly owner: string;
  readonly untilMs: number;
  readonly nowMs: number;
  /** True for the one engine of a database: leases of all others are void. */
  readonly exclusive: boolean;
}

/** Whether a lease in the database binds `lease.owner` no longer. */
function free(lease: Lease): RawBuilder<boolean> {
  return lease.exclusive ? sql<boolean>`(lease_until_ms <= ${lease.nowMs} or lease_owner <> ${lease.owner})` : sql<boolean>`lease_until_ms <= ${lease.nowMs}`;
}

/** Pending sagas of the names this engine knows whose turn it is, oldest first. */
export async function pendingInTurn(db: Db, names: readonly string[], limit: number): Promise<string[]> {
  if (names.length === 0) return [];
  const rows = await on<SagaTables>(db)
    .selectFrom('kit_saga as s')
    .select('s.id')
    .where('s.state', '=', 'pending')
    .where('s.lease_until_ms', '=', 0)
    .where('s.finished_at_ms', 'is', null)
    .where('s.name', 'in', names)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom('kit_saga as o').select('o.seq').whereRef('o.subject', '=', 's.subject').where('o.finished_at_ms', 'is', null).where(earlierOrActive),
        ),
      ),
    )
    .orderBy('s.seq')
    .limit(limit)
    .execute();
  return rows.map((row) => row.id);
}

const earlierOrActive = sql<boolean>`(o.seq < s.seq or o.state in ('running', 'undoing'))`;

/**
 * Takes pending sagas whose turn it is, and writes the row of the step that each begins with. Returns those that were taken. Two engines after one
 * subject: the unique index fails one of them (isUniqueViolation), or PostgreSQL has it run again.
 */
export async function takePending(
  tx: Tx,
  ids: readonly string[],
  lease: Lease,
  stepName: (saga: string, idx: number) => string | undefined,
): Promise<SagaRow[]> {
  await relax(tx);
  const taken: SagaRow[] = [];
  for (const id of ids) {
    const row = await on<SagaTables>(tx)
      .updateTable('kit_saga')
      .set({ state: 'running', lease_owner: lease.owner, lease_until_ms: lease.untilMs, updated_at_ms: lease.nowMs })
      .where('id', '=', id)
      .where('state', '=', 'pending')
      .where(
        sql<boolean>`not exists (select 1 from kit_saga o where o.subject = kit_saga.subject and o.finished_at_ms is null and (o.seq < kit_saga.seq or o.state in ('running', 'undoing')))`,
      )
      .returningAll()
      .executeTakeFirst();
    if (row) taken.push(row);
  }
  const steps = taken.flatMap((row) => {
    const name = stepName(row.name, row.step);
    return name === undefined ? [] : [{ sagaId: row.id, idx: row.step, name }];
  });
  await insertSteps(tx, steps, lease.nowMs);
  return taken;
}

/** Active sagas of known names, but the ids in `except`, whose lease binds no longer: their engine is gone. */
export async function expired(db: Db, names: readonly string[], except: readonly string[], lease: Lease, limit: number): Promise<string[]> {
  if (names.length === 0) return [];
  let query = on<SagaTables>(db)
    .selectFrom('kit_saga')
    .select('id')
    .where('state', 'in', ['running', 'undoing'])
    .where(free(lease))
    .where('finished_at_ms', 'is', null)
    .where('name', 'in', names);
  if (except.length > 0) query = query.where('id', 'not in', except);
  const rows = await query.orderBy('lease_until_ms').limit(limit).execute();
  return rows.map((row) => row.id);
}

/** Takes over sagas whose lease binds no longer, and counts another try of the step or undo that each was at. */
export async function takeExpired(tx: Tx, ids: readonly string[], lease: Lease): Promise<SagaRow[]> {
  await relax(tx);
  const rows = await on<SagaTables>(tx)
    .updateTable('kit_saga')
    .set({ lease_owner: lease.owner, lease_until_ms: lease.untilMs, updated_at_ms: lease.nowMs })
    .where('id', 'in', ids)
    .where('state', 'in', ['running', 'undoing'])
    .where(free(lease))
    .returningAll()
    .execute();
  for (const row of rows) {
    const column = row.state === 'running' ? 'attempt' : 'undo_attempt';
    await on<SagaTables>(tx)
      .updateTable('kit_saga_step')
      .set((eb) => ({ [column]: eb(column, '+', 1) }))
      .where('saga_id', '=', row.id)
      .where('idx', '=', row.step)
      .execute();
  }
  return rows;
}

/** Keeps leases. Returns those that are still held, with their cancel flags. */
export async function renew(tx: Tx, ids: readonly string[], lease: Lease): Promise<{ id: string; cancel: number }[]> {
  await relax(tx);
  return on<SagaTables>(tx)
    .updateTable('kit_saga')
    .set({ lease_until_ms: lease.untilMs })
    .where('id', 'in', ids)
    .where('lease_owner', '=', lease.owner)
    .where('finished_at_ms', 'is', null)
    .returning(['id', 'cancel'])
    .execute();
}

/** Gives leases back, so that anybody may resume at once. */
export async function release(tx: Tx, ids: readonly string[], owner: string): Promise<void> {
  if (ids.length === 0) return;
  await relax(tx);
  await on<SagaTables>(tx)
    .updateTable('kit_saga')
    .set({ lease_owner: null, lease_until_ms: 0 })
    .where('id', 'in', ids)
    .where('lease_owner', '=', owner)
    .where('finished_at_ms', 'is', null)
    .execute();
}

/** Gives back everything an engine holds. Returns how many. */
export async function releaseAll(tx: Tx, owner: string): Promise<number> {
  await relax(tx);
  const result = await on<SagaTables>(tx)
    .updateTable('kit_saga')
    .set({ lease_owner: null, lease_until_ms: 0 })
    .where('state', 'in', ['running', 'undoing'])
    .where('finished_at_ms', 'is', null)
    .where('lease_owner', '=', owner)
    .executeTakeFirst();
  return Number(result.numUpdatedRows);
}

/** Names of unfinished sagas that this engine does not know, with their number. */
export async function unknownNames(db: Db, names: readonly string[]): Promise<{ name: string; count: number }[]> {
  let query = on<SagaTables>(db)
    .selectFrom('kit_saga')
    .select(({ fn }) => ['name', fn.countAll<number>().as('count')])
    .where('finished_at_ms', 'is', null)
    .groupBy('name');
  if (names.length > 0) query = query.where('name', 'not in', names);
  return query.execute();
}
