import type { EngineName } from '@cairn/kit/store/store';
import { createListIndex } from '@cairn/kit/store/list-index';
import type { Kysely } from 'kysely';

/** Metadata definitions, the record of deleted images' ids, and the indexes that quotas count by; ../tables.ts and ../metadef-tables.ts say what each column means. */
export async function metadefsAndQuotas(db: Kysely<any>, engine: EngineName): Promise<void> {
  await db.schema
    .createTable('glance_metadef_namespace')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('namespace', 'text', (c) => c.notNull().unique())
    .addColumn('display_name', 'text')
    .addColumn('description', 'text')
    .addColumn('visibility', 'text', (c) => c.notNull())
    .addColumn('protected', 'integer', (c) => c.notNull())
    .addColumn('owner', 'text')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await createListIndex(db, engine, { name: 'glance_metadef_namespace_created', table: 'glance_metadef_namespace', columns: ['created_at_ms', 'id'] });
  for (const [kind, add] of [
    ['object', ['description', 'required', 'properties']],
    ['property', ['definition']],
    ['tag', []],
  ] as const) {
    const table = `glance_metadef_${kind}`;
    let create = db.schema
      .createTable(table)
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('namespace_id', 'text', (c) => c.notNull().references('glance_metadef_namespace.id'))
      .addColumn('name', 'text', (c) => c.notNull());
    for (const column of add) create = create.addColumn(column, 'text');
    await create
      .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
      .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
      .addUniqueConstraint(`${table}_name`, ['namespace_id', 'name'])
      .execute();
  }
  await createListIndex(db, engine, { name: 'glance_metadef_tag_created', table: 'glance_metadef_tag', columns: ['namespace_id', 'created_at_ms', 'id'] });
  await db.schema
    .createTable('glance_metadef_resource_type')
    .addColumn('name', 'text', (c) => c.primaryKey())
    .addColumn('protected', 'integer', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema
    .createTable('glance_metadef_association')
    .addColumn('namespace_id', 'text', (c) => c.notNull().references('glance_metadef_namespace.id'))
    .addColumn('resource_type', 'text', (c) => c.notNull().references('glance_metadef_resource_type.name'))
    .addColumn('prefix', 'text')
    .addColumn('properties_target', 'text')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('glance_metadef_association_pk', ['namespace_id', 'resource_type'])
    .execute();
  await db.schema.createIndex('glance_metadef_association_type').on('glance_metadef_association').columns(['resource_type', 'namespace_id']).execute();
  await db.schema
    .createTable('glance_metadef_loaded')
    .addColumn('namespace', 'text', (c) => c.primaryKey())
    .addColumn('loaded_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  // ids are never given twice: an image that is gone keeps its id from being taken
  await db.schema
    .createTable('glance_deleted_image')
    .addColumn('id', 'text', (c) => c.primaryKey())
    .addColumn('deleted_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  // quotas: how many images of a project have which status, and their sizes, from the index alone
  await db.schema.createIndex('glance_image_owner_status').on('glance_image').columns(['owner', 'status', 'size_bytes']).execute();
}
