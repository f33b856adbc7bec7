import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** Which router answers for an address is looked up by the address, when a path is explained. */
export async function proxiedAddresses(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await db.schema.createIndex('neutron_ndp_proxy_ip').on('neutron_ndp_proxy').columns(['ip_address']).execute();
}
