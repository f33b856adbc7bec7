import { type Db, on } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';

/** Limits set by an operator, strongest first: the user's in the project, the project's, the class `default`'s. */
export interface StoredLimits {
  readonly user: Readonly<Record<string, number>>;
  readonly project: Readonly<Record<string, number>>;
  readonly defaultClass: Readonly<Record<string, number>>;
}

/** The limits that bear on a user of a project; -1 is unlimited. */
export async function storedLimits(db: Db, projectId: string, userId: string): Promise<StoredLimits> {
  const nova = on<NovaTables>(db);
  const rows = await nova
    .selectFrom('nova_quota')
    .select(['user_id as owner', 'resource', 'hard_limit'])
    .where('project_id', '=', projectId)
    .where('user_id', 'in', ['', userId])
    .unionAll(nova.selectFrom('nova_quota_class').select(['class_name as owner', 'resource', 'hard_limit']).where('class_name', '=', 'default'))
    .execute();
  const user: Record<string, number> = {};
  const project: Record<string, number> = {};
  const defaultClass: Record<string, number> = {};
  for (const row of rows) {
    const into = row.owner === '' ? project : row.owner === userId ? user : defaultClass;
    into[row.resource] = row.hard_limit;
  }
  return { user, project, defaultClass };
}
