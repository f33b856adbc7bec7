import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeIndex, makeTable, STANDARD } from './make-table.ts';

/** Addresses that each host leads to a port of its own, and those ports. */
export async function localIps(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_local_ip', {
    ...STANDARD,
    name: 'text',
    local_port_id: 'text',
    network_id: 'text',
    local_ip_address: 'text',
    ip_mode: 'text',
  });
  await makeIndex(db, 'neutron_local_ip_project', 'neutron_local_ip', ['project_id', 'id']);
  await makeIndex(db, 'neutron_local_ip_local_port', 'neutron_local_ip', ['local_port_id']);
  await makeTable(db, 'neutron_local_ip_association', { id: 'text', local_ip_id: 'text', local_ip_address: 'text', fixed_port_id: 'text', fixed_ip: 'text' });
  await makeIndex(db, 'neutron_local_ip_association_local_ip', 'neutron_local_ip_association', ['local_ip_id', 'id']);
  await makeIndex(db, 'neutron_local_ip_association_port', 'neutron_local_ip_association', ['fixed_port_id']);
}
