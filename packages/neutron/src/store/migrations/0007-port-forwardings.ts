import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeIndex, makeTable } from './make-table.ts';

/** Ports of floating IPs that lead to ports of servers. */
export async function portForwardings(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_port_forwarding', {
    id: 'text',
    floatingip_id: 'text',
    internal_port_id: 'text',
    internal_ip_address: 'text',
    protocol: 'text',
    external_first: 'integer',
    external_last: 'integer',
    internal_first: 'integer',
    internal_last: 'integer',
    description: 'text',
  });
  await makeIndex(db, 'neutron_port_forwarding_floatingip', 'neutron_port_forwarding', ['floatingip_id', 'id']);
  await makeIndex(db, 'neutron_port_forwarding_port', 'neutron_port_forwarding', ['internal_port_id']);
}
