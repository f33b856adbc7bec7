import { type Kysely, sql } from 'kysely';
import type { EngineName } from './store.ts';

export interface IndexColumn {
  readonly column: string;
  /** Must be said of nullable columns, so that PostgreSQL keeps null first as `listRows` sorts. */
  readonly nullable?: boolean;
  readonly direction?: 'asc' | 'desc';
}

/**
 * Makes an index that `listRows` can page by, for migrations: the columns that are filtered by equality, then the sort's, then id. One index
 * serves both directions of its whole order.
 */
export async function createListIndex(
  db: Kysely<unknown>,
  engine: EngineName,
  index: { readonly name: string; readonly table: string; readonly columns: readonly (string | IndexColumn)[] },
): Promise<void> {
  const columns = index.columns.map((given) => {
    const { column, nullable = false, direction = 'asc' } = typeof given === 'string' ? { column: given } : given;
    const ordered = sql`${sql.ref(column)} ${direction === 'desc' ? sql`desc` : sql`asc`}`;
    if (engine === 'sqlite' || !nullable) return ordered;
    return sql`${ordered} nulls ${direction === 'desc' ? sql`last` : sql`first`}`;
  });
  await sql`create index ${sql.ref(index.name)} on ${sql.table(index.table)} (${sql.join(columns)})`.execute(db);
}
