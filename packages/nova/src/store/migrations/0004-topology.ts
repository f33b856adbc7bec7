import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** NUMA nodes of hosts, which processors and pages of them servers hold, and secrets of virtual TPMs. */
export async function topology(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await db.schema.alterTable('nova_compute_node').addColumn('numa_json', 'text').execute();
  await db.schema
    .createTable('nova_topology')
    .addColumn('consumer_id', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('server_id', 'text', (c) => c.notNull())
    .addColumn('placed_json', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('nova_topology_pk', ['consumer_id', 'host'])
    .execute();
  await db.schema
    .createTable('nova_tpm')
    .addColumn('server_id', 'text', (c) => c.primaryKey())
    .addColumn('secret', 'text', (c) => c.notNull())
    .addColumn('state', 'text')
    .execute();
  await db.schema.createIndex('nova_topology_host').on('nova_topology').columns(['host']).execute();
  await db.schema.createIndex('nova_topology_server').on('nova_topology').columns(['server_id']).execute();
}
