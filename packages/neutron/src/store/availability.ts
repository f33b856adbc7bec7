import { sql } from 'kysely';
import { networkNotFound, subnetNotFound } from '../errors.ts';
import type { ListMaker } from './select.ts';
import type { NetworkRow, SubnetRow } from './tables.ts';

/** Networks by the names that network-ip-availabilities has for their columns. */
export const availabilityLists: ListMaker<NetworkRow> = {
  spec: {
    table: 'neutron_network',
    id: 'id',
    unknownMarker: (marker) => networkNotFound(String(marker)),
    columns: { network_id: 'id', network_name: 'name', tenant_id: 'project_id', project_id: 'project_id' },
  },
  visible: () => [],
  special(_db, field, values) {
    if (field !== 'ip_version') return undefined;
    return sql`neutron_network.id in (select network_id from neutron_subnet where ip_version in (${sql.join(values.map(Number))}))`;
  },
};

/** Subnets of external networks by the names that floatingip_pools has for their columns. */
export const floatingIpPoolLists: ListMaker<SubnetRow> = {
  spec: {
    table: 'neutron_subnet',
    id: 'id',
    unknownMarker: (marker) => subnetNotFound(String(marker)),
    columns: { subnet_id: 'id', subnet_name: 'name', network_id: 'network_id', cidr: 'cidr' },
  },
  always: sql<boolean>`neutron_subnet.ip_version = 4 and neutron_subnet.network_id in (select id from neutron_network where external = 1)`,
  visible: () => [],
};
