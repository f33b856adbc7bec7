import { prepared } from '@cairn/kit/store/prepared';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CinderTables } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

/** A limit that an operator set; typeId '' for all types. */
export interface StoredLimit {
  readonly resource: string;
  readonly typeId: string;
  readonly limit: number;
}

type LimitColumns = Pick<CinderTables['cinder_quota'], 'resource' | 'type_id' | 'hard_limit'>;
const limitsOfProject = prepared<CinderTables, { projectId: string }, LimitColumns>((db, place) =>
  db.selectFrom('cinder_quota').select(['resource', 'type_id', 'hard_limit']).where('project_id', '=', place('projectId')),
);
const limitsOfClass = prepared<CinderTables, { className: string }, LimitColumns>((db, place) =>
  db.selectFrom('cinder_quota_class').select(['resource', 'type_id', 'hard_limit']).where('class_name', '=', place('className')),
);

export async function projectLimits(db: Db, projectId: string): Promise<StoredLimit[]> {
  const { rows } = await limitsOfProject(db, { projectId });
  return rows.map((row) => ({ resource: row.resource, typeId: row.type_id, limit: row.hard_limit }));
}

export async function classLimits(db: Db, className: string): Promise<StoredLimit[]> {
  const { rows } = await limitsOfClass(db, { className });
  return rows.map((row) => ({ resource: row.resource, typeId: row.type_id, limit: row.hard_limit }));
}

export async function setProjectLimit(tx: Tx, projectId: string, set: StoredLimit): Promise<void> {
  await q(tx)
    .insertInto('cinder_quota')
    .values({ project_id: projectId, resource: set.resource, type_id: set.typeId, hard_limit: set.limit })
    .onConflict((c) => c.columns(['project_id', 'resource', 'type_id']).doUpdateSet({ hard_limit: set.limit }))
    .execute();
}

export async function setClassLimit(tx: Tx, className: string, set: StoredLimit): Promise<void> {
  await q(tx)
    .insertInto('cinder_quota_class')
    .values({ class_name: className, resource: set.resource, type_id: set.typeId, hard_limit: set.limit })
    .onConflict((c) => c.columns(['class_name', 'resource', 'type_id']).doUpdateSet({ hard_limit: set.limit }))
    .execute();
}

export async function deleteProjectLimits(tx: Tx, projectId: string): Promise<void> {
  await q(tx).deleteFrom('cinder_quota').where('project_id', '=', projectId).execute();
}

export async function deleteLimitsOfType(tx: Tx, typeId: string): Promise<void> {
  await q(tx).deleteFrom('cinder_quota').where('type_id', '=', typeId).execute();
  await q(tx).deleteFrom('cinder_quota_class').where('type_id', '=', typeId).execute();
}
