import type { Db, Tx } from '@cairn/kit/store/store';
import { isSet } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { standardView } from '../attributes/times.ts';
import { networkNotFound, segmentHasPorts, segmentHasSubnets, segmentNotFound } from '../errors.ts';
import { networkKey } from '../fabric/keys.ts';
import { segmentAt } from '../fabric/segment-of-host.ts';
import { SEGMENT } from '../resources/segment.ts';
import { findNetwork, updateNetwork } from '../store/networks.ts';
import { boundPortsOf } from '../store/ports.ts';
import { deleteRowsOf, updateRow } from '../store/rows.ts';
import { findSegment, segmentLists, segmentsOfNetworks, subnetIdsOfSegment } from '../store/segments.ts';
import type { NetworkRow, SegmentRow } from '../store/tables.ts';
import { changed, newRow } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type Kind, verbsOf, type Work } from './kinds.ts';
import { reserveSegment } from './segment-choice.ts';
import { mtuOf, requestedSegment, type Segment } from './segments.ts';

/** The parts that a network is made of, each carried in its own way (neutron/services/segments). */

/** The first segments of a new network. */
export async function makeSegments(app: NeutronApp, tx: Tx, network: NetworkRow, asked: readonly (Segment | undefined)[]): Promise<SegmentRow[]> {
  const rows: SegmentRow[] = [];
  for (const [index, each] of asked.entries()) {
    const rest = { ...newRow(app, {}), description: null, network_id: network.id, name: null, segment_index: index };
    rows.push(await reserveSegment(app, tx, rest, each, network.project_id));
  }
  return rows;
}

/** What a network's own columns say of its segments: the first, and how many there are. */
export function mirrorOf(rows: readonly SegmentRow[]): Segment & Pick<NetworkRow, 'segment_count'> {
  const first = rows[0];
  return {
    network_type: first?.network_type ?? '',
    physical_network: first?.physical_network ?? '',
    segmentation_id: first?.segmentation_id ?? 0,
    segment_count: rows.length,
  };
}

/** The greatest packet that all segments carry. */
export const mtuOfSegments = (app: NeutronApp, rows: readonly Segment[]): number =>
  Math.min(...rows.map((row) => mtuOf(app.settings, row.network_type)), mtuOf(app.settings, ''));

export const removeSegmentsOf = (tx: Tx, networkId: string) => deleteRowsOf(tx, 'neutron_segment', 'network_id', networkId);

function view(row: SegmentRow): { view: Record<string, unknown> } {
  const { project_id: _project, tenant_id: _tenant, ...shown } = standardView(row);
  return {
    view: {
      ...shown,
      network_id: row.network_id,
      name: row.name,
      network_type: row.network_type,
      physical_network: row.physical_network || null,
      segmentation_id: row.segmentation_id || null,
    },
  };
}

/** Values by the names that networks have for them. */
const asProvider = (values: Values): Values => ({
  'provider:network_type': values.network_type,
  'provider:physical_network': values.physical_network,
  'provider:segmentation_id': values.segmentation_id,
});

const KIND: Kind<SegmentRow> = {
  resource: SEGMENT,
  lists: segmentLists,
  everybodySees: true,
  notFound: segmentNotFound,
  views: (_app, _db, rows) => rows.map(view),
  async create({ app, tx }, values) {
    const networkId = String(values.network_id);
    const network = await findNetwork(tx, networkId);
    if (!network) throw networkNotFound(networkId);
    const index = (await segmentsOfNetworks(tx, [networkId])).at(-1)?.segment_index ?? -1;
    const rest = {
      ...newRow(app, { description: values.description }),
      network_id: networkId,
      name: isSet(values.name) ? String(values.name) : null,
      segment_index: index + 1,
    };
    return reserveSegment(app, tx, rest, requestedSegment(app.settings, asProvider(values)), '');
  },
  written: true,
  update: (_work, _row, values) => ({
    ...('name' in values && { name: values.name === null ? null : String(values.name) }),
    ...('description' in values && { description: String(values.description) }),
  }),
  async remove({ app, tx }, row) {
    const subnets = await subnetIdsOfSegment(tx, row.id);
    if (subnets.length > 0) throw segmentHasSubnets(row.id, subnets);
    const all = await segmentsOfNetworks(tx, [row.network_id]);
    const bound = (await boundPortsOf(tx, row.network_id)).filter((port) => segmentAt(app.settings, all, port.binding_host)?.id === row.id);
    const proper = bound.filter((port) => port.device_owner !== 'network:dhcp');
    if (proper.length > 0) throw segmentHasPorts(row.id, bound.length);
  },
  async settle(work, after, before) {
    if (after && before) return;
    await followSegments(work, (after ?? before)?.network_id ?? '');
  },
};

export const segmentVerbs = verbsOf(KIND);

/** A network says what its segments are, and carries what all of them do. */
async function followSegments({ app, tx }: Work, networkId: string): Promise<void> {
  const network = await findNetwork(tx, networkId);
  if (!network) return;
  const rows = await segmentsOfNetworks(tx, [networkId]);
  await updateNetwork(tx, networkId, { ...changed(app, network), ...mirrorOf(rows), mtu: Math.min(network.mtu, mtuOfSegments(app, rows)) });
  app.pusher.touch(tx, [networkKey(networkId)]);
}

/** A segment that there is. */
export async function requireSegment(db: Db, id: string): Promise<SegmentRow> {
  const row = await findSegment(db, id);
  if (!row) throw segmentNotFound(id);
  return row;
}

export const touchSegment = (app: NeutronApp, tx: Tx, row: SegmentRow) => updateRow(tx, 'neutron_segment', row.id, changed(app, row));
