import { rowsAmong } from '@cairn/kit/store/among';
import { insertRow } from '@cairn/kit/store/insert';
import { findRows } from '@cairn/kit/store/rows';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { segmentNotFound, segmentRangeNotFound } from '../errors.ts';
import type { ListMaker } from './select.ts';
import type { IpAllocationRow, NeutronTables, SegmentRangeRow, SegmentRow, SubnetRow } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const segmentLists: ListMaker<SegmentRow> = {
  spec: {
    table: 'neutron_segment',
    id: 'id',
    unknownMarker: (marker) => segmentNotFound(String(marker)),
    columns: {
      id: 'id',
      network_id: 'network_id',
      name: { column: 'name', nullable: true },
      physical_network: 'physical_network',
      network_type: 'network_type',
      segmentation_id: { column: 'segmentation_id', type: 'integer' },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  // policy lets admins alone see them
  visible: () => [],
};

export const segmentRangeLists: ListMaker<SegmentRangeRow> = {
  spec: {
    table: 'neutron_segment_range',
    id: 'id',
    unknownMarker: (marker) => segmentRangeNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      network_type: 'network_type',
      physical_network: 'physical_network',
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: () => [],
};

/** Inserts a segment; false where what carries it is taken. */
export const insertSegment = async (tx: Tx, row: SegmentRow): Promise<boolean> => (await insertRow(tx, 'neutron_segment', row, 'skip')) > 0;

/** The segments of networks, in the order in which they came. */
export const segmentsOfNetworks = (db: Db, networkIds: readonly string[]): Promise<SegmentRow[]> =>
  rowsAmong<SegmentRow>(db, 'neutron_segment', 'network_id', networkIds, ['segment_index', 'id']);

export const findSegment = (db: Db, id: string): Promise<SegmentRow | undefined> =>
  tables(db).selectFrom('neutron_segment').selectAll().where('id', '=', id).executeTakeFirst();

export const subnetIdsOfSegment = async (db: Db, segmentId: string): Promise<string[]> =>
  (await tables(db).selectFrom('neutron_subnet').select('id').where('segment_id', '=', segmentId).orderBy('id').execute()).map((row) => row.id);

export const segmentsByIds = (db: Db, ids: readonly string[]): Promise<SegmentRow[]> => rowsAmong<SegmentRow>(db, 'neutron_segment', 'id', ids, ['id']);

/** All subnets of an IP version that are on a segment. */
export const subnetsOnSegments = (db: Db, version: 4 | 6): Promise<SubnetRow[]> =>
  tables(db).selectFrom('neutron_subnet').selectAll().where('segment_id', 'is not', null).where('ip_version', '=', version).orderBy('id').execute();

/** Ports with an address of a subnet on one of these segments. */
export async function portsOnSegments(db: Db, segmentIds: readonly string[]): Promise<string[]> {
  const subnets = await rowsAmong<SubnetRow>(db, 'neutron_subnet', 'segment_id', segmentIds, ['id']);
  const ids = subnets.map((subnet) => subnet.id);
  return [...new Set((await rowsAmong<IpAllocationRow>(db, 'neutron_ip_allocation', 'subnet_id', ids, ['port_id'])).map((row) => row.port_id))];
}

/** Who ids are given out by: ranges of a type of network, all of them. */
export const rangesOfType = (db: Db, networkType: string): Promise<SegmentRangeRow[]> =>
  findRows<SegmentRangeRow>(db, 'neutron_segment_range', { network_type: networkType }, { orderBy: ['minimum', 'id'] });

export const defaultRanges = (db: Db): Promise<SegmentRangeRow[]> =>
  tables(db).selectFrom('neutron_segment_range').selectAll().where('is_default', '=', 1).orderBy('id').execute();

/** What of a run of ids is in use, by whose networks; the lowest first. */
export async function usedIds(
  db: Db,
  { network_type, physical_network, minimum, maximum }: Pick<SegmentRangeRow, 'network_type' | 'physical_network' | 'minimum' | 'maximum'>,
  limit?: number,
): Promise<{ readonly segmentation_id: number; readonly project_id: string }[]> {
  const { rows } = await sql<{ segmentation_id: number; project_id: string }>`
    select s.segmentation_id, n.project_id from neutron_segment s join neutron_network n on n.id = s.network_id
    where s.network_type = ${network_type} and s.physical_network = ${physical_network}
      and s.segmentation_id between ${Number(minimum)} and ${Number(maximum)}
    order by s.segmentation_id ${limit === undefined ? sql`` : sql`limit ${sql.lit(limit)}`}`.execute(db.kysely);
  return rows;
}
