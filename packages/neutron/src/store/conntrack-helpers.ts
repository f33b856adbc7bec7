import { rowsAmong } from '@cairn/kit/store/among';
import type { Db } from '@cairn/kit/store/store';
import { conntrackHelperNotFound } from '../errors-data-plane.ts';
import type { ListMaker } from './select.ts';
import type { ConntrackHelperRow } from './tables-data-plane.ts';

export const conntrackHelperLists: ListMaker<ConntrackHelperRow> = {
  spec: {
    table: 'neutron_conntrack_helper',
    id: 'id',
    unknownMarker: (marker) => conntrackHelperNotFound(String(marker)),
    columns: { id: 'id', protocol: 'protocol', port: { column: 'port', type: 'integer' }, helper: 'helper' },
  },
  visible: () => [],
};

export const helpersOfRouters = (db: Db, routerIds: readonly string[]): Promise<ConntrackHelperRow[]> =>
  rowsAmong<ConntrackHelperRow>(db, 'neutron_conntrack_helper', 'router_id', routerIds, ['id']);
