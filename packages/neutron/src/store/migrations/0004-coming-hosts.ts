import type { EngineName } from '@cairn/kit/store/store';
import { type Kysely, sql } from 'kysely';

/** The host that a port's server is on its way to while it runs: the port is plugged there as well. */
export async function comingHosts(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await db.schema
    .alterTable('neutron_port')
    .addColumn('coming_host', 'text', (column) => column.notNull().defaultTo(''))
    .execute();
  await sql`create index neutron_port_coming on neutron_port (coming_host, id) where coming_host <> ''`.execute(db);
}
