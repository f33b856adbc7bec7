import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** How a router uses several gateways. */
export async function routerWays(db: Kysely<any>, _engine: EngineName): Promise<void> {
  for (const column of ['default_route_ecmp', 'default_route_bfd'])
    await db.schema
      .alterTable('neutron_router')
      .addColumn(column, 'integer', (c) => c.notNull().defaultTo(0))
      .execute();
}
