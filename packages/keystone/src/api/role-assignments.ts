import { type AnyOperation, AUTHENTICATED } from '@cairn/kit/http/operation';
import type { AssignmentFilter, Names, RoleAssignment } from '../app/role-assignments.ts';
import { invalid } from '../errors.ts';
import { roleAssignment } from './answers/assignments.ts';
import { many } from './answers/envelope.ts';
import { type AnyRequest, domainTarget, flag, type KeystoneApp, listing, op, v3 } from './common.ts';
import { id64, queryOf, text } from './schemas.ts';

const query = queryOf({ 'group.id': id64, 'role.id': id64, 'scope.domain.id': id64, 'scope.project.id': id64, 'user.id': text });

function filterOf(req: AnyRequest): AssignmentFilter {
  const given = (name: string): string | undefined => req.query.get(name) || undefined;
  const system = given('scope.system');
  const [domainId, projectId, userId, groupId] = [given('scope.domain.id'), given('scope.project.id'), given('user.id'), given('group.id')];
  const inherited = req.query.has('scope.OS-INHERIT:inherited_to') ? req.query.get('scope.OS-INHERIT:inherited_to') === 'projects' : undefined;
  const effective = flag(req, 'effective');
  if (domainId && projectId) throw invalid('Specify a domain or project, not both');
  if (domainId && system) throw invalid('Specify system or domain, not both');
  if (projectId && system) throw invalid('Specify system or project, not both');
  if (userId && groupId) throw invalid('Specify a user or group, not both');
  if (effective && groupId) throw invalid('Combining effective and group filter will always result in an empty list.');
  if (effective && inherited && domainId) throw invalid('Combining effective, domain and inherited filters will always result in an empty list.');
  return {
    ...pick('roleId', given('role.id')),
    ...pick('userId', userId),
    ...pick('groupId', groupId),
    ...pick('projectId', projectId),
    ...pick('domainId', domainId),
    ...(system === 'all' && { system: true }),
    ...(inherited !== undefined && { inherited }),
    effective,
    includeSubtree: flag(req, 'include_subtree'),
  };
}

/** An entry of the list, with the links that upstream gives it (keystone/api/role_assignments.py). */
function entryView(req: AnyRequest, line: RoleAssignment, names: Names | undefined): Record<string, unknown> {
  const links: Record<string, string> = {};
  const { indirect } = line;
  const nameOf = (id: string): string => names?.projects.get(id)?.name ?? '';
  const domainRef = (id: string) => ({ id, name: nameOf(id) });
  const inherited = line.inherited || indirect?.domainId !== undefined || indirect?.projectId !== undefined;
  const scope: Record<string, unknown> = {};
  let path = '/system';
  if (line.projectId !== undefined) {
    const project = names?.projects.get(line.projectId);
    scope.project = { id: line.projectId, ...(names && { name: project?.name ?? '', domain: domainRef(project?.domainId ?? '') }) };
    path = indirect?.domainId !== undefined ? `/domains/${indirect.domainId}` : `/projects/${indirect?.projectId ?? line.projectId}`;
  } else if (line.domainId !== undefined) {
    scope.domain = { id: line.domainId, ...(names && { name: nameOf(line.domainId) }) };
    path = `/domains/${line.domainId}`;
  } else scope.system = { all: true };
  const entry: Record<string, unknown> = { scope, links };
  const actor = (known: ReadonlyMap<string, { readonly name: string; readonly domainId: string }> | undefined, id: string) => {
    const found = known?.get(id);
    return { id, ...(names && { name: found?.name ?? '', domain: domainRef(found?.domainId ?? '') }) };
  };
  if (line.userId !== undefined) {
    entry.user = actor(names?.users, line.userId);
    if (indirect?.groupId !== undefined) {
      links.membership = `${v3(req)}/groups/${indirect.groupId}/users/${line.userId}`;
      path += `/groups/${indirect.groupId}`;
    } else path += `/users/${line.userId}`;
  } else if (line.groupId !== undefined) {
    entry.group = actor(names?.groups, line.groupId);
    path += `/groups/${line.groupId}`;
  }
  const role = names?.roles.get(line.roleId);
  entry.role = { id: line.roleId, ...(names && { name: role?.name ?? '', ...(role?.domainId && { domain: domainRef(role.domainId) }) }) };
  path += `/roles/${indirect?.roleId ?? line.roleId}`;
  if (indirect?.roleId !== undefined) links.prior_role = `${v3(req)}/prior_role/${line.roleId}/implies/${indirect.roleId}`;
  if (inherited) {
    scope['OS-INHERIT:inherited_to'] = 'projects';
    path = `/OS-INHERIT${path}/inherited_to_projects`;
  }
  links.assignment = `${v3(req)}${path}`;
  return entry;
}

/** A caller with a domain scope sees what is on the domain and its projects. */
async function inDomain(app: KeystoneApp, lines: readonly RoleAssignment[], domainId: string): Promise<RoleAssignment[]> {
  const { projects } = await app.roleAssignments.names(lines);
  return lines.filter((line) => line.domainId === domainId || (line.projectId !== undefined && projects.get(line.projectId)?.domainId === domainId));
}

export const roleAssignmentOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.role_assignment.list',
    method: 'GET',
    path: '/v3/role_assignments',
    answer: many('role_assignments', roleAssignment),
    summary: 'List role assignments',
    policy: AUTHENTICATED,
    asks: 'identity:list_role_assignments',
    query,
    handle: async (app, req) => {
      const tree = flag(req, 'include_subtree');
      if (tree) {
        const id = req.query.get('scope.project.id');
        const project = id ? await app.projects.get(id) : undefined;
        req.authorize(
          'identity:list_role_assignments_for_tree',
          project ? { target: { project: { id: project.id, domain_id: project.domainId }, domain_id: project.domainId } } : {},
        );
        if (!project) throw invalid('scope.project.id must be specified if include_subtree is also specified', 'scope.project.id');
      } else req.authorize('identity:list_role_assignments', domainTarget(app, req));
      let lines = await app.roleAssignments.list(filterOf(req));
      if (!tree && req.ctx.domainId !== undefined) lines = await inDomain(app, lines, req.ctx.domainId);
      const names = flag(req, 'include_names') ? await app.roleAssignments.names(lines) : undefined;
      return listing(
        req,
        'role_assignments',
        lines.map((line) => entryView(req, line, names)),
      );
    },
  }),
];

const pick = <K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } =>
  (value === undefined ? {} : { [key]: value }) as { readonly [P in K]?: string };
