import { rowsAmong } from '@cairn/kit/store/among';
import type { Db } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { localIpNotFound, localIpPortNotFound } from '../errors-data-plane.ts';
import type { ListMaker } from './select.ts';
import type { LocalIpPortRow, LocalIpRow } from './tables-data-plane.ts';

export const localIpLists: ListMaker<LocalIpRow> = {
  spec: {
    table: 'neutron_local_ip',
    id: 'id',
    unknownMarker: (marker) => localIpNotFound(String(marker)),
    columns: {
      id: 'id',
      name: 'name',
      description: { column: 'description', nullable: true },
      tenant_id: 'project_id',
      project_id: 'project_id',
      local_port_id: 'local_port_id',
      network_id: 'network_id',
      local_ip_address: 'local_ip_address',
      ip_mode: 'ip_mode',
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [sql<boolean>`neutron_local_ip.project_id = ${projectId}`],
};

export const localIpPortLists: ListMaker<LocalIpPortRow> = {
  spec: {
    table: 'neutron_local_ip_association',
    id: 'id',
    unknownMarker: (marker) => localIpPortNotFound('', String(marker)),
    columns: { id: 'id', fixed_port_id: 'fixed_port_id', fixed_ip: 'fixed_ip', local_ip_address: 'local_ip_address' },
  },
  visible: () => [],
  special(_db, field, values) {
    if (field !== 'host') return undefined;
    const hosts = sql.join(values.map(String));
    return sql<boolean>`exists (select 1 from neutron_port p where p.id = neutron_local_ip_association.fixed_port_id and p.binding_host in (${hosts}))`;
  },
};

export const localIpsOfPorts = (db: Db, portIds: readonly string[]): Promise<LocalIpRow[]> =>
  rowsAmong<LocalIpRow>(db, 'neutron_local_ip', 'local_port_id', portIds, ['id']);
/** The associations of a local IP. */
export const portsOfLocalIp = (db: Db, localIpId: string): Promise<LocalIpPortRow[]> =>
  rowsAmong<LocalIpPortRow>(db, 'neutron_local_ip_association', 'local_ip_id', [localIpId], ['id']);
/** The associations of ports. */
export const associationsOfPorts = (db: Db, portIds: readonly string[]): Promise<LocalIpPortRow[]> =>
  rowsAmong<LocalIpPortRow>(db, 'neutron_local_ip_association', 'fixed_port_id', portIds, ['id']);
