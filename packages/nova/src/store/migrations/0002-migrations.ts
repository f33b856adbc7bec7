import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** Moves of servers between hosts. */
export async function migrations(db: Kysely<any>, engine: EngineName): Promise<void> {
  const made = db.schema.createTable('nova_migration');
  const table =
    engine === 'postgres'
      ? made.addColumn('seq', 'bigint', (c) => c.primaryKey().generatedAlwaysAsIdentity())
      : made.addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement());
  let whole = table
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('server_id', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('source_host', 'text')
    .addColumn('source_node', 'text')
    .addColumn('dest_host', 'text')
    .addColumn('dest_node', 'text')
    .addColumn('dest_ip', 'text')
    .addColumn('old_flavor_seq', 'bigint')
    .addColumn('new_flavor_seq', 'bigint')
    .addColumn('old_flavor_json', 'text', (c) => c.notNull())
    .addColumn('new_flavor_json', 'text', (c) => c.notNull())
    .addColumn('old_vm_state', 'text', (c) => c.notNull())
    .addColumn('disks_json', 'text', (c) => c.notNull())
    .addColumn('at_dest', 'integer', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint');
  for (const what of ['memory', 'disk'] as const)
    for (const part of ['total', 'processed', 'remaining'] as const) whole = whole.addColumn(`${what}_${part}`, 'bigint');
  await whole.execute();
  const index = (name: string, columns: string[]) => db.schema.createIndex(`nova_migration_${name}`).on('nova_migration').columns(columns).execute();
  await index('server', ['server_id', 'seq']);
  await index('status', ['status', 'seq']);
  await index('project', ['project_id', 'seq']);
  await index('source', ['source_host', 'seq']);
  await index('dest', ['dest_host', 'seq']);
}
