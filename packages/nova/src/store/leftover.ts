import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';

/** A thing on a host that nothing in the cloud stands for any more. */
export interface Leftover {
  readonly kind: 'guest' | 'disk';
  readonly id: string;
}

export async function insertLeftovers(tx: Tx, host: string, leftovers: readonly Leftover[], nowMs: number): Promise<void> {
  if (leftovers.length === 0) return;
  await on<NovaTables>(tx)
    .insertInto('nova_leftover')
    .values(leftovers.map(({ kind, id }) => ({ host, kind, id, created_at_ms: nowMs })))
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Guests before disks: a disk that a guest has open cannot go. */
export async function leftoversOf(db: Db, host: string): Promise<readonly Leftover[]> {
  const rows = await on<NovaTables>(db)
    .selectFrom('nova_leftover')
    .select(['kind', 'id'])
    .where('host', '=', host)
    .orderBy('kind', 'desc')
    .orderBy('id')
    .execute();
  return rows.map((row) => ({ kind: row.kind as Leftover['kind'], id: row.id }));
}

export async function removeLeftover(tx: Tx, host: string, leftover: Leftover): Promise<void> {
  await on<NovaTables>(tx).deleteFrom('nova_leftover').where('host', '=', host).where('kind', '=', leftover.kind).where('id', '=', leftover.id).execute();
}
