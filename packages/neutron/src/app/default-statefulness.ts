import type { Db } from '@cairn/kit/store/store';
import { toBit } from '@cairn/kit/store/values';
import { statefulnessExists, statefulnessNotFound } from '../errors.ts';
import { DEFAULT_STATEFULNESS } from '../resources/default-statefulness.ts';
import { statefulnessFor, statefulnessLists } from '../store/default-statefulness.ts';
import type { DefaultStatefulnessRow } from '../store/tables.ts';
import { type Kind, sameNamed, verbsOf } from './kinds.ts';

const KIND: Kind<DefaultStatefulnessRow> = {
  resource: DEFAULT_STATEFULNESS,
  lists: statefulnessLists,
  notFound: statefulnessNotFound,
  views: (_app, _db, rows) =>
    rows.map((row) => {
      const project = row.project_id === '' ? null : row.project_id;
      return { view: { id: row.id, project_id: project, tenant_id: project, stateful: row.stateful === 1 } };
    }),
  async create({ app, tx }, values) {
    const projectId = String(values.project_id ?? '');
    const there = (await statefulnessFor(tx, projectId)).some((row) => row.project_id === projectId);
    if (there) throw statefulnessExists(projectId || 'system-wide');
    return { id: app.env.ids.uuid(), project_id: projectId, stateful: toBit(values.stateful === true) };
  },
  update: (_work, _row, values) => sameNamed<DefaultStatefulnessRow>(values, [], ['stateful']),
};

export const statefulnessVerbs = verbsOf(KIND);

/** Is a new group of the project stateful where its maker does not say? The project's own setting, else that of all, else yes. */
export async function isStatefulByDefault(db: Db, projectId: string): Promise<boolean> {
  const rows = await statefulnessFor(db, projectId);
  const row = rows.find((each) => each.project_id === projectId) ?? rows[0];
  return row === undefined || row.stateful === 1;
}
