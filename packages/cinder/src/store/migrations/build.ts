import { createListIndex, type IndexColumn } from '@cairn/kit/store/list-index';
import type { EngineName } from '@cairn/kit/store/store';
import type { CreateTableBuilder, Kysely } from 'kysely';

type Kind = 'text' | 'text?' | 'int' | 'int?';

/** What migrations make tables and indexes with. */
export interface Build {
  /** Columns by name; a question mark behind a kind lets it be null. */
  table(name: string, columns: Readonly<Record<string, Kind>>, key: readonly string[]): Promise<void>;
  index(name: string, of: string, columns: readonly (string | IndexColumn)[]): Promise<void>;
}

export const buildWith = (db: Kysely<any>, engine: EngineName): Build => ({
  async table(name, columns, key) {
    let builder: CreateTableBuilder<string, string> = db.schema.createTable(name);
    for (const [column, kind] of Object.entries(columns))
      builder = builder.addColumn(column, kind.startsWith('text') ? 'text' : 'bigint', (c) => (kind.endsWith('?') ? c : c.notNull()));
    await builder.addPrimaryKeyConstraint(`${name}_pk`, [...key]).execute();
  },
  index: (name, of, columns) => createListIndex(db, engine, { name, table: of, columns }),
});

export const nullable = (column: string): IndexColumn => ({ column, nullable: true });
