import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** Whether a port's interface is trusted; null where nobody has said. */
export async function trustedPorts(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await db.schema.alterTable('neutron_port').addColumn('trusted', 'integer').execute();
}
