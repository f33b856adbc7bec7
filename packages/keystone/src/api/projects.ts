import type { AnyOperation } from '@cairn/kit/http/operation';
import { Reply } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import { extraOf } from '../app/core.ts';
import type { Project } from '../app/projects.ts';
import { invalid, projectTagNotFound } from '../errors.ts';
import { many, one, selfLink } from './answers/envelope.ts';
import { project, projectInTree } from './answers/people.ts';
import {
  type AnyRequest,
  collection,
  domainFor,
  domainTarget,
  equals,
  filtersOf,
  flag,
  type KeystoneApp,
  member,
  op,
  pagingOf,
  param,
  requireSameId,
  selfOf,
  targetOf,
  unchecked,
  v3,
  who,
  withSelf,
} from './common.ts';
import { limitView } from './limits.ts';
import { bodyOf, flagValue, id64, id64OrNull, immutableOption, name64, object, paging, queryFlag, queryOf, tag, tags, text, textOrNull } from './schemas.ts';

interface ProjectBody {
  readonly id?: string;
  readonly name?: string;
  readonly description?: string | null;
  readonly domain_id?: string | null;
  readonly parent_id?: string | null;
  readonly enabled?: boolean;
  readonly is_domain?: boolean;
  readonly tags?: readonly string[];
  readonly options?: Readonly<Record<string, unknown>>;
}

const KNOWN = ['id', 'name', 'description', 'domain_id', 'parent_id', 'enabled', 'is_domain', 'tags', 'options', 'explicit_domain_id'];

const createBody = bodyOf<ProjectBody & { readonly name: string }>()(
  'project',
  {
    name: name64,
    description: textOrNull,
    domain_id: id64OrNull,
    parent_id: id64OrNull,
    enabled: flagValue,
    is_domain: flagValue,
    tags,
    options: immutableOption,
  },
  { required: ['name'] },
);
const updateBody = bodyOf<ProjectBody>()(
  'project',
  { name: name64, description: textOrNull, enabled: flagValue, tags, options: immutableOption },
  { minProperties: 1 },
);
const listQuery = queryOf({
  domain_id: id64,
  enabled: queryFlag,
  name: name64,
  parent_id: id64,
  is_domain: queryFlag,
  tags: text,
  'tags-any': text,
  'not-tags': text,
  'not-tags-any': text,
  ...paging,
});
const tagsAnswer = Type.Object({ tags: Type.Array(Type.String()), links: selfLink });
const tagsBody = Type.Unsafe<{ readonly tags: readonly string[] }>(object({ tags }, { required: ['tags'], closed: true }));

export const projectView = (project: Project) => ({
  ...project.extra,
  id: project.id,
  name: project.name,
  domain_id: project.domainId,
  description: project.description,
  enabled: project.enabled,
  parent_id: project.parentId,
  is_domain: project.isDomain,
  tags: project.tags,
  options: project.options,
});

/** The attributes of a change that the body names. */
export const projectChange = (body: ProjectBody) => {
  const extra = extraOf({ ...body }, KNOWN);
  return {
    ...(body.name !== undefined && { name: body.name }),
    ...(body.description !== undefined && { description: body.description }),
    ...(body.enabled !== undefined && { enabled: body.enabled }),
    ...(body.tags && { tags: body.tags }),
    ...(body.options && { options: body.options }),
    ...(Object.keys(extra).length > 0 && { extra }),
  };
};

/** What a new project or domain takes over from the body. */
export const newProject = (body: ProjectBody & { readonly name: string }) => ({
  name: body.name,
  ...(body.description !== undefined && { description: body.description }),
  ...(body.enabled !== undefined && { enabled: body.enabled }),
  ...(body.tags && { tags: body.tags }),
  ...(body.options && { options: body.options }),
  extra: extraOf({ ...body }, KNOWN, true),
});

/** The project of the path, where there is one. */
async function projectTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const project = await app.projects.find(param(req, 'project_id'));
  return targetOf(req, project ? { project: projectView(project) } : {});
}

const tagList = (req: AnyRequest, name: string): string[] | undefined => req.query.get(name)?.split(',');

/** What a project is shown with, as the query asks. */
async function relatives(app: KeystoneApp, req: AnyRequest, project: Project): Promise<Record<string, unknown>> {
  const parentsAsList = flag(req, 'parents_as_list');
  const parentsAsIds = flag(req, 'parents_as_ids');
  const subtreeAsList = flag(req, 'subtree_as_list');
  const subtreeAsIds = flag(req, 'subtree_as_ids');
  if (parentsAsList && parentsAsIds) throw invalid('Cannot use parents_as_list and parents_as_ids query params at the same time.');
  if (subtreeAsList && subtreeAsIds) throw invalid('Cannot use subtree_as_list and subtree_as_ids query params at the same time.');
  const shown: Record<string, unknown> = {};
  // lists show only what the caller has a role on
  const own = parentsAsList || subtreeAsList ? new Set((await app.assignments.projectsOfUser(req.ctx.userId)).map(({ id }) => id)) : new Set<string>();
  const listed = async (projects: readonly Project[]): Promise<unknown[]> => {
    const entries: unknown[] = [];
    for (const each of projects) {
      if (!own.has(each.id)) continue;
      const limits = flag(req, 'include_limits') ? { limits: (await app.limits.list({ projectId: each.id })).map(limitView) } : {};
      entries.push({ project: { ...withSelf(req, 'projects', projectView(each)), ...limits } });
    }
    return entries;
  };
  if (parentsAsList) shown.parents = await listed(await app.projects.parents(project.id));
  if (parentsAsIds) {
    const parents = await app.projects.parents(project.id);
    shown.parents = parents.reduceRight<Record<string, unknown> | null>((above, parent) => ({ [parent.id]: above }), null);
  }
  if (subtreeAsList) shown.subtree = await listed(await app.projects.subtree(project.id));
  if (subtreeAsIds) {
    const byParent = Map.groupBy(await app.projects.subtree(project.id), (below) => below.parentId ?? '');
    const tree = (id: string): Record<string, unknown> | null => {
      const children = byParent.get(id);
      return children ? Object.fromEntries(children.map((child) => [child.id, tree(child.id)])) : null;
    };
    shown.subtree = tree(project.id);
  }
  return shown;
}

export const projectOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.project.list',
    method: 'GET',
    path: '/v3/projects',
    answer: many('projects', project),
    summary: 'List projects',
    policy: 'identity:list_projects',
    target: domainTarget,
    query: listQuery,
    handle: async (app, req) => {
      const filters = filtersOf(req, ['domain_id', 'enabled', 'name', 'parent_id', 'is_domain'], ['enabled', 'is_domain']);
      if (!req.query.has('is_domain')) filters.push(equals('is_domain', false));
      if (req.ctx.domainId !== undefined) filters.push(equals('domain_id', req.ctx.domainId));
      const wanted = {
        tags: tagList(req, 'tags'),
        tagsAny: tagList(req, 'tags-any'),
        notTags: tagList(req, 'not-tags'),
        notTagsAny: tagList(req, 'not-tags-any'),
      };
      const page = pagingOf(req);
      const asked = Object.fromEntries(Object.entries(wanted).filter(([, list]) => list !== undefined)) as Record<string, string[]>;
      const { projects, hasMore } = await app.projects.list(filters, page, asked);
      return collection(req, 'projects', projects.map(projectView), { hasMore, ...page });
    },
  }),
  op({
    id: 'keystone.project.create',
    method: 'POST',
    path: '/v3/projects',
    answer: one('project', project),
    summary: 'Create a project',
    policy: 'identity:create_project',
    target: (_app, req) => targetOf(req, { project: unchecked(req, 'project') }),
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const body = req.body.project;
      const isDomain = body.is_domain ?? false;
      const domainId = isDomain ? (body.domain_id ?? null) : domainFor(req, body.domain_id);
      const project = await app.projects.create({ ...newProject(body), isDomain, domainId, parentId: body.parent_id || domainId }, who(req));
      return member(req, 'project', 'projects', projectView(project));
    },
  }),
  op({
    id: 'keystone.project.show',
    method: 'GET',
    path: '/v3/projects/{project_id}',
    answer: one('project', projectInTree),
    summary: 'Show a project',
    policy: 'identity:get_project',
    target: projectTarget,
    handle: async (app, req) => {
      const project = await app.projects.get(param(req, 'project_id'));
      return member(req, 'project', 'projects', { ...projectView(project), ...(await relatives(app, req, project)) });
    },
  }),
  op({
    id: 'keystone.project.update',
    method: 'PATCH',
    path: '/v3/projects/{project_id}',
    answer: one('project', project),
    summary: 'Update a project',
    policy: 'identity:update_project',
    target: projectTarget,
    body: updateBody,
    handle: async (app, req) => {
      const body = req.body.project;
      requireSameId(req, 'project_id', body);
      const change = {
        ...projectChange(body),
        ...(body.domain_id !== undefined && { domainId: body.domain_id }),
        ...(body.parent_id !== undefined && { parentId: body.parent_id }),
        ...(body.is_domain !== undefined && { isDomain: body.is_domain }),
      };
      const project = await app.projects.update(param(req, 'project_id'), change, who(req));
      return member(req, 'project', 'projects', { ...projectView(project), extra: project.extra });
    },
  }),
  op({
    id: 'keystone.project.delete',
    method: 'DELETE',
    path: '/v3/projects/{project_id}',
    summary: 'Delete a project',
    policy: 'identity:delete_project',
    target: projectTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      const id = param(req, 'project_id');
      const project = await app.projects.get(id);
      await (project.isDomain ? app.domains.remove(id, who(req)) : app.projects.remove(id, who(req)));
    },
  }),
  op({
    id: 'keystone.project.tags.list',
    method: 'GET',
    path: '/v3/projects/{project_id}/tags',
    answer: tagsAnswer,
    summary: "List a project's tags",
    policy: 'identity:list_project_tags',
    target: projectTarget,
    handle: async (app, req) => ({ tags: (await app.projects.get(param(req, 'project_id'))).tags, links: { self: selfOf(req) } }),
  }),
  op({
    id: 'keystone.project.tags.replace',
    method: 'PUT',
    path: '/v3/projects/{project_id}/tags',
    answer: tagsAnswer,
    summary: "Replace a project's tags",
    policy: 'identity:update_project_tags',
    target: projectTarget,
    body: tagsBody,
    handle: async (app, req) => ({ tags: await app.projects.setTags(param(req, 'project_id'), req.body.tags, who(req)), links: { self: selfOf(req) } }),
  }),
  op({
    id: 'keystone.project.tags.clear',
    method: 'DELETE',
    path: '/v3/projects/{project_id}/tags',
    summary: 'Remove all tags of a project',
    policy: 'identity:delete_project_tags',
    target: projectTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      await app.projects.setTags(param(req, 'project_id'), [], who(req));
    },
  }),
  op({
    id: 'keystone.project.tag.check',
    method: 'GET',
    path: '/v3/projects/{project_id}/tags/{value}',
    summary: 'Check that a project has a tag',
    policy: 'identity:get_project_tag',
    target: projectTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      const { tags: present } = await app.projects.get(param(req, 'project_id'));
      if (!present.includes(param(req, 'value'))) throw projectTagNotFound(param(req, 'value'));
    },
  }),
  op({
    id: 'keystone.project.tag.add',
    method: 'PUT',
    path: '/v3/projects/{project_id}/tags/{value}',
    answer: 'none',
    summary: 'Add a tag to a project',
    policy: 'identity:create_project_tag',
    target: projectTarget,
    success: 201,
    handle: async (app, req) => {
      const id = param(req, 'project_id');
      const value = param(req, 'value');
      if (value.length > 255 || !new RegExp(String(tag.pattern)).test(value))
        throw invalid(`Invalid input for field 'tag': '${value}' does not match '${tag.pattern}'`, 'tag');
      const { tags: present } = await app.projects.get(id);
      if (present.includes(value)) throw invalid(`Invalid input for field 'tags': ${JSON.stringify([...present, value])} has non-unique elements`, 'tags');
      if (present.length >= 80) throw invalid(`Invalid input for field 'tags': a project has 80 tags at most`, 'tags');
      await app.projects.addTag(id, value, who(req));
      return new Reply(undefined, { headers: { Location: `${v3(req)}/projects/${id}/tags/${encodeURIComponent(value)}` } });
    },
  }),
  op({
    id: 'keystone.project.tag.remove',
    method: 'DELETE',
    path: '/v3/projects/{project_id}/tags/{value}',
    summary: 'Remove a tag from a project',
    policy: 'identity:delete_project_tag',
    target: projectTarget,
    success: 204,
    answer: 'none',
    handle: async (app, req) => {
      await app.projects.removeTag(param(req, 'project_id'), param(req, 'value'), who(req));
    },
  }),
];
