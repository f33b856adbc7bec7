import { findRow, updateRows } from '@cairn/kit/store/rows';
import { insertRow } from '@cairn/kit/store/insert';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { sql } from 'kysely';
import { subnetNotFound } from '../errors.ts';
import { mustCidr, networkText, parseCidr } from '../net/cidr.ts';
import { EXTERNAL, SHARED, sharedIds } from './rbac.ts';
import type { ListMaker } from './select.ts';
import type { NeutronTables, SubnetRow } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const subnetLists: ListMaker<SubnetRow> = {
  spec: {
    table: 'neutron_subnet',
    id: 'id',
    unknownMarker: (marker) => subnetNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      network_id: 'network_id',
      ip_version: { column: 'ip_version', type: 'integer' },
      cidr: 'cidr',
      gateway_ip: { column: 'gateway_ip', nullable: true },
      enable_dhcp: { column: 'enable_dhcp', type: 'boolean' },
      ipv6_ra_mode: { column: 'ipv6_ra_mode', nullable: true },
      ipv6_address_mode: { column: 'ipv6_address_mode', nullable: true },
      segment_id: { column: 'segment_id', nullable: true },
      subnetpool_id: { column: 'subnetpool_id', nullable: true },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [
    sql<boolean>`neutron_subnet.project_id = ${projectId}`,
    sql<boolean>`(neutron_subnet.network_id in ${sharedIds('network', projectId, [SHARED, EXTERNAL])} and neutron_subnet.project_id <> ${projectId})`,
  ],
  special(_db, field, values, scope) {
    if (field === 'shared') {
      const shared = sql<boolean>`neutron_subnet.network_id in ${sharedIds('network', scope.projectId ?? '*')}`;
      return values[0] ? shared : sql<boolean>`not ${shared}`;
    }
    if (field === 'router:external') {
      const external = sql<boolean>`neutron_subnet.network_id in (select id from neutron_network where external = 1)`;
      return values[0] ? external : sql<boolean>`not ${external}`;
    }
    if (field === 'cidr') {
      const texts = values.map((value) => {
        const cidr = parseCidr(String(value));
        return cidr ? networkText(cidr) : String(value);
      });
      return sql<boolean>`neutron_subnet.cidr in (${sql.join(texts)})`;
    }
    return undefined;
  },
};

export const insertSubnet = (tx: Tx, row: SubnetRow) => insertRow(tx, 'neutron_subnet', row);
export const findSubnet = (db: Db, id: string): Promise<SubnetRow | undefined> => findRow<SubnetRow>(db, 'neutron_subnet', { id });
export const updateSubnet = (tx: Tx, id: string, columns: Partial<SubnetRow>) => updateRows<SubnetRow>(tx, 'neutron_subnet', columns, { id });
export const deleteSubnetRow = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_subnet').where('id', '=', id).execute();
export const subnetsByIds = (db: Db, ids: readonly string[]): Promise<SubnetRow[]> => rowsAmong<SubnetRow>(db, 'neutron_subnet', 'id', ids, ['id']);

/** A network's subnets, oldest first. */
export const subnetsOfNetwork = (db: Db, networkId: string): Promise<SubnetRow[]> =>
  rowsAmong<SubnetRow>(db, 'neutron_subnet', 'network_id', [networkId], ['created_at_ms', 'id']);
export const fullSubnetsOfNetworks = (db: Db, networkIds: readonly string[]): Promise<SubnetRow[]> =>
  rowsAmong<SubnetRow>(db, 'neutron_subnet', 'network_id', networkIds, ['created_at_ms']);

export const cidrOfSubnet = (row: Pick<SubnetRow, 'cidr'>) => mustCidr(row.cidr);
