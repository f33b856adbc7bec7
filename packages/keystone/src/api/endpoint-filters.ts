import Type, { type TSchema } from 'typebox';
import type { AnyOperation, Method } from '@cairn/kit/http/operation';
import type { EndpointGroup } from '../app/endpoint-filters.ts';
import { endpoint, endpointGroup } from './answers/catalog.ts';
import { many, one, selfLink } from './answers/envelope.ts';
import { project } from './answers/people.ts';
import { endpointView } from './catalog.ts';
import { collection, filtersOf, type KeystoneApp, type AnyRequest, member, noTarget, op, param, requireSameId } from './common.ts';
import { projectView } from './projects.ts';
import { bodyOf, flagValue, name255, object, queryOf, text, textOrNull } from './schemas.ts';

interface GroupBody {
  readonly id?: string;
  readonly name?: string;
  readonly description?: string | null;
  readonly filters?: Readonly<Record<string, unknown>>;
}

const properties = {
  name: name255,
  description: textOrNull,
  filters: object({ interface: { type: 'string', enum: ['admin', 'internal', 'public'] }, service_id: text, region_id: textOrNull, enabled: flagValue }),
};
const createBody = bodyOf<GroupBody & { readonly name: string; readonly filters: Readonly<Record<string, unknown>> }>()('endpoint_group', properties, {
  required: ['name', 'filters'],
  closed: true,
});
const updateBody = bodyOf<GroupBody>()('endpoint_group', properties, { minProperties: 1, closed: true });

const COLLECTION = 'OS-EP-FILTER/endpoint_groups';
const groupView = (group: EndpointGroup) => ({ id: group.id, name: group.name, description: group.description, filters: group.filters });
const groupOf = (req: AnyRequest, group: EndpointGroup) => member(req, 'endpoint_group', COLLECTION, groupView(group));
const groupsOf = (req: AnyRequest, groups: readonly EndpointGroup[]) => collection(req, 'endpoint_groups', groups.map(groupView), { path: COLLECTION });

/** An operation without a body, whose rule needs no target. */
const plain = (
  id: string,
  method: Method,
  path: `/${string}`,
  summary: string,
  rule: string,
  handle: (app: KeystoneApp, req: AnyRequest) => unknown,
  answer: TSchema | 'none' = 'none',
): AnyOperation =>
  op({
    id: `keystone.endpoint_filter.${id}`,
    method,
    path: `/v3/OS-EP-FILTER${path}`,
    summary,
    policy: `identity:${rule}`,
    target: noTarget,
    success: answer === 'none' ? 204 : 200,
    answer,
    handle,
  });

const groups: readonly AnyOperation[] = [
  op({
    id: 'keystone.endpoint_group.list',
    method: 'GET',
    path: '/v3/OS-EP-FILTER/endpoint_groups',
    answer: many('endpoint_groups', endpointGroup),
    summary: 'List endpoint groups',
    policy: 'identity:list_endpoint_groups',
    target: noTarget,
    query: queryOf({ name: name255 }, { closed: true }),
    handle: async (app, req) => groupsOf(req, await app.endpointFilters.listGroups(filtersOf(req, ['name']))),
  }),
  op({
    id: 'keystone.endpoint_group.create',
    method: 'POST',
    path: '/v3/OS-EP-FILTER/endpoint_groups',
    answer: one('endpoint_group', endpointGroup),
    summary: 'Create an endpoint group',
    policy: 'identity:create_endpoint_group',
    target: noTarget,
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const { name, description = null, filters } = req.body.endpoint_group;
      return groupOf(req, await app.endpointFilters.createGroup({ name, description, filters }));
    },
  }),
  op({
    id: 'keystone.endpoint_group.show',
    method: 'GET',
    path: '/v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}',
    answer: one('endpoint_group', endpointGroup),
    summary: 'Show an endpoint group',
    policy: 'identity:get_endpoint_group',
    target: noTarget,
    handle: async (app, req) => groupOf(req, await app.endpointFilters.getGroup(param(req, 'endpoint_group_id'))),
  }),
  op({
    id: 'keystone.endpoint_group.update',
    method: 'PATCH',
    path: '/v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}',
    answer: one('endpoint_group', endpointGroup),
    summary: 'Update an endpoint group',
    policy: 'identity:update_endpoint_group',
    target: noTarget,
    body: updateBody,
    handle: async (app, req) => {
      const { name, description, filters } = req.body.endpoint_group;
      requireSameId(req, 'endpoint_group_id', req.body.endpoint_group);
      const change = { ...(name !== undefined && { name }), ...(description !== undefined && { description }), ...(filters && { filters }) };
      return groupOf(req, await app.endpointFilters.updateGroup(param(req, 'endpoint_group_id'), change));
    },
  }),
  op({
    id: 'keystone.endpoint_group.delete',
    method: 'DELETE',
    path: '/v3/OS-EP-FILTER/endpoint_groups/{endpoint_group_id}',
    summary: 'Delete an endpoint group',
    policy: 'identity:delete_endpoint_group',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.endpointFilters.removeGroup(param(req, 'endpoint_group_id')),
  }),
];

const pair = (req: AnyRequest): [string, string] => [param(req, 'project_id'), param(req, 'endpoint_id')];
const groupPair = (req: AnyRequest): [string, string] => [param(req, 'project_id'), param(req, 'endpoint_group_id')];
const PAIR = '/projects/{project_id}/endpoints/{endpoint_id}';
const GROUP_PAIR = '/endpoint_groups/{endpoint_group_id}/projects/{project_id}';

/** OS-EP-FILTER: endpoint groups, and which endpoints a project's catalog shows. */
export const endpointFilterOperations: readonly AnyOperation[] = [
  ...groups,
  plain(
    'endpoint.projects',
    'GET',
    '/endpoints/{endpoint_id}/projects',
    'List the projects that an endpoint was chosen for',
    'list_projects_for_endpoint',
    async (app, req) => collection(req, 'projects', (await app.endpointFilters.projectsOfEndpoint(param(req, 'endpoint_id'))).map(projectView)),
    many('projects', project),
  ),
  plain('project.check', 'GET', PAIR, 'Check that an endpoint was chosen for a project', 'check_endpoint_in_project', (app, req) =>
    app.endpointFilters.checkEndpoint(...pair(req)),
  ),
  plain('project.add', 'PUT', PAIR, 'Choose an endpoint for a project', 'add_endpoint_to_project', (app, req) => app.endpointFilters.addEndpoint(...pair(req))),
  plain('project.remove', 'DELETE', PAIR, 'Take an endpoint back from a project', 'remove_endpoint_from_project', (app, req) =>
    app.endpointFilters.removeEndpoint(...pair(req)),
  ),
  plain(
    'project.endpoints',
    'GET',
    '/projects/{project_id}/endpoints',
    'List the endpoints chosen for a project',
    'list_endpoints_for_project',
    async (app, req) => collection(req, 'endpoints', (await app.endpointFilters.endpointsOfProject(param(req, 'project_id'))).map(endpointView)),
    many('endpoints', endpoint),
  ),
  plain(
    'project.groups',
    'GET',
    '/projects/{project_id}/endpoint_groups',
    'List the endpoint groups chosen for a project',
    'list_endpoint_groups_for_project',
    async (app, req) => groupsOf(req, await app.endpointFilters.groupsOfProject(param(req, 'project_id'))),
    many('endpoint_groups', endpointGroup),
  ),
  plain(
    'group.endpoints',
    'GET',
    '/endpoint_groups/{endpoint_group_id}/endpoints',
    'List the endpoints of a group',
    'list_endpoints_associated_with_endpoint_group',
    async (app, req) => collection(req, 'endpoints', (await app.endpointFilters.endpointsOfGroup(param(req, 'endpoint_group_id'))).map(endpointView)),
    many('endpoints', endpoint),
  ),
  plain(
    'group.projects',
    'GET',
    '/endpoint_groups/{endpoint_group_id}/projects',
    'List the projects that a group was chosen for',
    'list_projects_associated_with_endpoint_group',
    async (app, req) => collection(req, 'projects', (await app.endpointFilters.projectsOfGroup(param(req, 'endpoint_group_id'))).map(projectView)),
    many('projects', project),
  ),
  plain(
    'group.check',
    'GET',
    GROUP_PAIR,
    'Check that a group was chosen for a project',
    'get_endpoint_group_in_project',
    async (app, req) => {
      const [projectId, groupId] = groupPair(req);
      await app.endpointFilters.checkGroup(projectId, groupId);
      // upstream's link has no host in it
      const links = { self: `/OS-EP-FILTER/endpoint_groups/${groupId}/projects/${projectId}` };
      return { project_endpoint_group: { endpoint_group_id: groupId, project_id: projectId, links } };
    },
    one('project_endpoint_group', Type.Object({ endpoint_group_id: Type.String(), project_id: Type.String(), links: selfLink })),
  ),
  plain('group.add', 'PUT', GROUP_PAIR, 'Choose an endpoint group for a project', 'add_endpoint_group_to_project', (app, req) =>
    app.endpointFilters.addGroup(...groupPair(req)),
  ),
  plain('group.remove', 'DELETE', GROUP_PAIR, 'Take an endpoint group back from a project', 'remove_endpoint_group_from_project', (app, req) =>
    app.endpointFilters.takeGroup(...groupPair(req)),
  ),
];
