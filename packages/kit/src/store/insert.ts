import { runStatement } from './statement.ts';
import type { EngineName, Tx } from './store.ts';

/** SQL texts by engine, table and columns; as many as there are inserts in the program. */
const texts = new Map<string, string>();

/**
 * Inserts one row and tells how many were (0 only where `whenTaken` is `skip` and a unique key is taken; `fail` throws then). The
 * same statement as `insertInto(table).values(row)`, whose text is made once for all: building and compiling it each time costs
 * several times what SQLite needs to run it. `table` and the row's keys must be names of the program, never of a user. Columns that are undefined
 * get their defaults.
 */
export async function insertRow<Row extends object>(tx: Tx, table: string, row: Row, whenTaken: 'fail' | 'skip' = 'fail'): Promise<number> {
  const columns: string[] = [];
  const values: unknown[] = [];
  for (const [column, value] of Object.entries(row)) {
    if (value === undefined) continue;
    columns.push(column);
    values.push(value);
  }
  const key = `${tx.engine} ${whenTaken} ${table} ${columns.join(' ')}`;
  let text = texts.get(key);
  if (text === undefined) texts.set(key, (text = textOf(tx.engine, table, columns, whenTaken)));
  const result = await runStatement(tx, text, values);
  return Number(result.numAffectedRows ?? 0n);
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function textOf(engine: EngineName, table: string, columns: readonly string[], whenTaken: 'fail' | 'skip'): string {
  const places = columns.map((_, i) => (engine === 'sqlite' ? '?' : `$${i + 1}`));
  return `insert into ${quoted(table)} (${columns.map(quoted).join(', ')}) values (${places.join(', ')})${whenTaken === 'skip' ? ' on conflict do nothing' : ''}`;
}
