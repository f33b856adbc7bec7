import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { rowsAmong } from '@cairn/kit/store/among';
import { sql } from 'kysely';
import { floatingIpNotFound } from '../errors.ts';
import type { ListMaker } from './select.ts';
import { hostsOfRouters } from './service-hosts.ts';
import type { FloatingIpRow, NeutronTables } from './tables.ts';
import { TAGS } from './tags.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const floatingIpLists: ListMaker<FloatingIpRow> = {
  spec: {
    table: 'neutron_floatingip',
    id: 'id',
    unknownMarker: (marker) => floatingIpNotFound(String(marker)),
    tags: TAGS,
    columns: {
      id: 'id',
      tenant_id: 'project_id',
      project_id: 'project_id',
      floating_ip_address: 'floating_ip_address',
      floating_network_id: 'floating_network_id',
      router_id: { column: 'router_id', nullable: true },
      port_id: { column: 'fixed_port_id', nullable: true },
      fixed_ip_address: { column: 'fixed_ip_address', nullable: true },
      status: 'status',
      qos_policy_id: { column: 'qos_policy_id', nullable: true },
      description: { column: 'description', nullable: true },
      revision_number: { column: 'revision_number', type: 'integer' },
    },
  },
  visible: (_db, projectId) => [sql<boolean>`neutron_floatingip.project_id = ${projectId}`],
};

export const insertFloatingIp = (tx: Tx, row: FloatingIpRow) => tables(tx).insertInto('neutron_floatingip').values(row).execute();
export const findFloatingIp = (db: Db, id: string): Promise<FloatingIpRow | undefined> =>
  tables(db).selectFrom('neutron_floatingip').selectAll().where('id', '=', id).executeTakeFirst();
export const updateFloatingIp = (tx: Tx, id: string, columns: Partial<FloatingIpRow>) =>
  tables(tx).updateTable('neutron_floatingip').set(columns).where('id', '=', id).execute();
export const deleteFloatingIpRow = (tx: Tx, id: string) => tables(tx).deleteFrom('neutron_floatingip').where('id', '=', id).execute();

export const floatingIpsOfPorts = (db: Db, portIds: readonly string[]): Promise<FloatingIpRow[]> =>
  rowsAmong<FloatingIpRow>(db, 'neutron_floatingip', 'fixed_port_id', portIds, ['id']);
export const floatingIpsOfRouters = (db: Db, routerIds: readonly string[]): Promise<FloatingIpRow[]> =>
  rowsAmong<FloatingIpRow>(db, 'neutron_floatingip', 'router_id', routerIds, ['id']);

export const routerHasFloatingIps = async (db: Db, routerId: string): Promise<boolean> =>
  (await tables(db).selectFrom('neutron_floatingip').select('id').where('router_id', '=', routerId).limit(1).executeTakeFirst()) !== undefined;

/** Does a router serve floating IPs of a network? */
export const routerUsesNetworkForFloating = async (db: Db, routerId: string, networkId: string): Promise<boolean> =>
  (await floatingIpsOfRouters(db, [routerId])).some((row) => row.floating_network_id === networkId);

/** Floating IPs of a network that no port uses. */
export const disassociatedOf = (db: Db, networkId: string): Promise<FloatingIpRow[]> =>
  tables(db)
    .selectFrom('neutron_floatingip')
    .selectAll()
    .where('floating_network_id', '=', networkId)
    .where('fixed_port_id', 'is', null)
    .orderBy('id')
    .execute();

/** The floating IP, on one external network, of one address of a port. */
export const floatingIpOf = (db: Db, portId: string, fixedIp: string, networkId: string): Promise<FloatingIpRow | undefined> =>
  tables(db)
    .selectFrom('neutron_floatingip')
    .selectAll()
    .where('fixed_port_id', '=', portId)
    .where('fixed_ip_address', '=', fixedIp)
    .where('floating_network_id', '=', networkId)
    .executeTakeFirst();

/** Floating IPs of routers that work on a host are up, but for those that have another home (`homes`, by id); gives those that were not. */
export async function activateFloatingIps(
  tx: Tx,
  routerIds: readonly string[],
  host: string,
  homes: ReadonlyMap<string, string>,
  nowMs: number,
): Promise<FloatingIpRow[]> {
  const here = new Set((await hostsOfRouters(tx, routerIds)).filter((row) => row.host === host && row.active === 1).map((row) => row.router_id));
  return setStatus(
    tx,
    (await floatingIpsOfRouters(tx, routerIds)).filter((row) => (homes.has(row.id) ? homes.get(row.id) === host : here.has(row.router_id ?? ''))),
    'ACTIVE',
    nowMs,
  );
}

/** The floating IPs of a router that works nowhere are down, but for those that have a home of their own (`homes`, by id). */
export const deactivateFloatingIps = async (tx: Tx, routerId: string, homes: ReadonlyMap<string, string>, nowMs: number): Promise<FloatingIpRow[]> =>
  setStatus(
    tx,
    (await floatingIpsOfRouters(tx, [routerId])).filter((row) => !homes.has(row.id)),
    'DOWN',
    nowMs,
  );

async function setStatus(tx: Tx, rows: readonly FloatingIpRow[], status: 'ACTIVE' | 'DOWN', nowMs: number): Promise<FloatingIpRow[]> {
  const differing = rows.filter((row) => row.status !== status);
  for (const row of differing) {
    await updateFloatingIp(tx, row.id, { status, updated_at_ms: nowMs, revision_number: row.revision_number + 1 });
    row.status = status;
    row.updated_at_ms = nowMs;
    row.revision_number += 1;
  }
  return differing;
}
