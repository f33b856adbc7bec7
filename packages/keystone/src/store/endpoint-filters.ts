import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type ListFilter, listPage, listSpec } from './lists.ts';
import type { EndpointGroupTable, EndpointTable, KeystoneTables } from './tables.ts';

const spec = listSpec<EndpointGroupTable>('keystone_endpoint_group', { id: 'id', name: 'name' });

export function findEndpointGroup(db: Db, id: string): Promise<EndpointGroupTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_endpoint_group').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function listEndpointGroups(db: Db, filters: readonly ListFilter[]): Promise<EndpointGroupTable[]> {
  return (await listPage(db, spec, filters)).rows;
}

export async function insertEndpointGroup(tx: Tx, row: EndpointGroupTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_endpoint_group').values(row).execute();
}

export async function updateEndpointGroup(tx: Tx, id: string, change: Partial<Omit<EndpointGroupTable, 'id'>>): Promise<void> {
  if (Object.keys(change).length === 0) return;
  await on<KeystoneTables>(tx).updateTable('keystone_endpoint_group').set(change).where('id', '=', id).execute();
}

/** Takes it away from its projects too. */
export async function deleteEndpointGroup(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_project_endpoint_group').where('endpoint_group_id', '=', id).execute();
  await on<KeystoneTables>(tx).deleteFrom('keystone_endpoint_group').where('id', '=', id).execute();
}

export async function hasProjectEndpoint(db: Db, projectId: string, endpointId: string): Promise<boolean> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_project_endpoint')
    .select('endpoint_id')
    .where('project_id', '=', projectId)
    .where('endpoint_id', '=', endpointId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertProjectEndpoint(tx: Tx, projectId: string, endpointId: string): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_project_endpoint').values({ project_id: projectId, endpoint_id: endpointId }).execute();
}

/** False where it was not there. */
export async function deleteProjectEndpoint(tx: Tx, projectId: string, endpointId: string): Promise<boolean> {
  const result = await on<KeystoneTables>(tx)
    .deleteFrom('keystone_project_endpoint')
    .where('project_id', '=', projectId)
    .where('endpoint_id', '=', endpointId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function projectIdsOfEndpoint(db: Db, endpointId: string): Promise<string[]> {
  const rows = await on<KeystoneTables>(db)
    .selectFrom('keystone_project_endpoint')
    .select('project_id')
    .where('endpoint_id', '=', endpointId)
    .orderBy('project_id')
    .execute();
  return rows.map((row) => row.project_id);
}

/** Endpoints given to a project one by one. */
export async function endpointsOfProject(db: Db, projectId: string): Promise<EndpointTable[]> {
  return await on<KeystoneTables>(db)
    .selectFrom('keystone_project_endpoint as given')
    .innerJoin('keystone_endpoint', 'keystone_endpoint.id', 'given.endpoint_id')
    .selectAll('keystone_endpoint')
    .where('given.project_id', '=', projectId)
    .orderBy('keystone_endpoint.id')
    .execute();
}

export async function groupsOfProject(db: Db, projectId: string): Promise<EndpointGroupTable[]> {
  return await on<KeystoneTables>(db)
    .selectFrom('keystone_project_endpoint_group as given')
    .innerJoin('keystone_endpoint_group', 'keystone_endpoint_group.id', 'given.endpoint_group_id')
    .selectAll('keystone_endpoint_group')
    .where('given.project_id', '=', projectId)
    .orderBy('keystone_endpoint_group.id')
    .execute();
}

export async function hasProjectGroup(db: Db, projectId: string, groupId: string): Promise<boolean> {
  const row = await on<KeystoneTables>(db)
    .selectFrom('keystone_project_endpoint_group')
    .select('endpoint_group_id')
    .where('project_id', '=', projectId)
    .where('endpoint_group_id', '=', groupId)
    .executeTakeFirst();
  return row !== undefined;
}

export async function insertProjectGroup(tx: Tx, projectId: string, groupId: string): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_project_endpoint_group').values({ project_id: projectId, endpoint_group_id: groupId }).execute();
}

/** False where it was not there. */
export async function deleteProjectGroup(tx: Tx, projectId: string, groupId: string): Promise<boolean> {
  const result = await on<KeystoneTables>(tx)
    .deleteFrom('keystone_project_endpoint_group')
    .where('project_id', '=', projectId)
    .where('endpoint_group_id', '=', groupId)
    .executeTakeFirst();
  return result.numDeletedRows > 0n;
}

export async function projectIdsOfGroup(db: Db, groupId: string): Promise<string[]> {
  const rows = await on<KeystoneTables>(db)
    .selectFrom('keystone_project_endpoint_group')
    .select('project_id')
    .where('endpoint_group_id', '=', groupId)
    .orderBy('project_id')
    .execute();
  return rows.map((row) => row.project_id);
}

/** What was chosen for a project that goes, or of an endpoint that goes. */
export async function deleteEndpointFilters(tx: Tx, of: { readonly projectId: string } | { readonly endpointIds: readonly string[] }): Promise<void> {
  if ('projectId' in of) {
    await on<KeystoneTables>(tx).deleteFrom('keystone_project_endpoint').where('project_id', '=', of.projectId).execute();
    await on<KeystoneTables>(tx).deleteFrom('keystone_project_endpoint_group').where('project_id', '=', of.projectId).execute();
  } else if (of.endpointIds.length > 0) {
    await on<KeystoneTables>(tx).deleteFrom('keystone_project_endpoint').where('endpoint_id', 'in', of.endpointIds).execute();
  }
}
