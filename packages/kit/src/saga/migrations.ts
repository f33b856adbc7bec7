import { type Kysely, sql } from 'kysely';
import type { EngineName, MigrationSet } from '../store/store.ts';

async function first(db: Kysely<unknown>, engine: EngineName): Promise<void> {
  const sqlite = engine === 'sqlite';
  await db.schema
    .createTable('kit_saga')
    .addColumn('seq', sqlite ? 'integer' : 'bigint', (c) => (sqlite ? c.primaryKey().autoIncrement() : c.primaryKey().generatedByDefaultAsIdentity()))
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('subject', 'text', (c) => c.notNull())
    .addColumn('request_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text')
    .addColumn('project_id', 'text')
    .addColumn('params', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('step', 'integer', (c) => c.notNull())
    .addColumn('cancel', 'integer', (c) => c.notNull())
    .addColumn('lease_owner', 'text')
    .addColumn('lease_until_ms', 'bigint', (c) => c.notNull())
    .addColumn('failure', 'text')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('finished_at_ms', 'bigint')
    .execute();
  // one at a time per subject
  await sql`create unique index kit_saga_active on kit_saga (subject) where state in ('running', 'undoing')`.execute(db);
  // whose turn it is on a subject; only unfinished ones, so it stays small (the constant column makes planners prefer it to the history's index)
  await sql`create index kit_saga_turn on kit_saga (subject, finished_at_ms, seq) where finished_at_ms is null`.execute(db);
  // work to pick: pending by order, running and undoing by expiry
  await sql`create index kit_saga_work on kit_saga (state, lease_until_ms, seq) where finished_at_ms is null`.execute(db);
  // what is unfinished, in order
  await sql`create index kit_saga_unfinished on kit_saga (seq) where finished_at_ms is null`.execute(db);
  // history
  await db.schema.createIndex('kit_saga_subject').on('kit_saga').columns(['subject', 'seq']).execute();
  await db.schema.createIndex('kit_saga_request').on('kit_saga').columns(['request_id', 'seq']).execute();
  // retention
  await sql`create index kit_saga_finished on kit_saga (finished_at_ms) where finished_at_ms is not null`.execute(db);

  let steps = db.schema
    .createTable('kit_saga_step')
    .addColumn('saga_id', 'text', (c) => c.notNull())
    .addColumn('idx', 'integer', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('attempt', 'integer', (c) => c.notNull())
    .addColumn('output', 'text')
    .addColumn('error', 'text')
    .addColumn('started_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('finished_at_ms', 'bigint')
    .addColumn('undo_attempt', 'integer', (c) => c.notNull())
    .addColumn('undo_error', 'text')
    .addColumn('undo_started_at_ms', 'bigint')
    .addColumn('undo_finished_at_ms', 'bigint')
    .addPrimaryKeyConstraint('kit_saga_step_pk', ['saga_id', 'idx']);
  if (sqlite) steps = steps.modifyEnd(sql`without rowid`);
  await steps.execute();
}

/** The engine's tables, `kit_saga` and `kit_saga_step`. */
export const sagaMigrations: MigrationSet = { service: 'kit.saga', migrations: { '0001_first': first } };
