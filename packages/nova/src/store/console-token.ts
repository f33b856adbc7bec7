import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Selectable } from 'kysely';
import type { ConsoleTokenTable, NovaTables } from './tables.ts';

export type ConsoleTokenRow = Selectable<ConsoleTokenTable>;

/** How many expired passes one new pass sweeps away. */
const SWEEP = 50;

/** Keeps a pass, and sweeps some that have expired. */
export async function insertConsoleToken(tx: Tx, row: ConsoleTokenRow, nowMs: number): Promise<void> {
  const expired = await on<NovaTables>(tx)
    .selectFrom('nova_console_token')
    .select('token_hash')
    .where('expires_at_ms', '<=', nowMs)
    .orderBy('expires_at_ms')
    .limit(SWEEP)
    .execute();
  for (const { token_hash } of expired) await on<NovaTables>(tx).deleteFrom('nova_console_token').where('token_hash', '=', token_hash).execute();
  await on<NovaTables>(tx).insertInto('nova_console_token').values(row).execute();
}

/** A pass that has not expired. */
export async function findConsoleToken(db: Db, tokenHash: string, nowMs: number): Promise<ConsoleTokenRow | undefined> {
  return await on<NovaTables>(db)
    .selectFrom('nova_console_token')
    .selectAll()
    .where('token_hash', '=', tokenHash)
    .where('expires_at_ms', '>', nowMs)
    .executeTakeFirst();
}

/** Uses a pass up; undefined where there is none, or no longer. */
export async function takeConsoleToken(tx: Tx, tokenHash: string, nowMs: number): Promise<ConsoleTokenRow | undefined> {
  const row = await findConsoleToken(tx, tokenHash, nowMs);
  await on<NovaTables>(tx).deleteFrom('nova_console_token').where('token_hash', '=', tokenHash).execute();
  return row;
}

export async function removeConsoleTokensOf(tx: Tx, serverId: string): Promise<void> {
  await on<NovaTables>(tx).deleteFrom('nova_console_token').where('server_id', '=', serverId).execute();
}
