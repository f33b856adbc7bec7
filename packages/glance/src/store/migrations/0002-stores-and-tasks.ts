import { type Kysely, sql } from 'kysely';

/** Locations take over from the one data key; staging, tasks, cache. ../data-tables.ts says what each column means. */
export async function storesAndTasks(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('glance_image_location')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('image_id', 'text', (c) => c.notNull().references('glance_image.id'))
    .addColumn('position', 'bigint', (c) => c.notNull())
    .addColumn('store', 'text')
    .addColumn('data_key', 'text')
    .addColumn('url', 'text')
    .addColumn('metadata', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('glance_image_location_image').on('glance_image_location').columns(['image_id', 'position']).execute();
  await sql`insert into glance_image_location (id, image_id, position, store, data_key, url, metadata, created_at_ms)
    select id, id, 0, 'file', data_key, null, '{}', created_at_ms from glance_image where data_key is not null`.execute(db);
  await db.schema.alterTable('glance_image').dropColumn('data_key').execute();
  // what a start has to look at: images that are neither queued nor ready
  await db.schema.createIndex('glance_image_status').on('glance_image').columns(['status', 'id']).execute();
  await db.schema
    .createTable('glance_staging')
    .addColumn('image_id', 'text', (c) => c.primaryKey().references('glance_image.id'))
    .addColumn('file', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('md5', 'text', (c) => c.notNull())
    .addColumn('sha512', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('glance_task')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('owner', 'text', (c) => c.notNull())
    .addColumn('image_id', 'text')
    .addColumn('user_id', 'text')
    .addColumn('request_id', 'text')
    .addColumn('input', 'text', (c) => c.notNull())
    .addColumn('result', 'text')
    .addColumn('message', 'text', (c) => c.notNull())
    .addColumn('expires_at_ms', 'bigint')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('glance_task_created').on('glance_task').columns(['created_at_ms', 'id']).execute();
  await db.schema.createIndex('glance_task_owner').on('glance_task').columns(['owner', 'created_at_ms', 'id']).execute();
  await db.schema.createIndex('glance_task_image').on('glance_task').columns(['image_id', 'created_at_ms']).execute();
  await db.schema.createIndex('glance_task_expires').on('glance_task').columns(['expires_at_ms']).execute();
  await db.schema.createIndex('glance_task_status').on('glance_task').columns(['status', 'id']).execute();
  await db.schema
    .createTable('glance_cache')
    .addColumn('image_id', 'text', (c) => c.primaryKey())
    .addColumn('state', 'text', (c) => c.notNull())
    .addColumn('size_bytes', 'bigint', (c) => c.notNull())
    .addColumn('hits', 'bigint', (c) => c.notNull())
    .addColumn('accessed_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('modified_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('glance_cache_accessed').on('glance_cache').columns(['state', 'accessed_at_ms']).execute();
}
