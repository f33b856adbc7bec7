import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** Soft deletion, shelving, console tokens, and the index that usage reports are read by. */
export async function serverActions(db: Kysely<any>, _engine: EngineName): Promise<void> {
  for (const column of ['soft_deleted_at_ms', 'shelved_at_ms'] as const) await db.schema.alterTable('nova_server').addColumn(column, 'bigint').execute();
  await db.schema.alterTable('nova_server').addColumn('shelved_image_id', 'text').execute();
  const index = (name: string, columns: string[]) => db.schema.createIndex(`nova_server_${name}`).on('nova_server').columns(columns);
  await index('soft_deleted', ['soft_deleted_at_ms']).where('soft_deleted_at_ms', 'is not', null).execute();
  await index('shelved', ['shelved_at_ms']).where('shelved_at_ms', 'is not', null).execute();
  await index('usage', ['project_id', 'terminated_at_ms', 'seq']).execute();
  await index('usage_all', ['terminated_at_ms', 'seq']).execute();
  await db.schema
    .createTable('nova_console_token')
    .addColumn('token_hash', 'text', (c) => c.primaryKey())
    .addColumn('server_id', 'text', (c) => c.notNull())
    .addColumn('console_type', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('expires_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('nova_console_token_server').on('nova_console_token').columns(['server_id']).execute();
  await db.schema.createIndex('nova_console_token_expires').on('nova_console_token').columns(['expires_at_ms']).execute();
}
