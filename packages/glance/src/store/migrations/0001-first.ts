import type { Kysely } from 'kysely';

/** The tables of the first release; ../tables.ts says what each column means. */
export async function first(db: Kysely<any>): Promise<void> {
  await db.schema
    .createTable('glance_image')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('name', 'text')
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('visibility', 'text', (c) => c.notNull())
    .addColumn('owner', 'text')
    .addColumn('protected', 'integer', (c) => c.notNull())
    .addColumn('hidden', 'integer', (c) => c.notNull())
    .addColumn('disk_format', 'text')
    .addColumn('container_format', 'text')
    .addColumn('size_bytes', 'bigint')
    .addColumn('virtual_size_bytes', 'bigint')
    .addColumn('min_disk_gb', 'bigint', (c) => c.notNull())
    .addColumn('min_ram_mb', 'bigint', (c) => c.notNull())
    .addColumn('checksum', 'text')
    .addColumn('os_hash_algo', 'text')
    .addColumn('os_hash_value', 'text')
    .addColumn('data_key', 'text')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  // lists: what a project may see is public, its own, or shared with it; each branch by created_at
  await db.schema.createIndex('glance_image_visibility').on('glance_image').columns(['visibility', 'created_at_ms', 'id']).execute();
  await db.schema.createIndex('glance_image_owner').on('glance_image').columns(['owner', 'created_at_ms', 'id']).execute();
  await db.schema.createIndex('glance_image_created').on('glance_image').columns(['created_at_ms', 'id']).execute();
  await db.schema.createIndex('glance_image_name').on('glance_image').columns(['name', 'id']).execute();
  await db.schema
    .createTable('glance_image_property')
    .addColumn('image_id', 'text', (c) => c.notNull().references('glance_image.id'))
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('value', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('glance_image_property_pk', ['image_id', 'name'])
    .execute();
  await db.schema
    .createTable('glance_image_tag')
    .addColumn('image_id', 'text', (c) => c.notNull().references('glance_image.id'))
    .addColumn('tag', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('glance_image_tag_pk', ['image_id', 'tag'])
    .execute();
  await db.schema.createIndex('glance_image_tag_tag').on('glance_image_tag').columns(['tag', 'image_id']).execute();
  await db.schema
    .createTable('glance_image_member')
    .addColumn('image_id', 'text', (c) => c.notNull().references('glance_image.id'))
    .addColumn('member_id', 'text', (c) => c.notNull())
    .addColumn('status', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('glance_image_member_pk', ['image_id', 'member_id'])
    .execute();
  await db.schema.createIndex('glance_image_member_member').on('glance_image_member').columns(['member_id', 'status', 'image_id']).execute();
}
