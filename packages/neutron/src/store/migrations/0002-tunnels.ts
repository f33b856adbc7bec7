import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** Where tunnels to a host end; empty for a host that has none. */
export async function tunnels(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await db.schema
    .alterTable('neutron_agent')
    .addColumn('tunnel_ip', 'text', (column) => column.notNull().defaultTo(''))
    .execute();
}
