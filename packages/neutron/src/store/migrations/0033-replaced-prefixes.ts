import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** What a delegated prefix has replaced, and how long that is told. */
export async function replacedPrefixes(db: Kysely<any>, _engine: EngineName): Promise<void> {
  const table = () => db.schema.alterTable('neutron_delegated_prefix');
  await table()
    .addColumn('before_prefix', 'text', (c) => c.notNull().defaultTo(''))
    .execute();
  await table()
    .addColumn('before_until_ms', 'bigint', (c) => c.notNull().defaultTo(0))
    .execute();
}
