import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { sql } from 'kysely';
import { addressGroupNotFound } from '../errors.ts';
import { sharedIds } from './rbac.ts';
import type { ListMaker } from './select.ts';
import type { AddressGroupRow, NeutronTables } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const addressGroupLists: ListMaker<AddressGroupRow> = {
  spec: {
    table: 'neutron_address_group',
    id: 'id',
    unknownMarker: (marker) => addressGroupNotFound(String(marker)),
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [
    sql<boolean>`neutron_address_group.project_id = ${projectId}`,
    sql<boolean>`(neutron_address_group.id in ${sharedIds('address_group', projectId)} and neutron_address_group.project_id <> ${projectId})`,
  ],
};

export const insertAddressGroup = (tx: Tx, row: AddressGroupRow) => tables(tx).insertInto('neutron_address_group').values(row).execute();
export const updateAddressGroup = (tx: Tx, id: string, columns: Partial<AddressGroupRow>) =>
  tables(tx).updateTable('neutron_address_group').set(columns).where('id', '=', id).execute();
export const deleteAddressGroup = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_address_group').where('id', '=', id).execute();
export const addressGroupsByIds = (db: Db, ids: readonly string[]): Promise<AddressGroupRow[]> =>
  rowsAmong<AddressGroupRow>(db, 'neutron_address_group', 'id', ids, ['id']);

/** The security groups with rules that name an address group. */
export async function groupsNamingAddresses(db: Db, id: string): Promise<string[]> {
  const rows = await tables(db)
    .selectFrom('neutron_security_group_rule')
    .select('security_group_id')
    .distinct()
    .where('remote_address_group_id', '=', id)
    .execute();
  return rows.map((row) => row.security_group_id);
}
