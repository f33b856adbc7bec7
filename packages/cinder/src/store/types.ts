import { type ListPage, type ListQuery, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { rowsAmong } from '@cairn/kit/store/among';
import { findRow } from '@cairn/kit/store/rows';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { toJson } from '@cairn/kit/store/values';
import { sql } from 'kysely';
import type { CinderTables, DefaultTypeRow, TypeRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export const TYPES: ListSpec<TypeRow> = {
  table: 'cinder_type',
  id: 'id',
  columns: {
    id: 'id',
    name: 'name',
    description: { column: 'description', nullable: true },
    is_public: { column: 'is_public', type: 'boolean' },
    qos_specs_id: { column: 'qos_specs_id', nullable: true },
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
  },
  defaultSort: [{ field: 'created_at', direction: 'desc' }],
};

export const pageOfTypes = (db: Db, request: ListRequest, spec: ListSpec<TypeRow>): Promise<ListPage<TypeRow>> => listRows(db, spec, request);

/** Keeps the public types of a list and those that a project has access to. */
export const openTo =
  (projectId: string) =>
  (query: ListQuery): ListQuery =>
    query.where(
      sql<boolean>`(cinder_type.is_public = 1 or exists (select 1 from cinder_type_access where cinder_type_access.type_id = cinder_type.id and cinder_type_access.project_id = ${projectId}))`,
    );

export const privateOnly = (query: ListQuery): ListQuery => query.where(sql<boolean>`cinder_type.is_public = 0`);

/** Keeps the types of a list that have this extra spec. */
export const havingSpec =
  (key: string, value: string) =>
  (query: ListQuery): ListQuery =>
    query.where(
      sql<boolean>`exists (select 1 from cinder_type_spec where cinder_type_spec.type_id = cinder_type.id and cinder_type_spec.key = ${key} and cinder_type_spec.value = ${value})`,
    );

export const typeById = (db: Db, id: string): Promise<TypeRow | undefined> => findRow<TypeRow>(db, 'cinder_type', { id });
export const typeByName = (db: Db, name: string): Promise<TypeRow | undefined> => findRow<TypeRow>(db, 'cinder_type', { name });

/** Ids and names of all types; the operator's few dozen. */
export const typeNames = (db: Db): Promise<{ id: string; name: string }[]> =>
  q(db).selectFrom('cinder_type').select(['id', 'name']).orderBy('created_at_ms').orderBy('id').execute();

export async function namesOfTypes(db: Db, ids: readonly string[]): Promise<Map<string, string>> {
  const rows = await rowsAmong<TypeRow>(db, 'cinder_type', 'id', ids, ['id']);
  return new Map(rows.map((row) => [row.id, row.name]));
}

/** May this project use the type? */
export async function typeIsFor(db: Db, type: TypeRow, projectId: string | undefined): Promise<boolean> {
  if (type.is_public === 1) return true;
  if (projectId === undefined) return false;
  return (
    (await q(db).selectFrom('cinder_type_access').select('type_id').where('type_id', '=', type.id).where('project_id', '=', projectId).executeTakeFirst()) !==
    undefined
  );
}

export async function insertType(tx: Tx, row: TypeRow, specs: Readonly<Record<string, string>>): Promise<void> {
  await q(tx).insertInto('cinder_type').values(row).execute();
  await indexSpecs(tx, row.id, specs);
}

export async function updateType(tx: Tx, id: string, set: Partial<TypeRow>, nowMs: number): Promise<void> {
  await q(tx)
    .updateTable('cinder_type')
    .set({ updated_at_ms: nowMs, ...set })
    .where('id', '=', id)
    .execute();
}

export async function setSpecs(tx: Tx, id: string, specs: Readonly<Record<string, string>>, nowMs: number): Promise<void> {
  await updateType(tx, id, { extra_specs: toJson(specs) }, nowMs);
  await indexSpecs(tx, id, specs);
}

async function indexSpecs(tx: Tx, id: string, specs: Readonly<Record<string, string>>): Promise<void> {
  await q(tx).deleteFrom('cinder_type_spec').where('type_id', '=', id).execute();
  const rows = Object.entries(specs).map(([key, value]) => ({ type_id: id, key, value }));
  if (rows.length > 0) await q(tx).insertInto('cinder_type_spec').values(rows).execute();
}

export async function deleteTypeRow(tx: Tx, id: string): Promise<void> {
  for (const table of ['cinder_type_spec', 'cinder_type_access', 'cinder_default_type', 'cinder_usage'] as const)
    await q(tx).deleteFrom(table).where('type_id', '=', id).execute();
  await q(tx).deleteFrom('cinder_type').where('id', '=', id).execute();
}

export async function projectsOfType(db: Db, typeId: string): Promise<string[]> {
  const rows = await q(db).selectFrom('cinder_type_access').select('project_id').where('type_id', '=', typeId).orderBy('project_id').execute();
  return rows.map((row) => row.project_id);
}

/** Returns false when it was there already. */
export async function addTypeAccess(tx: Tx, typeId: string, projectId: string): Promise<boolean> {
  const result = await q(tx)
    .insertInto('cinder_type_access')
    .values({ type_id: typeId, project_id: projectId })
    .onConflict((c) => c.doNothing())
    .executeTakeFirst();
  return Number(result.numInsertedOrUpdatedRows ?? 0) > 0;
}

export async function removeTypeAccess(tx: Tx, typeId: string, projectId: string): Promise<boolean> {
  const result = await q(tx).deleteFrom('cinder_type_access').where('type_id', '=', typeId).where('project_id', '=', projectId).executeTakeFirst();
  return Number(result.numDeletedRows) > 0;
}

export const defaultTypeOf = (db: Db, projectId: string): Promise<DefaultTypeRow | undefined> =>
  findRow<DefaultTypeRow>(db, 'cinder_default_type', { project_id: projectId });
export const defaultTypes = (db: Db): Promise<DefaultTypeRow[]> => q(db).selectFrom('cinder_default_type').selectAll().orderBy('project_id').execute();

export async function isDefaultOfProject(db: Db, typeId: string): Promise<boolean> {
  return (await q(db).selectFrom('cinder_default_type').select('type_id').where('type_id', '=', typeId).limit(1).executeTakeFirst()) !== undefined;
}

export async function setDefaultType(tx: Tx, projectId: string, typeId: string): Promise<void> {
  await q(tx)
    .insertInto('cinder_default_type')
    .values({ project_id: projectId, type_id: typeId })
    .onConflict((c) => c.column('project_id').doUpdateSet({ type_id: typeId }))
    .execute();
}

export async function unsetDefaultType(tx: Tx, projectId: string): Promise<void> {
  await q(tx).deleteFrom('cinder_default_type').where('project_id', '=', projectId).execute();
}
