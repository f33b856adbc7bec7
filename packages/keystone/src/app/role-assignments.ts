import { findAssignments, SYSTEM_TARGET } from '../store/assignments.ts';
import type { Backends } from '../identity-backends/backends.ts';
import { groupsByIds } from '../store/groups.ts';
import { ancestors, findProject, projectIdsOfDomain, projectsByIds, subtree } from '../store/projects.ts';
import type { AssignmentTable, AssignmentType } from '../store/tables.ts';
import { usersByIds } from '../store/users.ts';
import { projectNotFound } from '../errors.ts';
import type { Core } from './core.ts';
import type { EffectiveRoles, RoleBook } from './effective-roles.ts';

/** One line of a listing. */
export interface RoleAssignment {
  readonly roleId: string;
  readonly userId?: string;
  readonly groupId?: string;
  readonly projectId?: string;
  readonly domainId?: string;
  readonly system?: true;
  /** Held by the projects below the target. */
  readonly inherited?: true;
  /** Where an effective assignment comes from. */
  readonly indirect?: { readonly groupId?: string; readonly projectId?: string; readonly domainId?: string; readonly roleId?: string };
}

export interface AssignmentFilter {
  readonly roleId?: string;
  readonly userId?: string;
  readonly groupId?: string;
  readonly projectId?: string;
  readonly domainId?: string;
  readonly system?: boolean;
  readonly inherited?: boolean;
  readonly effective?: boolean;
  readonly includeSubtree?: boolean;
}

/** Names beside the ids of a listing. */
export interface Names {
  readonly users: ReadonlyMap<string, { readonly name: string; readonly domainId: string }>;
  readonly groups: ReadonlyMap<string, { readonly name: string; readonly domainId: string }>;
  /** Projects and domains. */
  readonly projects: ReadonlyMap<string, { readonly name: string; readonly domainId: string }>;
  readonly roles: RoleBook['roles'];
}

export type RoleAssignments = ReturnType<typeof createRoleAssignments>;

const lineOf = (row: AssignmentTable): RoleAssignment => ({
  roleId: row.role_id,
  ...(row.type.startsWith('User') ? { userId: row.actor_id } : { groupId: row.actor_id }),
  ...(row.type.endsWith('Project') && { projectId: row.target_id }),
  ...(row.type.endsWith('Domain') && { domainId: row.target_id }),
  ...(row.type.endsWith('System') && { system: true }),
  ...(row.inherited !== 0 && { inherited: true }),
});

/** GET /v3/role_assignments (keystone/assignment/core.py). */
export function createRoleAssignments(core: Core, parts: { readonly effectiveRoles: EffectiveRoles; readonly backends: Backends }) {
  const { read } = core.env.store;

  async function list(filter: AssignmentFilter): Promise<RoleAssignment[]> {
    const below = filter.projectId !== undefined && filter.includeSubtree ? (await subtree(read, filter.projectId)).map((row) => row.id) : [];
    return filter.effective ? await listEffective(filter, below) : await listDirect(filter, below);
  }

  async function listDirect(filter: AssignmentFilter, below: readonly string[]): Promise<RoleAssignment[]> {
    const actor = filter.userId ?? filter.groupId;
    const targets = filter.projectId !== undefined ? [filter.projectId, ...below] : filter.domainId !== undefined ? [filter.domainId] : undefined;
    const common = { ...(actor !== undefined && { actorIds: [actor] }), ...(filter.roleId !== undefined && { roleId: filter.roleId }) };
    const rows: AssignmentTable[] = [];
    if (!filter.system) {
      rows.push(
        ...(await findAssignments(read, {
          ...common,
          types: typesOf(filter),
          ...(targets && { targetIds: targets }),
          ...(filter.inherited !== undefined && { inherited: filter.inherited }),
        })),
      );
    }
    if (filter.system || targets === undefined) {
      const types: AssignmentType[] =
        filter.userId !== undefined ? ['UserSystem'] : filter.groupId !== undefined ? ['GroupSystem'] : ['UserSystem', 'GroupSystem'];
      rows.push(...(await findAssignments(read, { ...common, types, targetIds: [SYSTEM_TARGET] })));
    }
    return rows.map(lineOf);
  }

  async function listEffective(filter: AssignmentFilter, below: readonly string[]): Promise<RoleAssignment[]> {
    if (filter.groupId !== undefined || (filter.domainId !== undefined && filter.inherited)) return [];
    const inherited = filter.domainId !== undefined ? false : filter.inherited;
    const rows = await rowsFor(filter, filter.userId === undefined ? undefined : [filter.userId], 'User', below, inherited);
    if (filter.userId !== undefined) {
      const { groupIds } = await parts.effectiveRoles.memberships(read, filter.userId);
      if (groupIds.length > 0) rows.push(...(await rowsFor(filter, groupIds, 'Group', below, inherited)));
    }
    const book = await parts.effectiveRoles.book();
    const lines: RoleAssignment[] = [];
    for (const row of rows) lines.push(...(await expand(lineOf(row), filter, below)));
    return addImplied(lines, book).filter(
      (line) => book.roles.get(line.roleId)?.domainId === null && (filter.roleId === undefined || line.roleId === filter.roleId),
    );
  }

  /** Direct assignments on what is asked for, and inherited ones that reach it. */
  async function rowsFor(
    filter: AssignmentFilter,
    actorIds: readonly string[] | undefined,
    kind: 'User' | 'Group',
    below: readonly string[],
    inherited: boolean | undefined,
  ): Promise<AssignmentTable[]> {
    const kinds: ('User' | 'Group')[] = actorIds ? [kind] : ['User', 'Group'];
    const types = (...targets: ('Project' | 'Domain')[]): AssignmentType[] =>
      kinds.flatMap((actor) => targets.map((target): AssignmentType => `${actor}${target}`));
    const actors = actorIds && { actorIds };
    const rows: AssignmentTable[] = [];
    const { projectId, domainId } = filter;
    if (inherited !== true) {
      const targets =
        projectId !== undefined
          ? { targetIds: [projectId, ...below], types: types('Project') }
          : domainId !== undefined
            ? { targetIds: [domainId], types: types('Domain') }
            : { types: types('Project', 'Domain') };
      rows.push(...(await findAssignments(read, { ...actors, ...targets, inherited: false })));
    }
    if (inherited !== false) {
      if (projectId !== undefined) {
        const project = await findProject(read, projectId);
        if (!project) throw projectNotFound(projectId);
        rows.push(...(await findAssignments(read, { ...actors, targetIds: [project.domain_id], types: types('Domain'), inherited: true })));
        const sources = (await ancestors(read, project)).map((row) => row.id);
        if (below.length > 0) sources.push(projectId, ...below);
        rows.push(...(await findAssignments(read, { ...actors, targetIds: sources, types: types('Project'), inherited: true })));
      } else rows.push(...(await findAssignments(read, { ...actors, types: types('Project', 'Domain'), inherited: true })));
    }
    return rows;
  }

  /** One line per user of a group, and per project that inherits. */
  async function expand(line: RoleAssignment, filter: AssignmentFilter, below: readonly string[]): Promise<RoleAssignment[]> {
    const byUser = await expandGroup(line, filter.userId);
    if (!line.inherited) return byUser;
    const projectIds = await heirsOf(line, filter.projectId, below);
    return byUser.flatMap((each) => {
      const { inherited: _inherited, projectId, domainId, ...rest } = each;
      const from = projectId === undefined ? { domainId: domainId as string } : { projectId };
      return projectIds.map((heir) => ({ ...rest, projectId: heir, indirect: { ...rest.indirect, ...from } }));
    });
  }

  async function expandGroup(line: RoleAssignment, userId: string | undefined): Promise<RoleAssignment[]> {
    const { groupId, ...rest } = line;
    if (groupId === undefined) return [line];
    const members = userId === undefined ? await ((await parts.backends.elsewhere('group', groupId)) ?? parts.backends.sql).userIdsOf(groupId) : [userId];
    return members.map((member) => ({ ...rest, userId: member, indirect: { ...rest.indirect, groupId } }));
  }

  async function heirsOf(line: RoleAssignment, projectId: string | undefined, below: readonly string[]): Promise<string[]> {
    if (projectId !== undefined) {
      const wanted = [projectId, ...below];
      // with the subtree asked for, the source may itself be in it: only what is below the source inherits
      if (below.length > 0 && line.projectId !== undefined && wanted.includes(line.projectId))
        return (await subtree(read, line.projectId)).map((row) => row.id);
      return wanted;
    }
    if (line.domainId !== undefined) return await projectIdsOfDomain(read, line.domainId);
    return (await subtree(read, line.projectId as string)).map((row) => row.id);
  }

  async function names(lines: readonly RoleAssignment[]): Promise<Names> {
    const ids = (pick: (line: RoleAssignment) => string | undefined): string[] => [...new Set(lines.map(pick).filter((id) => id !== undefined))];
    const { backends } = parts;
    const [userIds, groupIds] = [ids((line) => line.userId), ids((line) => line.groupId)];
    const users = await withOthers(await usersByIds(read, userIds), userIds, async (id) => (await (await backends.elsewhere('user', id))?.user(id))?.user);
    const groups = await withOthers(await groupsByIds(read, groupIds), groupIds, async (id) => await (await backends.elsewhere('group', id))?.group(id));
    const targets = await projectsByIds(read, [...ids((line) => line.projectId), ...ids((line) => line.domainId)]);
    const book = await parts.effectiveRoles.book();
    const domainIds = [...users, ...groups, ...targets].map((row) => row.domain_id);
    const roleDomains = ids((line) => book.roles.get(line.roleId)?.domainId ?? undefined);
    const domains = await projectsByIds(read, [...new Set([...domainIds, ...roleDomains])]);
    const index = (rows: readonly NamedRow[]) => new Map(rows.map((row) => [row.id, { name: row.name, domainId: row.domain_id }]));
    return { users: index(users), groups: index(groups), projects: index([...targets, ...domains]), roles: book.roles };
  }

  return { list, names };
}

interface NamedRow {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string;
}

/** The rows, and those of the ids that another program knows. */
async function withOthers(
  rows: readonly NamedRow[],
  ids: readonly string[],
  ask: (id: string) => Promise<{ readonly id: string; readonly name: string; readonly domainId: string } | undefined>,
): Promise<NamedRow[]> {
  const known = new Set(rows.map((row) => row.id));
  const others: NamedRow[] = [];
  for (const id of ids) {
    const found = known.has(id) ? undefined : await ask(id);
    if (found) others.push({ id: found.id, name: found.name, domain_id: found.domainId });
  }
  return [...rows, ...others];
}

/** Every line once more per role that its role implies, naming the role that implied it. */
function addImplied(lines: readonly RoleAssignment[], book: RoleBook): RoleAssignment[] {
  const result = [...lines];
  const seen = new Set<string>();
  const open = [...lines];
  for (let line = open.pop(); line !== undefined; line = open.pop()) {
    seen.add(JSON.stringify(line));
    for (const impliedId of book.implied.get(line.roleId) ?? []) {
      const implied = { ...line, roleId: impliedId, indirect: { ...line.indirect, roleId: line.roleId } };
      if (seen.has(JSON.stringify(implied))) continue;
      result.push(implied);
      open.push(implied);
    }
  }
  return result;
}

const typesOf = (filter: AssignmentFilter): AssignmentType[] => {
  const actors = filter.userId !== undefined ? (['User'] as const) : filter.groupId !== undefined ? (['Group'] as const) : (['User', 'Group'] as const);
  const targets =
    filter.projectId !== undefined ? (['Project'] as const) : filter.domainId !== undefined ? (['Domain'] as const) : (['Project', 'Domain'] as const);
  return actors.flatMap((actor) => targets.map((target): AssignmentType => `${actor}${target}`));
};
