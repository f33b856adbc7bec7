import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** The host whose DHCP agent a network was given to by hand: it is that agent's before it has any subnet. */
export async function dhcpHost(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await db.schema.alterTable('neutron_network').addColumn('dhcp_host', 'text').execute();
  await db.schema.createIndex('neutron_network_dhcp_host').on('neutron_network').columns(['dhcp_host']).execute();
}
