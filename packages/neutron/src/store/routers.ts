import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { sql } from 'kysely';
import { routerNotFound } from '../errors.ts';
import { type ListMaker } from './select.ts';
import type { NeutronTables, PortRow, RouterRow } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const routerLists: ListMaker<RouterRow> = {
  spec: {
    table: 'neutron_router',
    id: 'id',
    unknownMarker: (marker) => routerNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      name: 'name',
      tenant_id: 'project_id',
      project_id: 'project_id',
      flavor_id: { column: 'flavor_id', nullable: true },
      admin_state_up: { column: 'admin_state_up', type: 'boolean' },
      status: 'status',
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [sql<boolean>`neutron_router.project_id = ${projectId}`],
  special(_db, field, values) {
    if (field !== 'enable_ndp_proxy') return undefined;
    const is = sql`exists (select 1 from neutron_ndp_router n where n.id = neutron_router.id)`;
    const [yes, no] = [values.includes(true), values.some((value) => value !== true)];
    return yes && no ? sql<boolean>`1 = 1` : yes ? sql<boolean>`${is}` : sql<boolean>`not ${is}`;
  },
};

export const insertRouter = (tx: Tx, row: RouterRow) => tables(tx).insertInto('neutron_router').values(row).execute();
export const findRouter = (db: Db, id: string): Promise<RouterRow | undefined> =>
  tables(db).selectFrom('neutron_router').selectAll().where('id', '=', id).executeTakeFirst();
export const routersByIds = (db: Db, ids: readonly string[]): Promise<RouterRow[]> => rowsAmong<RouterRow>(db, 'neutron_router', 'id', ids, ['id']);
export const updateRouter = (tx: Tx, id: string, columns: Partial<RouterRow>) =>
  tables(tx).updateTable('neutron_router').set(columns).where('id', '=', id).execute();
export const deleteRouterRow = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_router').where('id', '=', id).execute();

const GATEWAY = 'network:router_gateway';

/** The ports of a router's gateways, oldest first. */
export const gatewayPortsOf = (db: Db, routerId: string): Promise<PortRow[]> =>
  tables(db)
    .selectFrom('neutron_port')
    .selectAll()
    .where('device_id', '=', routerId)
    .where('device_owner', '=', GATEWAY)
    .orderBy('created_at_ms')
    .orderBy('id')
    .execute();

/** The ports of gateways of routers, oldest first. */
export const gatewayPortsOfRouters = async (db: Db, routerIds: readonly string[]): Promise<PortRow[]> =>
  (await rowsAmong<PortRow>(db, 'neutron_port', 'device_id', routerIds, ['created_at_ms', 'id'])).filter((port) => port.device_owner === GATEWAY);

/** Routers whose first gateway is on a network. */
export const routersByGateway = (db: Db, networkId: string): Promise<RouterRow[]> =>
  tables(db).selectFrom('neutron_router').selectAll().where('gw_network_id', '=', networkId).orderBy('id').execute();

/** Routers with an interface on a subnet and a gateway on an external network. */
export async function routersServing(
  db: Db,
  networkId: string,
  subnetId: string,
  externalNetworkId: string,
  interfaceOwners: readonly string[],
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select r.id from neutron_port p
    join neutron_router r on r.id = p.device_id
    where p.network_id = ${networkId} and exists (select 1 from neutron_port g
        where g.device_id = p.device_id and g.device_owner = ${GATEWAY} and g.network_id = ${externalNetworkId})
      and p.device_owner in (${sql.join([...interfaceOwners])})
      and exists (select 1 from neutron_ip_allocation a where a.port_id = p.id and a.subnet_id = ${subnetId})
    order by r.id limit 2`.execute(db.kysely);
  return rows.map((row) => row.id);
}
