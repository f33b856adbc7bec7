import type { Kysely } from 'kysely';

/** The tables of the first release; ../tables.ts says what each column means. */
export async function first(db: Kysely<any>): Promise<void> {
  const times = <T extends { addColumn: Function }>(builder: T): T =>
    builder.addColumn('created_at_ms', 'bigint', (c: any) => c.notNull()).addColumn('updated_at_ms', 'bigint', (c: any) => c.notNull()) as T;
  await times(
    db.schema
      .createTable('placement_provider')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('name', 'text', (c) => c.notNull().unique())
      .addColumn('generation', 'bigint', (c) => c.notNull())
      .addColumn('parent_id', 'text', (c) => c.references('placement_provider.id'))
      .addColumn('root_id', 'text', (c) => c.notNull()),
  ).execute();
  await db.schema.createIndex('placement_provider_parent').on('placement_provider').column('parent_id').execute();
  await db.schema.createIndex('placement_provider_root').on('placement_provider').columns(['root_id', 'id']).execute();

  await times(
    db.schema
      .createTable('placement_inventory')
      .addColumn('provider_id', 'text', (c) => c.notNull().references('placement_provider.id'))
      .addColumn('resource_class', 'text', (c) => c.notNull())
      .addColumn('total', 'bigint', (c) => c.notNull())
      .addColumn('reserved', 'bigint', (c) => c.notNull())
      .addColumn('min_unit', 'bigint', (c) => c.notNull())
      .addColumn('max_unit', 'bigint', (c) => c.notNull())
      .addColumn('step_size', 'bigint', (c) => c.notNull())
      .addColumn('allocation_ratio', 'double precision', (c) => c.notNull())
      .addColumn('capacity', 'bigint', (c) => c.notNull())
      .addColumn('used', 'bigint', (c) => c.notNull())
      .addColumn('free', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('placement_inventory_pk', ['provider_id', 'resource_class']),
  ).execute();
  // the emptiest providers of a class first: what candidate search walks
  await db.schema.createIndex('placement_inventory_free').on('placement_inventory').columns(['resource_class', 'free', 'provider_id']).execute();

  await times(
    db.schema
      .createTable('placement_allocation')
      .addColumn('consumer_id', 'text', (c) => c.notNull())
      .addColumn('provider_id', 'text', (c) => c.notNull())
      .addColumn('resource_class', 'text', (c) => c.notNull())
      .addColumn('used', 'bigint', (c) => c.notNull())
      .addPrimaryKeyConstraint('placement_allocation_pk', ['consumer_id', 'provider_id', 'resource_class'])
      .addForeignKeyConstraint('placement_allocation_inventory', ['provider_id', 'resource_class'], 'placement_inventory', ['provider_id', 'resource_class']),
  ).execute();
  await db.schema.createIndex('placement_allocation_provider').on('placement_allocation').columns(['provider_id', 'resource_class', 'consumer_id']).execute();

  await times(
    db.schema
      .createTable('placement_consumer')
      .addColumn('id', 'text', (c) => c.primaryKey())
      .addColumn('project_id', 'text', (c) => c.notNull())
      .addColumn('user_id', 'text', (c) => c.notNull())
      .addColumn('consumer_type', 'text')
      .addColumn('generation', 'bigint', (c) => c.notNull()),
  ).execute();
  await db.schema.createIndex('placement_consumer_project').on('placement_consumer').columns(['project_id', 'user_id', 'id']).execute();

  await db.schema
    .createTable('placement_provider_trait')
    .addColumn('provider_id', 'text', (c) => c.notNull().references('placement_provider.id'))
    .addColumn('trait', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('placement_provider_trait_pk', ['provider_id', 'trait'])
    .execute();
  await db.schema.createIndex('placement_provider_trait_trait').on('placement_provider_trait').columns(['trait', 'provider_id']).execute();
  await db.schema
    .createTable('placement_provider_aggregate')
    .addColumn('provider_id', 'text', (c) => c.notNull().references('placement_provider.id'))
    .addColumn('aggregate_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('placement_provider_aggregate_pk', ['provider_id', 'aggregate_id'])
    .execute();
  await db.schema.createIndex('placement_provider_aggregate_aggregate').on('placement_provider_aggregate').columns(['aggregate_id', 'provider_id']).execute();
  for (const name of ['placement_trait', 'placement_resource_class'])
    await times(db.schema.createTable(name).addColumn('name', 'text', (c) => c.primaryKey())).execute();
}
