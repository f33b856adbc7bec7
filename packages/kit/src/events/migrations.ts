import { type Kysely, sql } from 'kysely';
import type { EngineName, MigrationSet } from '../store/store.ts';

async function first(db: Kysely<unknown>, engine: EngineName): Promise<void> {
  const sqlite = engine === 'sqlite';
  // SQLite has one writer, so the key itself grows with the commit order. PostgreSQL: see sequence.ts.
  let table = db.schema.createTable('kit_event');
  table = sqlite
    ? table.addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement())
    : table.addColumn('id', 'bigint', (c) => c.primaryKey().generatedByDefaultAsIdentity()).addColumn('seq', 'bigint', (c) => c.unique());
  await table
    .addColumn('at_ms', 'bigint', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('project_id', 'text')
    .addColumn('user_id', 'text')
    .addColumn('request_id', 'text')
    .addColumn('resource', 'text', (c) => c.notNull())
    .addColumn('resource_id', 'text', (c) => c.notNull())
    .addColumn('payload', 'text', (c) => c.notNull())
    .execute();
  if (!sqlite) {
    await sql`create index kit_event_new on kit_event (id) where seq is null`.execute(db);
    await sql`create table kit_event_head (one integer primary key check (one = 1), seq bigint not null)`.execute(db);
    await sql`insert into kit_event_head (one, seq) values (1, 0)`.execute(db);
  }
  await db.schema
    .createTable('kit_event_cursor')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('seq', 'bigint', (c) => c.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .execute();
}

/** The outbox's tables: `kit_event` and `kit_event_cursor`. */
export const eventMigrations: MigrationSet = { service: 'kit.events', migrations: { '0001_first': first } };
