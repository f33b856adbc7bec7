import type { Kysely } from 'kysely';
import type { EngineName } from '@cairn/kit/store/store';
import { index } from './build.ts';

/** Access rules are told in the order they were made in. */
export async function accessRuleOrder(db: Kysely<unknown>, _engine: EngineName): Promise<void> {
  await db.schema
    .alterTable('keystone_access_rule')
    .addColumn('sequence', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
  await index(db, 'keystone_access_rule', ['user_id', 'sequence', 'id']);
}
