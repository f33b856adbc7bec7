import { rowsAmong } from '@cairn/kit/store/among';
import type { Db } from '@cairn/kit/store/store';
import { portForwardingNotFound } from '../errors.ts';
import type { ListMaker } from './select.ts';
import type { PortForwardingRow } from './tables.ts';

export const portForwardingLists: ListMaker<PortForwardingRow> = {
  spec: {
    table: 'neutron_port_forwarding',
    id: 'id',
    unknownMarker: (marker) => portForwardingNotFound(String(marker)),
    columns: {
      id: 'id',
      protocol: 'protocol',
      internal_port_id: 'internal_port_id',
      external_port: { column: 'external_first', type: 'integer' },
      external_port_range: { column: 'external_first', type: 'integer' },
      description: 'description',
    },
  },
  visible: () => [],
};

export const forwardingsOfFloatingIps = (db: Db, ids: readonly string[]): Promise<PortForwardingRow[]> =>
  rowsAmong<PortForwardingRow>(db, 'neutron_port_forwarding', 'floatingip_id', ids, ['id']);
export const forwardingsToPorts = (db: Db, portIds: readonly string[]): Promise<PortForwardingRow[]> =>
  rowsAmong<PortForwardingRow>(db, 'neutron_port_forwarding', 'internal_port_id', portIds, ['id']);
