import type { EngineName } from '@cairn/kit/store/store';
import { type Kysely, sql } from 'kysely';

/** What few rules and subnets have is found by indexes of those few alone: each index more is a page more to write for every row. */
export async function sparseIndexes(db: Kysely<any>, _engine: EngineName): Promise<void> {
  for (const [name, table, columns] of [
    ['neutron_security_group_rule_remote', 'neutron_security_group_rule', ['remote_group_id']],
    ['neutron_security_group_rule_addresses', 'neutron_security_group_rule', ['remote_address_group_id']],
    ['neutron_subnet_pool', 'neutron_subnet', ['subnetpool_id', 'first_key']],
    ['neutron_subnet_segment', 'neutron_subnet', ['segment_id']],
  ] as const) {
    await db.schema.dropIndex(name).execute();
    await db.schema
      .createIndex(name)
      .on(table)
      .columns([...columns])
      .where(sql.ref(columns[0]), 'is not', null)
      .execute();
  }
}
