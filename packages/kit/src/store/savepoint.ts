import { sql } from 'kysely';
import type { Tx } from './store.ts';

/**
 * Runs a part of a transaction that may fail without the rest being lost: when `work` throws, its rows are taken back and the error goes on
 * to the caller, who may catch it and continue. (On PostgreSQL an uncaught failure of any statement spoils the whole transaction.) May be
 * nested; not for parts that run side by side.
 */
export async function savepoint<T>(tx: Tx, work: () => Promise<T>): Promise<T> {
  await sql`savepoint part`.execute(tx.kysely);
  try {
    const result = await work();
    await sql`release savepoint part`.execute(tx.kysely);
    return result;
  } catch (error) {
    await sql`rollback to savepoint part`.execute(tx.kysely);
    await sql`release savepoint part`.execute(tx.kysely);
    throw error;
  }
}
