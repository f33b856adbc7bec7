import type { EngineName } from '@cairn/kit/store/store';
import { type Kysely, sql } from 'kysely';
import { makeIndex, makeTable } from './make-table.ts';

/** Which hosts' agents have which routers and which networks' DHCP. What was served goes on where its ports are. */
export async function serviceHosts(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_router_host', { router_id: 'text', host: 'text', active: 'integer' }, ['router_id', 'host']);
  await makeIndex(db, 'neutron_router_host_host', 'neutron_router_host', ['host', 'router_id']);
  await makeTable(db, 'neutron_dhcp_host', { network_id: 'text', host: 'text' }, ['network_id', 'host']);
  await makeIndex(db, 'neutron_dhcp_host_host', 'neutron_dhcp_host', ['host', 'network_id']);
  await sql`insert into neutron_router_host (router_id, host, active)
    select p.device_id, min(p.binding_host), 1 from neutron_port p join neutron_router r on r.id = p.device_id
    where p.binding_host <> '' and r.l3_away = 0 group by p.device_id`.execute(db);
  await sql`insert into neutron_dhcp_host (network_id, host)
    select p.network_id, p.binding_host from neutron_port p join neutron_network n on n.id = p.network_id
    where p.device_owner = 'network:dhcp' and p.binding_host <> '' and n.dhcp_away = 0
    union select id, dhcp_host from neutron_network where dhcp_host is not null and dhcp_away = 0`.execute(db);
  await db.schema.dropIndex('neutron_network_dhcp_host').execute();
  await db.schema.alterTable('neutron_network').dropColumn('dhcp_host').execute();
}
