import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeIndex, makeTable, STANDARD } from './make-table.ts';

/** Who wants to know what security groups let through and drop. */
export async function logs(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_log', {
    ...STANDARD,
    name: 'text',
    resource_type: 'text',
    resource_id: 'text?',
    event: 'text',
    target_id: 'text?',
    enabled: 'integer',
  });
  for (const column of ['project_id', 'resource_id', 'target_id', 'enabled']) await makeIndex(db, `neutron_log_${column}`, 'neutron_log', [column, 'id']);
}
