import { type Db, on } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { statefulnessNotFound } from '../errors.ts';
import type { ListMaker } from './select.ts';
import type { DefaultStatefulnessRow, NeutronTables } from './tables.ts';

const tables = (db: Db) => on<NeutronTables>(db);

export const statefulnessLists: ListMaker<DefaultStatefulnessRow> = {
  spec: {
    table: 'neutron_default_statefulness',
    id: 'id',
    unknownMarker: (marker) => statefulnessNotFound(String(marker)),
    columns: { id: 'id', tenant_id: 'project_id', project_id: 'project_id', stateful: { column: 'stateful', type: 'boolean' } },
  },
  visible: (_db, projectId) => [sql<boolean>`neutron_default_statefulness.project_id = ${projectId}`],
};

/** The settings of a project and of all projects (whose project is empty). */
export const statefulnessFor = (db: Db, projectId: string): Promise<DefaultStatefulnessRow[]> =>
  tables(db).selectFrom('neutron_default_statefulness').selectAll().where('project_id', 'in', [projectId, '']).execute();
