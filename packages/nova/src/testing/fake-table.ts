import { type Db, on, type MigrationSet, type Tx } from '@cairn/kit/store/store';

interface Tables {
  nova_test_fake: { kind: string; id: string; json: string };
}

/** Where the fake services of tests keep what they have: in the same database, so that it outlives a simulated crash as the real ones' rows do. */
export const fakeMigrations: MigrationSet = {
  service: 'nova.testing',
  migrations: {
    '0001_first': async (db) => {
      await db.schema
        .createTable('nova_test_fake')
        .addColumn('kind', 'text', (c) => c.notNull())
        .addColumn('id', 'text', (c) => c.notNull())
        .addColumn('json', 'text', (c) => c.notNull())
        .addPrimaryKeyConstraint('nova_test_fake_pk', ['kind', 'id'])
        .execute();
    },
  },
};

/** Rows of one kind. */
export class FakeTable<T extends { readonly id: string }> {
  readonly #kind: string;

  constructor(kind: string) {
    this.#kind = kind;
  }

  async find(db: Db, id: string): Promise<T | undefined> {
    const row = await on<Tables>(db).selectFrom('nova_test_fake').select('json').where('kind', '=', this.#kind).where('id', '=', id).executeTakeFirst();
    return row === undefined ? undefined : (JSON.parse(row.json) as T);
  }

  async all(db: Db): Promise<T[]> {
    const rows = await on<Tables>(db).selectFrom('nova_test_fake').select('json').where('kind', '=', this.#kind).orderBy('id').execute();
    return rows.map((row) => JSON.parse(row.json) as T);
  }

  async put(tx: Tx, row: T): Promise<void> {
    const json = JSON.stringify(row);
    await on<Tables>(tx)
      .insertInto('nova_test_fake')
      .values({ kind: this.#kind, id: row.id, json })
      .onConflict((conflict) => conflict.columns(['kind', 'id']).doUpdateSet({ json }))
      .execute();
  }

  async remove(tx: Tx, id: string): Promise<void> {
    await on<Tables>(tx).deleteFrom('nova_test_fake').where('kind', '=', this.#kind).where('id', '=', id).execute();
  }
}
