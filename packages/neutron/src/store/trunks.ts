import { rowsAmong } from '@cairn/kit/store/among';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { trunkNotFound } from '../errors.ts';
import { among, type ListMaker } from './select.ts';
import type { NeutronTables, PortRow, SubportRow, TrunkRow } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const trunkLists: ListMaker<TrunkRow> = {
  spec: {
    table: 'neutron_trunk',
    id: 'id',
    unknownMarker: (marker) => trunkNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      port_id: 'port_id',
      status: 'status',
      admin_state_up: { column: 'admin_state_up', type: 'boolean' },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [sql<boolean>`neutron_trunk.project_id = ${projectId}`],
};

export const subportsOfTrunks = (db: Db, trunkIds: readonly string[]): Promise<SubportRow[]> =>
  rowsAmong<SubportRow>(db, 'neutron_subport', 'trunk_id', trunkIds, ['segmentation_id', 'port_id']);
export const subportsByPorts = (db: Db, portIds: readonly string[]): Promise<SubportRow[]> =>
  rowsAmong<SubportRow>(db, 'neutron_subport', 'port_id', portIds, ['port_id']);
export const insertSubport = (tx: Tx, row: SubportRow) => tables(tx).insertInto('neutron_subport').values(row).execute();
export const deleteSubports = (tx: Tx, portIds: readonly string[]) =>
  sql`delete from neutron_subport where ${among(tx, sql.ref('port_id'), portIds)}`.execute(tx.kysely);

/** Has sub-ports where their parent is: bound to its host, plugged as it is, and down until a host says otherwise. */
export async function moveSubports(tx: Tx, parent: Pick<PortRow, 'id' | 'binding_host' | 'coming_host' | 'binding_vif_type'>): Promise<PortRow[]> {
  const { rows } = await sql<PortRow>`
    update neutron_port set binding_host = ${parent.binding_host}, coming_host = ${parent.coming_host}, binding_vif_type = ${parent.binding_vif_type},
      status = case when binding_host = ${parent.binding_host} then status else 'DOWN' end
    where id in (select port_id from neutron_subport where parent_port_id = ${parent.id}) returning *`.execute(tx.kysely);
  return rows;
}

/** Makes ports the sub-ports that they are, or (without a parent) plain ports again. */
export async function tieSubports(tx: Tx, portIds: readonly string[], parent: PortRow | undefined): Promise<void> {
  await sql`update neutron_port set device_owner = ${parent ? 'trunk:subport' : ''}, binding_host = ${parent?.binding_host ?? ''}, coming_host = ${parent?.coming_host ?? ''},
    binding_vif_type = ${parent?.binding_vif_type ?? 'unbound'}, status = 'DOWN', revision_number = revision_number + 1
    where ${among(tx, sql.ref('id'), portIds)}`.execute(tx.kysely);
}

export const setTrunkStatus = (tx: Tx, trunkId: string, status: string) =>
  sql`update neutron_trunk set status = ${status} where id = ${trunkId} and status <> ${status}`.execute(tx.kysely);

/** The trunks of ports that came up, as parents or sub-ports, are at work. */
export async function activateTrunks(tx: Tx, ports: readonly PortRow[]): Promise<void> {
  const subports = ports.filter((port) => port.device_owner === 'trunk:subport').map((port) => port.id);
  const own = ports.flatMap((port) => port.trunk_id ?? []);
  const ofSubports = subports.length > 0 ? (await subportsByPorts(tx, subports)).map((subport) => subport.trunk_id) : [];
  for (const id of new Set([...own, ...ofSubports])) await setTrunkStatus(tx, id, 'ACTIVE');
}
