import type { CreateTableBuilder, Kysely } from 'kysely';

export type Columns = Readonly<Record<string, 'text' | 'text?' | 'integer' | 'integer?' | 'bigint' | 'bigint?'>>;

/** The columns of every resource with standard attributes. */
export const STANDARD: Columns = {
  id: 'text',
  project_id: 'text',
  description: 'text?',
  created_at_ms: 'bigint',
  updated_at_ms: 'bigint',
  revision_number: 'integer',
};

/** Makes a table whose columns are named with their types; `?` says that a column may be null. */
export async function makeTable(db: Kysely<any>, name: string, columns: Columns, key: readonly string[] = ['id']): Promise<void> {
  let table = db.schema.createTable(name) as CreateTableBuilder<string, any>;
  for (const [column, type] of Object.entries(columns)) {
    table = table.addColumn(column, type.replace('?', '') as 'text', (c) => (type.endsWith('?') ? c : c.notNull()));
  }
  await table.addPrimaryKeyConstraint(`${name}_pk`, [...key] as never[]).execute();
}

export const makeIndex = (db: Kysely<any>, name: string, table: string, columns: readonly string[]): Promise<void> =>
  db.schema
    .createIndex(name)
    .on(table)
    .columns([...columns])
    .execute();

export const makeUniqueIndex = (db: Kysely<any>, name: string, table: string, columns: readonly string[]): Promise<void> =>
  db.schema
    .createIndex(name)
    .on(table)
    .columns([...columns])
    .unique()
    .execute();
