import { sql } from 'kysely';
import { relax } from '../store/relax.ts';
import { type Db, on, type Store } from '../store/store.ts';
import type { EventTables } from './store.ts';

/*
 * The order of events on PostgreSQL.
 *
 * A sequence gives its numbers before the commit. Were they the cursor, a reader could see 6 while the transaction that drew 5 is
 * still open, go past it, and never see 5. So an event is written without a place (`seq` is null), and gets it after its commit:
 * a short transaction takes the committed events that have none, in the order of their keys, and numbers them on from
 * `kit_event_head`. That row is the lock: two such transactions at once make one of them fail and run again, so places are given by
 * one after the other, and become visible in their order, without gaps. An event committed later than a place was given
 * gets a later place. Nothing is skipped, however long a transaction was open, and no open transaction holds others up.
 *
 * Whoever wrote an event numbers it right after its commit; a process that dies in between is made up for by any other's sweep.
 */

const BATCH = 1000;

async function unnumbered(db: Db, limit: number): Promise<number> {
  const rows = await on<EventTables>(db).selectFrom('kit_event').select('id').where('seq', 'is', null).orderBy('id').limit(limit).execute();
  return rows.length;
}

/** Gives every committed event its place. Nothing to do on SQLite, whose one writer makes the key grow with the commit order. */
export async function numberEvents(store: Store): Promise<void> {
  if (store.engine === 'sqlite') return;
  while ((await unnumbered(store.read, 1)) > 0) {
    const count = await store.write(async (tx) => {
      await relax(tx);
      const found = await unnumbered(tx, BATCH);
      if (found === 0) return 0;
      const head = await on<EventTables>(tx)
        .updateTable('kit_event_head')
        .set((eb) => ({ seq: eb('seq', '+', found) }))
        .returning('seq')
        .executeTakeFirstOrThrow();
      await sql`
        update kit_event e set seq = ${sql.lit(head.seq - found)} + n.place
        from (select id, row_number() over (order by id) as place from kit_event where seq is null order by id limit ${sql.lit(found)}) n
        where e.id = n.id`.execute(tx.kysely);
      return found;
    });
    if (count < BATCH) return;
  }
}
