import type { CreateTableBuilder, Kysely } from 'kysely';

type Column = [name: string, type: 'text' | 'integer' | 'bigint', nullable?: 'null'];

/** A table with its columns and primary key. */
export async function table(db: Kysely<unknown>, name: string, columns: readonly Column[], primary: readonly string[]): Promise<void> {
  let builder: CreateTableBuilder<string, string> = db.schema.createTable(name);
  for (const [column, type, nullable] of columns) builder = builder.addColumn(column, type, (c) => (nullable ? c : c.notNull()));
  await builder.addPrimaryKeyConstraint(`${name}_pk`, [...primary] as never).execute();
}

export async function index(db: Kysely<unknown>, on: string, columns: readonly string[], unique = false): Promise<void> {
  const builder = db.schema
    .createIndex(`${on}_${columns.join('_')}_ix`.slice(0, 63))
    .on(on)
    .columns([...columns]);
  await (unique ? builder.unique() : builder).execute();
}
