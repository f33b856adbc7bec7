import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeIndex, makeTable, makeUniqueIndex, STANDARD } from './make-table.ts';

/** IPv6 addresses inside that routers answer for outside, and the routers that may. */
export async function ndpProxies(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_ndp_proxy', { ...STANDARD, name: 'text', router_id: 'text', port_id: 'text', ip_address: 'text' });
  await makeUniqueIndex(db, 'neutron_ndp_proxy_router', 'neutron_ndp_proxy', ['router_id', 'ip_address']);
  await makeIndex(db, 'neutron_ndp_proxy_port', 'neutron_ndp_proxy', ['port_id']);
  await makeIndex(db, 'neutron_ndp_proxy_project', 'neutron_ndp_proxy', ['project_id', 'id']);
  await makeTable(db, 'neutron_ndp_router', { id: 'text' });
}
