import type { Db } from '@cairn/kit/store/store';
import { among } from '@cairn/kit/store/among';
import { findRow } from '@cairn/kit/store/rows';
import { sql } from 'kysely';
import { ROUTER_INTERFACE_OWNERS } from './ports.ts';

/** Where distributed routers have parts: on the hosts of the guests of their networks (docs/design/0026-distributed-routers.md). */

const OWNERS = [...ROUTER_INTERFACE_OWNERS, 'network:router_gateway'];
const INTERFACES = sql.join([...ROUTER_INTERFACE_OWNERS]);
const IS_GUEST = sql`(p.device_owner like 'compute:%' or p.device_owner = 'trunk:subport')`;
const IS_DISTRIBUTED = sql`r.distributed = 1 and r.l3_away = 0`;

/** By distributed router, the hosts that have guests on its networks, or guests on their way. Other routers are left out, and so are those without guests. */
export async function guestHostsOfRouters(db: Db, routerIds: readonly string[]): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const hosts = new Map<string, Set<string>>();
  if (routerIds.length === 0) return hosts;
  for (const column of ['p.binding_host', 'p.coming_host']) {
    const { rows } = await sql<{ router_id: string; host: string }>`
      select distinct i.device_id as router_id, ${sql.ref(column)} as host
      from neutron_router r join neutron_port i on i.device_id = r.id join neutron_port p on p.network_id = i.network_id
      where ${among(db, 'r.id', routerIds)} and ${IS_DISTRIBUTED} and i.device_owner in (${INTERFACES}) and ${sql.ref(column)} <> '' and ${IS_GUEST}`.execute(
      db.kysely,
    );
    for (const { router_id, host } of rows) hosts.set(router_id, (hosts.get(router_id) ?? new Set()).add(host));
  }
  return hosts;
}

/** A network that a distributed router is on. */
export interface DistributedOn {
  readonly router_id: string;
  readonly network_id: string;
  readonly device_owner: string;
}

/** The distributed routers that are on these networks, inside or by a gateway. */
export async function distributedOnNetworks(db: Db, networkIds: readonly string[]): Promise<DistributedOn[]> {
  if (networkIds.length === 0) return [];
  // most networks that change are on no router
  if ((await findRow(db, 'neutron_port', { network_id: networkIds, device_owner: OWNERS }, { columns: ['id'] })) === undefined) return [];
  const { rows } = await sql<DistributedOn>`
    select i.device_id as router_id, i.network_id, i.device_owner from neutron_port i join neutron_router r on r.id = i.device_id
    where ${among(db, 'i.network_id', networkIds)} and i.device_owner in (${sql.join(OWNERS)}) and ${IS_DISTRIBUTED}`.execute(db.kysely);
  return rows;
}

/** The distributed routers with guests on a host. */
export async function distributedOfHost(db: Db, host: string): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select distinct r.id from neutron_port p join neutron_port i on i.network_id = p.network_id join neutron_router r on r.id = i.device_id
    where (p.binding_host = ${host} or (p.coming_host = ${host} and p.coming_host <> '')) and ${IS_GUEST}
      and i.device_owner in (${INTERFACES}) and ${IS_DISTRIBUTED}`.execute(db.kysely);
  return rows.map((row) => row.id);
}

/** By network, the hosts of parts of routers: those that are on it inside, and those that lead outside by it. */
export async function partHostsOfNetworks(
  db: Db,
  networkIds: readonly string[],
): Promise<{ readonly inside: ReadonlyMap<string, ReadonlySet<string>>; readonly outside: ReadonlyMap<string, ReadonlySet<string>> }> {
  const inside = new Map<string, Set<string>>();
  const outside = new Map<string, Set<string>>();
  const on = await distributedOnNetworks(db, networkIds);
  const guests = await guestHostsOfRouters(db, [...new Set(on.map((row) => row.router_id))]);
  for (const { router_id, network_id, device_owner } of on) {
    const side = device_owner === 'network:router_gateway' ? outside : inside;
    side.set(network_id, new Set([...(side.get(network_id) ?? []), ...(guests.get(router_id) ?? [])]));
  }
  return { inside, outside };
}
