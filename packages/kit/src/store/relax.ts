import { sql } from 'kysely';
import type { Tx } from './store.ts';

/**
 * Call first in a transaction of the kit's own bookkeeping, whose rows are guarded by leases, unique indexes or row locks. On PostgreSQL it
 * then runs at repeatable read instead of serialisable: transactions over the same few index pages would else fail each other all the
 * time. Not for transactions that run a service's code.
 */
export async function relax(tx: Tx): Promise<void> {
  if (tx.engine === 'postgres') await sql`set transaction isolation level repeatable read`.execute(tx.kysely);
}
