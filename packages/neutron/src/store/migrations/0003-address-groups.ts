import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** Address groups, and the rules of security groups that name them. */
export async function addressGroups(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await db.schema
    .createTable('neutron_address_group')
    .addColumn('id', 'text', (column) => column.primaryKey())
    .addColumn('project_id', 'text', (column) => column.notNull())
    .addColumn('description', 'text')
    .addColumn('created_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('updated_at_ms', 'bigint', (column) => column.notNull())
    .addColumn('revision_number', 'integer', (column) => column.notNull())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('addresses_json', 'text', (column) => column.notNull())
    .execute();
  await db.schema.createIndex('neutron_address_group_project').on('neutron_address_group').columns(['project_id', 'id']).execute();
  await db.schema.alterTable('neutron_security_group_rule').addColumn('remote_address_group_id', 'text').execute();
  await db.schema.createIndex('neutron_security_group_rule_addresses').on('neutron_security_group_rule').column('remote_address_group_id').execute();
}
