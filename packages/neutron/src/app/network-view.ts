import type { Db } from '@cairn/kit/store/store';
import { standardView } from '../attributes/times.ts';
import { type ListedNetwork, type SubnetOfNetwork, subnetsOfNetworks } from '../store/networks.ts';
import { sharedAmong, sharedNetworksAmong } from '../store/rbac.ts';
import { scopesOfPools } from '../store/subnetpools.ts';
import { segmentsOfNetworks } from '../store/segments.ts';
import type { NetworkRow, SegmentRow } from '../store/tables.ts';
import { type Loaded, oncePerRow } from './common.ts';
import type { NeutronApp } from './deps.ts';
import type { Segment } from './segments.ts';

const NONE: readonly SubnetOfNetwork[] = [];
const NO_SCOPES: ReadonlyMap<string, string> = new Map();

/** A network as the API shows it (before policy hides what it hides). */
export function networkView(
  app: NeutronApp,
  row: NetworkRow,
  subnets: readonly SubnetOfNetwork[],
  shared: boolean,
  scopes: ReadonlyMap<string, string> = NO_SCOPES,
  segments: readonly SegmentRow[] = NO_SEGMENTS,
): Record<string, unknown> {
  const view = standardView(row);
  view.name = row.name;
  view.admin_state_up = row.admin_state_up === 1;
  view.mtu = row.mtu;
  view.status = row.status;
  view.subnets = subnets.map((subnet) => subnet.id);
  view.shared = shared;
  view.availability_zone_hints = row.az_hints_json === '[]' ? [] : JSON.parse(row.az_hints_json);
  view.availability_zones = subnets.some((subnet) => subnet.enable_dhcp === 1) ? [app.settings.availabilityZone] : [];
  view.ipv4_address_scope = scopeOfVersion(subnets, 4, scopes);
  view.ipv6_address_scope = scopeOfVersion(subnets, 6, scopes);
  view['router:external'] = row.external === 1;
  if (row.external === 1) view.is_default = row.is_default === 1;
  view.port_security_enabled = row.port_security_enabled === 1;
  view.dns_domain = row.dns_domain;
  if (row.segment_count > 1) view.segments = segments.map(providerView);
  else Object.assign(view, providerView(row));
  view.l2_adjacency = !subnets[0]?.segment_id;
  view.qos_policy_id = row.qos_policy_id;
  view.tags = row.tags_json === '[]' ? [] : JSON.parse(row.tags_json);
  return view;
}

/** What carries a network or a segment of it, by the names of the API. */
const providerView = (row: Segment): Record<string, unknown> => ({
  'provider:network_type': row.network_type === '' ? null : row.network_type,
  'provider:physical_network': row.physical_network === '' ? null : row.physical_network,
  'provider:segmentation_id': row.segmentation_id === 0 ? null : row.segmentation_id,
});

const NO_SEGMENTS: readonly SegmentRow[] = [];

function scopeOfVersion(subnets: readonly SubnetOfNetwork[], version: number, scopes: ReadonlyMap<string, string>): string | null {
  if (scopes.size === 0) return null;
  for (const subnet of subnets) if (subnet.ip_version === version && subnet.subnetpool_id !== null) return scopes.get(subnet.subnetpool_id) ?? null;
  return null;
}

/** The views of a page, with what belongs to them read in a few statements for all. */
export async function networkViews(
  app: NeutronApp,
  db: Db,
  rows: readonly NetworkRow[],
  viewerProjectId: string | undefined,
): Promise<Record<string, unknown>[]> {
  if (rows.length === 0) return [];
  const ids = rows.map((row) => row.id);
  const [subnets, shared] = await Promise.all([subnetsOfNetworks(db, ids), sharedAmong(db, ids, viewerProjectId)]);
  const byNetwork = new Map<string, SubnetOfNetwork[]>();
  const pools = new Set<string>();
  for (const subnet of subnets) {
    const list = byNetwork.get(subnet.network_id);
    if (list) list.push(subnet);
    else byNetwork.set(subnet.network_id, [subnet]);
    if (subnet.subnetpool_id !== null) pools.add(subnet.subnetpool_id);
  }
  const scopes = pools.size > 0 ? await scopesOfPools(db, [...pools]) : NO_SCOPES;
  const several = rows.filter((row) => row.segment_count > 1).map((row) => row.id);
  const segments = several.length > 0 ? Map.groupBy(await segmentsOfNetworks(db, several), (segment) => segment.network_id) : undefined;
  return rows.map((row) => networkView(app, row, byNetwork.get(row.id) ?? NONE, shared.has(row.id), scopes, segments?.get(row.id)));
}

const subnetsOf = (row: ListedNetwork): SubnetOfNetwork[] =>
  row.subnets.map(([id, ip_version, enable_dhcp, subnetpool_id, segment_id]) => ({
    id,
    network_id: row.id,
    ip_version,
    enable_dhcp,
    subnetpool_id,
    segment_id,
  }));
const ownNetwork = oncePerRow((app, row: ListedNetwork) => ({ view: networkView(app, row, subnetsOf(row), false) }));
const sharedNetwork = oncePerRow((app, row: ListedNetwork) => ({ view: networkView(app, row, subnetsOf(row), true) }));

/** The views of a page of networks. Those that show what rows of other tables say besides are made anew. */
export async function listedNetworks(app: NeutronApp, db: Db, rows: readonly ListedNetwork[], viewerProjectId: string | undefined): Promise<Loaded[]> {
  const special = rows.filter((row) => row.segment_count > 1 || row.subnets.some(([, , , pool]) => pool !== null));
  const fresh = new Map((await networkViews(app, db, special, viewerProjectId)).map((view) => [view.id, { view }]));
  const shared = await sharedNetworksAmong(
    db,
    rows.map((row) => row.id),
    viewerProjectId,
  );
  return rows.map((row) => fresh.get(row.id) ?? (shared.has(row.id) ? sharedNetwork : ownNetwork)(app, row));
}
