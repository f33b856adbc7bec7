import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeTable } from './make-table.ts';

/** Topologies that were made for projects, further bindings of ports, and networks and routers that were taken off their agents. */
export async function schedulers(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_auto_topology', { project_id: 'text', network_id: 'text', router_id: 'text' }, ['project_id']);
  await makeTable(db, 'neutron_port_binding', { port_id: 'text', host: 'text', vnic_type: 'text', vif_type: 'text', profile_json: 'text' }, [
    'port_id',
    'host',
  ]);
  await db.schema
    .alterTable('neutron_network')
    .addColumn('dhcp_away', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await db.schema
    .alterTable('neutron_router')
    .addColumn('l3_away', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
}
