import { findRow, findRows, updateRows } from '@cairn/kit/store/rows';
import { insertRow } from '@cairn/kit/store/insert';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { rowsOf } from '@cairn/kit/store/kept-rows';
import { sql } from 'kysely';
import { networkNotFound } from '../errors.ts';
import { EXTERNAL, SHARED, sharedIds } from './rbac.ts';
import { among, type ListMaker } from './select.ts';
import type { NetworkRow, NeutronTables, SubnetRow } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const networkLists: ListMaker<NetworkRow> = {
  spec: {
    table: 'neutron_network',
    id: 'id',
    unknownMarker: (marker) => networkNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      name: 'name',
      admin_state_up: { column: 'admin_state_up', type: 'boolean' },
      status: 'status',
      tenant_id: 'project_id',
      project_id: 'project_id',
      mtu: { column: 'mtu', type: 'integer' },
      is_default: { column: 'is_default', type: 'boolean' },
      'router:external': { column: 'external', type: 'boolean' },
      availability_zone_hints: 'az_hints_json',
      qos_policy_id: { column: 'qos_policy_id', nullable: true },
      'provider:network_type': 'network_type',
      'provider:physical_network': 'physical_network',
      'provider:segmentation_id': { column: 'segmentation_id', type: 'integer' },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [
    sql<boolean>`neutron_network.project_id = ${projectId}`,
    sql<boolean>`(neutron_network.id in ${sharedIds('network', projectId, [SHARED, EXTERNAL])} and neutron_network.project_id <> ${projectId})`,
  ],
  special(_db, field, values, scope) {
    if (field !== 'shared') return undefined;
    const shared = sql<boolean>`neutron_network.id in ${sharedIds('network', scope.projectId ?? '*')}`;
    return values[0] ? shared : sql<boolean>`not ${shared}`;
  },
};

/** A network with what its view shows of its subnets, in order: id, IP version, DHCP, pool, segment. */
export interface ListedNetwork extends NetworkRow {
  readonly subnets: readonly (readonly [string, number, number, string | null, string | null])[];
}

/** Pages of networks, as they are listed again and again. */
export const networkPages: ListMaker<ListedNetwork> = {
  ...networkLists,
  spec: {
    ...networkLists.spec,
    kept: {
      parts: {
        subnets: rowsOf(
          ['id', 'ip_version', 'enable_dhcp', 'subnetpool_id', 'segment_id'],
          'neutron_subnet where network_id = neutron_network.id',
          'created_at_ms, id',
        ),
      },
    },
  },
};

export const insertNetwork = (tx: Tx, row: NetworkRow) => insertRow(tx, 'neutron_network', row);

export const findNetwork = (db: Db, id: string): Promise<NetworkRow | undefined> => findRow<NetworkRow>(db, 'neutron_network', { id });

export const networksByIds = (db: Db, ids: readonly string[]): Promise<NetworkRow[]> => rowsAmong<NetworkRow>(db, 'neutron_network', 'id', ids, ['id']);

export const updateNetwork = (tx: Tx, id: string, columns: Partial<NetworkRow>) => updateRows<NetworkRow>(tx, 'neutron_network', columns, { id });

export const deleteNetworkRow = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_network').where('id', '=', id).execute();

/** What a network's view needs of its subnets. */
export type SubnetOfNetwork = Pick<SubnetRow, 'id' | 'network_id' | 'ip_version' | 'enable_dhcp' | 'subnetpool_id' | 'segment_id'>;

export async function subnetsOfNetworks(db: Db, networkIds: readonly string[]): Promise<SubnetOfNetwork[]> {
  if (networkIds.length === 0) return [];
  const { rows } =
    await sql<SubnetOfNetwork>`select id, network_id, ip_version, enable_dhcp, subnetpool_id, segment_id from neutron_subnet where ${among(db, sql.ref('network_id'), networkIds)} order by network_id, created_at_ms, id`.execute(
      db.kysely,
    );
  return rows;
}

/** The default external network, of which there is one at most. */
export const findDefaultExternal = (db: Db) =>
  tables(db).selectFrom('neutron_network').select('id').where('external', '=', 1).where('is_default', '=', 1).executeTakeFirst();

/** Which of these networks lead outside? */
export async function externalAmong(db: Db, ids: readonly string[]): Promise<ReadonlySet<string>> {
  if (ids.length === 0) return new Set();
  const rows = await findRows<{ id: string }>(db, 'neutron_network', { id: ids, external: 1 }, { columns: ['id'] });
  return new Set(rows.map((row) => row.id));
}
