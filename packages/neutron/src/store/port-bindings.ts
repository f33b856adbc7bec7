import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { NeutronTables, PortBindingRow } from './tables.ts';

/** Bindings of ports beside the one that is at work, which is the port's own row. */
const tables = (db: Db) => on<NeutronTables>(db);

export const bindingsOfPort = (db: Db, portId: string): Promise<PortBindingRow[]> =>
  tables(db).selectFrom('neutron_port_binding').selectAll().where('port_id', '=', portId).orderBy('host').execute();
export const insertBinding = (tx: Tx, row: PortBindingRow) => tables(tx).insertInto('neutron_port_binding').values(row).execute();
export const deleteBinding = (tx: Tx, portId: string, host: string) =>
  tables(tx).deleteFrom('neutron_port_binding').where('port_id', '=', portId).where('host', '=', host).execute();
export const updateBinding = (tx: Tx, portId: string, host: string, columns: Partial<PortBindingRow>) =>
  tables(tx).updateTable('neutron_port_binding').set(columns).where('port_id', '=', portId).where('host', '=', host).execute();
