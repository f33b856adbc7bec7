import { randomUUID } from 'node:crypto';
import type { EngineName } from '@cairn/kit/store/store';
import { type Kysely, sql } from 'kysely';
import { makeIndex, makeTable, STANDARD } from './make-table.ts';

/** Networks of several segments, and the ranges that ids of segments are chosen from. What is taken is known by the segments now. */
export async function segments(db: Kysely<any>, _engine: EngineName): Promise<void> {
  const carried = { network_type: 'text', physical_network: 'text', segmentation_id: 'integer' } as const;
  await makeTable(db, 'neutron_segment', { ...STANDARD, network_id: 'text', name: 'text?', ...carried, segment_index: 'integer' });
  await makeIndex(db, 'neutron_segment_network', 'neutron_segment', ['network_id', 'segment_index']);
  await sql`create unique index neutron_segment_carried on neutron_segment (network_type, physical_network, segmentation_id) where network_type <> 'local'`.execute(
    db,
  );
  const networks = await db.selectFrom('neutron_network').select(['id', 'network_type', 'physical_network', 'segmentation_id', 'created_at_ms']).execute();
  for (const { id, network_type, physical_network, segmentation_id, created_at_ms } of networks) {
    const standard = { id: randomUUID(), project_id: '', description: null, created_at_ms, updated_at_ms: created_at_ms, revision_number: 0 };
    await db
      .insertInto('neutron_segment')
      .values({ ...standard, network_id: id, name: null, network_type, physical_network, segmentation_id, segment_index: 0 })
      .execute();
  }
  await sql`drop index neutron_network_segment`.execute(db);
  await makeIndex(db, 'neutron_network_carried', 'neutron_network', ['network_type', 'physical_network', 'segmentation_id']);
  await db.schema
    .alterTable('neutron_network')
    .addColumn('segment_count', 'integer', (column) => column.notNull().defaultTo(1))
    .execute();
  await db.schema.alterTable('neutron_subnet').addColumn('segment_id', 'text').execute();
  await makeIndex(db, 'neutron_subnet_segment', 'neutron_subnet', ['segment_id']);
  await makeTable(db, 'neutron_segment_range', {
    ...STANDARD,
    name: 'text',
    is_default: 'integer',
    shared: 'integer',
    network_type: 'text',
    physical_network: 'text',
    minimum: 'bigint',
    maximum: 'bigint',
    tags_json: 'text',
  });
  await makeIndex(db, 'neutron_segment_range_type', 'neutron_segment_range', ['network_type', 'physical_network', 'minimum']);
}
