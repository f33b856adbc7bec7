import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import { type ListFilter, listPage, listSpec, type Page, type Paging } from './lists.ts';
import { type KeystoneTables, type ProjectTable, ROOT_DOMAIN } from './tables.ts';

const spec = listSpec<ProjectTable>('keystone_project', {
  id: 'id',
  name: 'name',
  domain_id: 'domain_id',
  parent_id: { column: 'parent_id', nullable: true },
  enabled: { column: 'enabled', type: 'boolean' },
  is_domain: { column: 'is_domain', type: 'boolean' },
});

/** Tag conditions of a list, as upstream's four query parameters. */
export interface TagQuery {
  readonly tags?: readonly string[];
  readonly tagsAny?: readonly string[];
  readonly notTags?: readonly string[];
  readonly notTagsAny?: readonly string[];
}

export function findProject(db: Db, id: string): Promise<ProjectTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_project').selectAll().where('id', '=', id).executeTakeFirst();
}

/** `domainId` ROOT_DOMAIN finds a domain. */
export function findProjectByName(db: Db, name: string, domainId: string): Promise<ProjectTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_project').selectAll().where('domain_id', '=', domainId).where('name', '=', name).executeTakeFirst();
}

export async function projectsByIds(db: Db, ids: readonly string[]): Promise<ProjectTable[]> {
  if (ids.length === 0) return [];
  return await on<KeystoneTables>(db).selectFrom('keystone_project').selectAll().where('id', 'in', ids).orderBy('id').execute();
}

export function listProjects(
  db: Db,
  filters: readonly ListFilter[],
  paging: Paging & { readonly maxLimit: number },
  tags: TagQuery = {},
): Promise<Page<ProjectTable>> {
  const all = (wanted: readonly string[]) => sql<boolean>`(${sql.join(wanted.map(tagged), sql` and `)})`;
  const any = (wanted: readonly string[]) => sql<boolean>`(${sql.join(wanted.map(tagged), sql` or `)})`;
  return listPage(db, spec, filters, paging, {
    maxLimit: paging.maxLimit,
    where: (query) => {
      let narrowed = query;
      if (tags.tags?.length) narrowed = narrowed.where(all(tags.tags));
      if (tags.tagsAny?.length) narrowed = narrowed.where(any(tags.tagsAny));
      if (tags.notTags?.length) narrowed = narrowed.where(sql<boolean>`not ${all(tags.notTags)}`);
      if (tags.notTagsAny?.length) narrowed = narrowed.where(sql<boolean>`not ${any(tags.notTagsAny)}`);
      return narrowed;
    },
  });
}

export async function insertProject(tx: Tx, row: ProjectTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_project').values(row).execute();
}

export async function updateProject(tx: Tx, id: string, change: Partial<Omit<ProjectTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_project').set(change).where('id', '=', id).execute();
}

export async function deleteProject(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_project_tag').where('project_id', '=', id).execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_project').where('id', '=', id).execute();
}

/** Direct children, at most `limit`. */
export function childProjects(db: Db, parentIds: readonly string[]): Promise<ProjectTable[]> {
  if (parentIds.length === 0) return Promise.resolve([]);
  return on<KeystoneTables>(db).selectFrom('keystone_project').selectAll().where('parent_id', 'in', parentIds).orderBy('id').execute();
}

export async function hasChildren(db: Db, id: string): Promise<boolean> {
  const row = await on<KeystoneTables>(db).selectFrom('keystone_project').select('id').where('parent_id', '=', id).limit(1).executeTakeFirst();
  return row !== undefined;
}

/** All projects below, level by level. */
export async function subtree(db: Db, id: string): Promise<ProjectTable[]> {
  const found: ProjectTable[] = [];
  let level = await childProjects(db, [id]);
  while (level.length > 0) {
    found.push(...level);
    level = await childProjects(
      db,
      level.map((project) => project.id),
    );
  }
  return found;
}

/** Parent, its parent, and so on up to the domain. */
export async function ancestors(db: Db, project: ProjectTable): Promise<ProjectTable[]> {
  const found: ProjectTable[] = [];
  let at: ProjectTable | undefined = project;
  while (at?.parent_id) {
    at = await findProject(db, at.parent_id);
    if (at) found.push(at);
  }
  return found;
}

/** Ids of the projects of a domain, the domain itself not among them. */
export async function projectIdsOfDomain(db: Db, domainId: string): Promise<string[]> {
  const rows = await on<KeystoneTables>(db).selectFrom('keystone_project').select('id').where('domain_id', '=', domainId).orderBy('id').execute();
  return rows.map((row) => row.id);
}

export function projectsOfDomain(db: Db, domainId: string): Promise<ProjectTable[]> {
  return on<KeystoneTables>(db).selectFrom('keystone_project').selectAll().where('domain_id', '=', domainId).orderBy('id').execute();
}

/** Tags by project, each list sorted. */
export async function tagsOf(db: Db, projectIds: readonly string[]): Promise<Map<string, string[]>> {
  const tags = new Map<string, string[]>();
  if (projectIds.length === 0) return tags;
  const rows = await on<KeystoneTables>(db)
    .selectFrom('keystone_project_tag')
    .selectAll()
    .where('project_id', 'in', projectIds)
    .orderBy('project_id')
    .orderBy('name')
    .execute();
  for (const row of rows) tags.set(row.project_id, [...(tags.get(row.project_id) ?? []), row.name]);
  return tags;
}

export async function replaceTags(tx: Tx, projectId: string, tags: readonly string[]): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_project_tag').where('project_id', '=', projectId).execute();
  if (tags.length === 0) return;
  await on<KeystoneTables>(tx)
    .insertInto('keystone_project_tag')
    .values(tags.map((name) => ({ project_id: projectId, name })))
    .execute();
}

/** The domain's id as the API shows it. */
export const shownDomain = (domainId: string): string | null => (domainId === ROOT_DOMAIN ? null : domainId);

const tagged = (wanted: string) =>
  sql<boolean>`exists (select 1 from keystone_project_tag t where t.project_id = ${sql.ref('keystone_project.id')} and t.name = ${wanted})`;
