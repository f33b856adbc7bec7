import { type ListPage, type ListRequest, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import type { AssociationRow, MetadefTables, MetadefTagRow, NamespaceRow, ResourceTypeRow } from './metadef-tables.ts';

const q = (db: Db) => on<MetadefTables>(db);

/** What hangs below a namespace and has a name of its own. */
export type ChildKind = 'object' | 'property' | 'tag';
type ChildTable<K extends ChildKind> = `glance_metadef_${K}`;
export type ChildRow<K extends ChildKind> = MetadefTables[ChildTable<K>];
const CHILD_KINDS: readonly ChildKind[] = ['object', 'property', 'tag'];

// the three tables share id, namespace_id and name; their union does not type-check in one query, so one stands for all
const childTable = (kind: ChildKind): 'glance_metadef_tag' => `glance_metadef_${kind}` as 'glance_metadef_tag';

export const namespaceByName = (db: Db, namespace: string): Promise<NamespaceRow | undefined> =>
  q(db).selectFrom('glance_metadef_namespace').selectAll().where('namespace', '=', namespace).executeTakeFirst();

export async function insertNamespace(tx: Tx, row: NamespaceRow): Promise<void> {
  await q(tx).insertInto('glance_metadef_namespace').values(row).execute();
}

export async function updateNamespace(tx: Tx, id: string, set: Partial<NamespaceRow>): Promise<void> {
  await q(tx).updateTable('glance_metadef_namespace').set(set).where('id', '=', id).execute();
}

/** Removes a namespace and all below it. */
export async function deleteNamespace(tx: Tx, id: string): Promise<void> {
  for (const kind of CHILD_KINDS) await deleteChildren(tx, kind, id);
  await q(tx).deleteFrom('glance_metadef_association').where('namespace_id', '=', id).execute();
  await q(tx).deleteFrom('glance_metadef_namespace').where('id', '=', id).execute();
}

/**
 * A page of namespaces. `visibleTo`: the project whose own namespaces are shown besides public ones; undefined shows all.
 * `marker` is an id.
 */
export function listNamespaces(
  db: Db,
  filter: { readonly visibleTo?: string | null; readonly visibility?: string; readonly resourceTypes?: readonly string[] },
  request: ListRequest,
): Promise<ListPage<NamespaceRow>> {
  const { visibleTo, visibility, resourceTypes } = filter;
  return listRows<NamespaceRow>(
    db,
    {
      table: 'glance_metadef_namespace',
      id: 'id',
      maxLimit: 1_000,
      columns: {
        id: 'id',
        namespace: 'namespace',
        display_name: { column: 'display_name', nullable: true },
        description: { column: 'description', nullable: true },
        visibility: 'visibility',
        protected: { column: 'protected', type: 'integer' },
        owner: { column: 'owner', nullable: true },
        created_at: { column: 'created_at_ms', type: 'integer' },
        updated_at: { column: 'updated_at_ms', type: 'integer' },
      },
      defaultSort: [{ field: 'created_at', direction: 'desc' }],
    },
    {
      ...request,
      where: (query) => {
        let narrowed = query;
        if (visibleTo === null) narrowed = narrowed.where(sql<boolean>`glance_metadef_namespace.visibility = 'public'`);
        else if (visibleTo !== undefined)
          narrowed = narrowed.where(sql<boolean>`(glance_metadef_namespace.owner = ${visibleTo} or glance_metadef_namespace.visibility = 'public')`);
        if (visibility !== undefined) narrowed = narrowed.where(sql<boolean>`glance_metadef_namespace.visibility = ${visibility}`);
        if (resourceTypes)
          narrowed = narrowed.where(
            sql<boolean>`exists (select 1 from glance_metadef_association a where a.namespace_id = glance_metadef_namespace.id and a.resource_type in (${sql.join(resourceTypes)}))`,
          );
        return narrowed;
      },
    },
  );
}

/** All of one kind below a namespace, in the order in which they came. */
export async function children<K extends ChildKind>(db: Db, kind: K, namespaceId: string): Promise<ChildRow<K>[]> {
  const rows = await q(db).selectFrom(childTable(kind)).selectAll().where('namespace_id', '=', namespaceId).orderBy('created_at_ms').orderBy('id').execute();
  return rows as unknown as ChildRow<K>[];
}

export async function child<K extends ChildKind>(db: Db, kind: K, namespaceId: string, name: string): Promise<ChildRow<K> | undefined> {
  const row = await q(db).selectFrom(childTable(kind)).selectAll().where('namespace_id', '=', namespaceId).where('name', '=', name).executeTakeFirst();
  return row as ChildRow<K> | undefined;
}

export async function insertChildren<K extends ChildKind>(tx: Tx, kind: K, rows: readonly ChildRow<K>[]): Promise<void> {
  // a statement has a limit of parameters
  for (let at = 0; at < rows.length; at += 100)
    await q(tx)
      .insertInto(childTable(kind))
      .values(rows.slice(at, at + 100) as unknown as MetadefTagRow[])
      .execute();
}

export async function updateChild<K extends ChildKind>(tx: Tx, kind: K, id: string, set: Partial<ChildRow<K>>): Promise<void> {
  await q(tx)
    .updateTable(childTable(kind))
    .set(set as Partial<MetadefTagRow>)
    .where('id', '=', id)
    .execute();
}

export async function deleteChild(tx: Tx, kind: ChildKind, id: string): Promise<void> {
  await q(tx).deleteFrom(childTable(kind)).where('id', '=', id).execute();
}

export async function deleteChildren(tx: Tx, kind: ChildKind, namespaceId: string): Promise<void> {
  await q(tx).deleteFrom(childTable(kind)).where('namespace_id', '=', namespaceId).execute();
}

export const listTags = (db: Db, namespaceId: string, request: ListRequest): Promise<ListPage<MetadefTagRow>> =>
  listRows<MetadefTagRow>(
    db,
    {
      table: 'glance_metadef_tag',
      id: 'id',
      columns: { id: 'id', name: 'name', created_at: { column: 'created_at_ms', type: 'integer' }, updated_at: { column: 'updated_at_ms', type: 'integer' } },
      defaultSort: [{ field: 'created_at', direction: 'desc' }],
    },
    { ...request, scope: (query) => query.where(sql<boolean>`glance_metadef_tag.namespace_id = ${namespaceId}`) },
  );

export const resourceTypes = (db: Db): Promise<ResourceTypeRow[]> =>
  q(db).selectFrom('glance_metadef_resource_type').selectAll().orderBy('created_at_ms').orderBy('name').execute();

/** Makes a resource type known; leaves one that is there as it is. */
export async function addResourceType(tx: Tx, row: ResourceTypeRow): Promise<void> {
  await q(tx)
    .insertInto('glance_metadef_resource_type')
    .values(row)
    .onConflict((c) => c.doNothing())
    .execute();
}

/** Associations of some namespaces, in the order in which they came. */
export async function associations(db: Db, namespaceIds: readonly string[]): Promise<AssociationRow[]> {
  if (namespaceIds.length === 0) return [];
  return q(db)
    .selectFrom('glance_metadef_association')
    .selectAll()
    .where('namespace_id', 'in', [...namespaceIds])
    .orderBy('created_at_ms')
    .orderBy('resource_type')
    .execute();
}

export async function insertAssociation(tx: Tx, row: AssociationRow): Promise<void> {
  await q(tx).insertInto('glance_metadef_association').values(row).execute();
}

export async function deleteAssociation(tx: Tx, namespaceId: string, resourceType: string): Promise<boolean> {
  const result = await q(tx)
    .deleteFrom('glance_metadef_association')
    .where('namespace_id', '=', namespaceId)
    .where('resource_type', '=', resourceType)
    .executeTakeFirst();
  return Number(result.numDeletedRows) > 0;
}

/** Which namespaces of the catalogue were loaded already. */
export async function loadedNamespaces(db: Db): Promise<Set<string>> {
  return new Set((await q(db).selectFrom('glance_metadef_loaded').select('namespace').execute()).map((row) => row.namespace));
}

export async function markLoaded(tx: Tx, namespace: string, loadedAtMs: number): Promise<void> {
  await q(tx)
    .insertInto('glance_metadef_loaded')
    .values({ namespace, loaded_at_ms: loadedAtMs })
    .onConflict((c) => c.doNothing())
    .execute();
}
