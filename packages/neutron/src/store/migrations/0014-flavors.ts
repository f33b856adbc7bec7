import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeIndex, makeTable } from './make-table.ts';

/** Flavors of routers, with the profiles that say how they are done. */
export async function flavors(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_flavor', { id: 'text', name: 'text', description: 'text?', service_type: 'text', enabled: 'integer' });
  await makeTable(db, 'neutron_service_profile', { id: 'text', description: 'text?', driver: 'text', metainfo: 'text', enabled: 'integer' });
  await makeTable(db, 'neutron_flavor_profile', { flavor_id: 'text', service_profile_id: 'text', tied_at_ms: 'bigint' }, ['flavor_id', 'service_profile_id']);
  await makeIndex(db, 'neutron_flavor_profile_profile', 'neutron_flavor_profile', ['service_profile_id', 'flavor_id']);
  await db.schema.alterTable('neutron_router').addColumn('flavor_id', 'text').execute();
  await makeIndex(db, 'neutron_router_flavor', 'neutron_router', ['flavor_id']);
}
