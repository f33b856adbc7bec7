import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { makeTable, makeUniqueIndex } from './make-table.ts';

/** Whether new security groups of a project are stateful. The project is empty for all that have no say of their own. */
export async function defaultStatefulness(db: Kysely<any>, _engine: EngineName): Promise<void> {
  await makeTable(db, 'neutron_default_statefulness', { id: 'text', project_id: 'text', stateful: 'integer' });
  await makeUniqueIndex(db, 'neutron_default_statefulness_project', 'neutron_default_statefulness', ['project_id']);
}
