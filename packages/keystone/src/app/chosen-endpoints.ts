import type { Db } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { listEndpoints } from '../store/catalog.ts';
import * as store from '../store/endpoint-filters.ts';
import type { EndpointTable } from '../store/tables.ts';

/** Attributes that an endpoint must have to be in the group. */
export type EndpointGroupFilters = Readonly<Record<string, unknown>>;

/** Endpoints of the rows that the filters name. */
export const chosen = (rows: readonly EndpointTable[], filters: EndpointGroupFilters): EndpointTable[] =>
  rows.filter((row) => Object.entries(filters).every(([key, value]) => row[key as 'service_id' | 'region_id' | 'interface'] === value));

/**
 * Rows of the endpoints chosen for a project, one by one or by group; empty where nothing was chosen, and the project then sees all of them
 * (upstream: `[endpoint_filter] return_all_endpoints_if_no_filter`, true by default).
 */
export async function endpointsChosenFor(db: Db, projectId: string): Promise<EndpointTable[]> {
  const rows = new Map((await store.endpointsOfProject(db, projectId)).map((row) => [row.id, row]));
  const groups = await store.groupsOfProject(db, projectId);
  if (groups.length > 0) {
    const all = await listEndpoints(db, []);
    for (const group of groups) for (const row of chosen(all, fromJson<EndpointGroupFilters>(group.filters))) rows.set(row.id, row);
  }
  return [...rows.values()];
}
