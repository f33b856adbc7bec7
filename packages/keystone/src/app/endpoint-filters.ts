import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { CATALOG } from '../cache/changes.ts';
import { conflicting, endpointGroupNotFound, endpointNotFound, expecting, invalid, notFoundText, projectNotFound } from '../errors.ts';
import { findEndpoint, listEndpoints } from '../store/catalog.ts';
import * as store from '../store/endpoint-filters.ts';
import type { ListFilter } from '../store/lists.ts';
import { findProject, projectsByIds } from '../store/projects.ts';
import type { EndpointGroupTable } from '../store/tables.ts';
import { type Endpoint, endpointModel } from './catalog.ts';
import { chosen, endpointsChosenFor, type EndpointGroupFilters } from './chosen-endpoints.ts';
import { type Core, touch, writeUnique } from './core.ts';
import { type Project, projectModels } from './projects.ts';

export interface EndpointGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly filters: EndpointGroupFilters;
}

export type EndpointGroupChange = Partial<Omit<EndpointGroup, 'id'>>;

export type EndpointFilters = ReturnType<typeof createEndpointFilters>;

const FILTER_KEYS = ['service_id', 'region_id', 'interface'];

const modelOf = (row: EndpointGroupTable): EndpointGroup => ({
  id: row.id,
  name: row.name,
  description: row.description,
  filters: fromJson<EndpointGroupFilters>(row.filters),
});

/** OS-EP-FILTER: which endpoints a project's catalog shows. */
export function createEndpointFilters(core: Core) {
  const { env } = core;
  const { read } = env.store;

  async function createGroup(group: Omit<EndpointGroup, 'id'>): Promise<EndpointGroup> {
    if (Object.keys(group.filters).length === 0) throw invalid('filters field is required and cannot be empty', 'filters');
    checkFilters(group.filters);
    const row = { id: env.ids.hex(), name: group.name, description: group.description, filters: toJson(group.filters) };
    await env.store.write((tx) => store.insertEndpointGroup(tx, row));
    return modelOf(row);
  }

  async function updateGroup(id: string, change: EndpointGroupChange): Promise<EndpointGroup> {
    if (change.filters) checkFilters(change.filters);
    return await env.store.write(async (tx) => {
      const row = await groupRow(tx, id);
      const next = {
        name: change.name ?? row.name,
        description: change.description === undefined ? row.description : change.description,
        filters: change.filters ? toJson(change.filters) : row.filters,
      };
      await store.updateEndpointGroup(tx, id, next);
      await touch(core, tx, [CATALOG]);
      return modelOf({ ...row, ...next });
    });
  }

  async function removeGroup(id: string): Promise<void> {
    await env.store.write(async (tx) => {
      await groupRow(tx, id);
      await store.deleteEndpointGroup(tx, id);
      await touch(core, tx, [CATALOG]);
    });
  }

  async function checkPair(db: Db, projectId: string, endpointId: string): Promise<void> {
    if (!(await findEndpoint(db, endpointId))) throw endpointNotFound(endpointId);
    if (!(await findProject(db, projectId))) throw projectNotFound(projectId);
  }

  async function addEndpoint(projectId: string, endpointId: string): Promise<void> {
    const conflict = (): CairnError => conflicting('project_endpoint', 'Duplicate entry');
    await writeUnique(core, conflict, async (tx) => {
      await checkPair(tx, projectId, endpointId);
      if (await store.hasProjectEndpoint(tx, projectId, endpointId)) throw conflict();
      await store.insertProjectEndpoint(tx, projectId, endpointId);
      await touch(core, tx, [CATALOG]);
    });
  }

  async function checkEndpoint(projectId: string, endpointId: string): Promise<void> {
    await checkPair(read, projectId, endpointId);
    if (!(await store.hasProjectEndpoint(read, projectId, endpointId))) throw notInProject(projectId, endpointId);
  }

  async function removeEndpoint(projectId: string, endpointId: string): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await store.deleteProjectEndpoint(tx, projectId, endpointId))) throw notInProject(projectId, endpointId);
      await touch(core, tx, [CATALOG]);
    });
  }

  async function checkProjectAndGroup(db: Db, projectId: string, groupId: string): Promise<void> {
    if (!(await findProject(db, projectId))) throw projectNotFound(projectId);
    await groupRow(db, groupId);
  }

  async function addGroup(projectId: string, groupId: string): Promise<void> {
    const conflict = (): CairnError => conflicting('project_endpoint_group', 'Duplicate entry');
    await writeUnique(core, conflict, async (tx) => {
      await checkProjectAndGroup(tx, projectId, groupId);
      if (await store.hasProjectGroup(tx, projectId, groupId)) throw conflict();
      await store.insertProjectGroup(tx, projectId, groupId);
      await touch(core, tx, [CATALOG]);
    });
  }

  async function checkGroup(projectId: string, groupId: string): Promise<void> {
    await checkProjectAndGroup(read, projectId, groupId);
    if (!(await store.hasProjectGroup(read, projectId, groupId))) throw noAssociation();
  }

  async function takeGroup(projectId: string, groupId: string): Promise<void> {
    await env.store.write(async (tx) => {
      await checkProjectAndGroup(tx, projectId, groupId);
      if (!(await store.deleteProjectGroup(tx, projectId, groupId))) throw noAssociation();
      await touch(core, tx, [CATALOG]);
    });
  }

  return {
    createGroup,
    updateGroup,
    removeGroup,
    getGroup: async (id: string): Promise<EndpointGroup> => modelOf(await groupRow(read, id)),
    listGroups: async (filters: readonly ListFilter[]): Promise<EndpointGroup[]> => (await store.listEndpointGroups(read, filters)).map(modelOf),
    addEndpoint,
    checkEndpoint,
    removeEndpoint,
    addGroup,
    checkGroup,
    takeGroup,
    async projectsOfEndpoint(endpointId: string): Promise<Project[]> {
      if (!(await findEndpoint(read, endpointId))) throw endpointNotFound(endpointId);
      return await projectModels(read, await projectsByIds(read, await store.projectIdsOfEndpoint(read, endpointId)));
    },
    /** Empty where the group is not there, as upstream has it. */
    projectsOfGroup: async (groupId: string): Promise<Project[]> =>
      await projectModels(read, await projectsByIds(read, await store.projectIdsOfGroup(read, groupId))),
    async endpointsOfProject(projectId: string): Promise<Endpoint[]> {
      if (!(await findProject(read, projectId))) throw projectNotFound(projectId);
      return (await endpointsChosenFor(read, projectId)).map(endpointModel);
    },
    async groupsOfProject(projectId: string): Promise<EndpointGroup[]> {
      if (!(await findProject(read, projectId))) throw projectNotFound(projectId);
      return (await store.groupsOfProject(read, projectId)).map(modelOf);
    },
    async endpointsOfGroup(groupId: string): Promise<Endpoint[]> {
      const group = modelOf(await groupRow(read, groupId));
      return chosen(await listEndpoints(read, []), group.filters).map(endpointModel);
    },
  };
}

const notInProject = (projectId: string, endpointId: string): CairnError => notFoundText(`Endpoint ${endpointId} not found in project ${projectId}`);
const noAssociation = (): CairnError => notFoundText('Endpoint Group Project Association not found');

function checkFilters(filters: EndpointGroupFilters): void {
  if (!Object.keys(filters).every((key) => FILTER_KEYS.includes(key))) throw expecting(FILTER_KEYS.join(' or '), 'endpoint_group');
}

async function groupRow(db: Db, id: string): Promise<EndpointGroupTable> {
  const row = await store.findEndpointGroup(db, id);
  if (!row) throw endpointGroupNotFound(id);
  return row;
}
