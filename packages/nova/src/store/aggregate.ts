import { type Db, on } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';

/** An aggregate as the scheduler sees it. */
export interface AggregateFacts {
  readonly id: string;
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly hosts: readonly string[];
}

/** All aggregates with their hosts. There are few; the scheduler reads them whole. */
export async function allAggregates(db: Db): Promise<readonly AggregateFacts[]> {
  const nova = on<NovaTables>(db);
  const rows = await nova.selectFrom('nova_aggregate').select(['id', 'name', 'metadata_json']).orderBy('seq').execute();
  if (rows.length === 0) return [];
  const members = await nova.selectFrom('nova_aggregate_host').selectAll().orderBy('host').execute();
  const hosts = Map.groupBy(members, (member) => member.aggregate_id);
  return rows.map((row) => ({
    id: row.id,
    name: row.name,
    metadata: JSON.parse(row.metadata_json) as Record<string, string>,
    hosts: (hosts.get(row.id) ?? []).map((member) => member.host),
  }));
}

/** The zone of each host that an aggregate puts in one. */
export async function zonesByHost(db: Db): Promise<ReadonlyMap<string, string>> {
  const zones = new Map<string, string>();
  for (const aggregate of await allAggregates(db)) {
    const zone = aggregate.metadata['availability_zone'];
    if (zone !== undefined) for (const host of aggregate.hosts) zones.set(host, zone);
  }
  return zones;
}
