import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { AutoTopologyRow, NeutronTables } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const findTopology = (db: Db, projectId: string): Promise<AutoTopologyRow | undefined> =>
  tables(db).selectFrom('neutron_auto_topology').selectAll().where('project_id', '=', projectId).executeTakeFirst();
export const insertTopology = (tx: Tx, row: AutoTopologyRow) => tables(tx).insertInto('neutron_auto_topology').values(row).execute();
export const deleteTopology = (tx: Tx, projectId: string) => tables(tx).deleteFrom('neutron_auto_topology').where('project_id', '=', projectId).execute();
