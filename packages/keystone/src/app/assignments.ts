import type { Db, Tx } from '@cairn/kit/store/store';
import { toBit } from '@cairn/kit/store/values';
import { groupKey, userKey } from '../cache/changes.ts';
import { assignmentNotFound, domainNotFound, invalid, projectNotFound, refused, roleNotFound } from '../errors.ts';
import { deleteAssignment, findAssignments, hasAssignment, insertAssignment, SYSTEM_TARGET } from '../store/assignments.ts';
import { findProject, projectsByIds } from '../store/projects.ts';
import { findRole, rolesByIds } from '../store/roles.ts';
import { type AssignmentTable, type AssignmentType, ROOT_DOMAIN } from '../store/tables.ts';
import { type Core, type Initiator, notify, touch } from './core.ts';
import type { EffectiveRoles } from './effective-roles.ts';
import { type Project, projectModels } from './projects.ts';
import { type Role, roleModel } from './roles.ts';

/** Who holds a role, and on what. */
export interface Grant {
  readonly actor: { readonly userId: string } | { readonly groupId: string };
  readonly target: { readonly projectId: string } | { readonly domainId: string } | 'system';
  /** Inherited by the projects below, and not held on the target itself. */
  readonly inherited?: boolean;
}

export type Assignments = ReturnType<typeof createAssignments>;

/** A grant as it is stored, but for the role. */
function rowOf(grant: Grant): Omit<AssignmentTable, 'role_id'> {
  const user = 'userId' in grant.actor;
  const actor_id = 'userId' in grant.actor ? grant.actor.userId : grant.actor.groupId;
  const inherited = toBit(grant.inherited ?? false);
  const kind = (on: 'Project' | 'Domain' | 'System'): AssignmentType => `${user ? 'User' : 'Group'}${on}`;
  if (grant.target === 'system') return { type: kind('System'), actor_id, target_id: SYSTEM_TARGET, inherited };
  if ('projectId' in grant.target) return { type: kind('Project'), actor_id, target_id: grant.target.projectId, inherited };
  return { type: kind('Domain'), actor_id, target_id: grant.target.domainId, inherited };
}

const actorKey = (grant: Grant): string => ('userId' in grant.actor ? userKey(grant.actor.userId) : groupKey(grant.actor.groupId));

/** Roles held by users and groups on projects, domains and the system. */
export function createAssignments(core: Core, parts: { readonly effectiveRoles: EffectiveRoles }) {
  const { env } = core;
  const { read } = env.store;

  async function create(grant: Grant, roleId: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      const role = await findRole(tx, roleId);
      if (!role) throw roleNotFound(roleId);
      const domainId = await checkTarget(tx, grant);
      if (role.domain_id !== ROOT_DOMAIN) {
        if (grant.target === 'system') {
          throw invalid(`Role ${roleId} is a domain-specific role. Unable to use a domain-specific role in a system assignment.`, 'role_id');
        }
        if ('projectId' in grant.target && role.domain_id !== domainId) {
          throw refused(`Project ${grant.target.projectId} must be in the same domain as the role ${roleId} being assigned.`);
        }
      }
      const row = { ...rowOf(grant), role_id: roleId };
      if (await hasAssignment(tx, row)) return;
      await insertAssignment(tx, row);
      await changed(tx, grant, row, who, 'created');
    });
  }

  async function remove(grant: Grant, roleId: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await findRole(tx, roleId))) throw roleNotFound(roleId);
      await checkTarget(tx, grant);
      const row = { ...rowOf(grant), role_id: roleId };
      if (!(await deleteAssignment(tx, row))) throw assignmentNotFound(roleId, row.actor_id, row.target_id);
      await changed(tx, grant, row, who, 'deleted');
    });
  }

  async function changed(tx: Tx, grant: Grant, row: AssignmentTable, who: Initiator, operation: 'created' | 'deleted'): Promise<void> {
    await touch(core, tx, [actorKey(grant)]);
    const actor = 'userId' in grant.actor ? { user: grant.actor.userId } : { group: grant.actor.groupId };
    const target =
      grant.target === 'system' ? { system: 'all' } : 'projectId' in grant.target ? { project: grant.target.projectId } : { domain: grant.target.domainId };
    await notify(core, tx, who, operation, 'role_assignment', row.role_id, {
      role: row.role_id,
      ...actor,
      ...target,
      inherited_to_projects: row.inherited !== 0,
    });
  }

  async function check(grant: Grant, roleId: string): Promise<void> {
    if (!(await findRole(read, roleId))) throw roleNotFound(roleId);
    await checkTarget(read, grant);
    const row = { ...rowOf(grant), role_id: roleId };
    if (!(await hasAssignment(read, row))) throw assignmentNotFound(roleId, row.actor_id, row.target_id);
  }

  async function list(grant: Grant): Promise<Role[]> {
    await checkTarget(read, grant);
    const row = rowOf(grant);
    const rows = await findAssignments(read, { actorIds: [row.actor_id], targetIds: [row.target_id], inherited: row.inherited !== 0 });
    const roles = await rolesByIds(read, [...new Set(rows.filter((found) => found.type === row.type).map((found) => found.role_id))]);
    return roles.map(roleModel);
  }

  /** Projects on which the user holds a role, by id. */
  async function projectsOfUser(userId: string, alsoGroupIds?: readonly string[]): Promise<Project[]> {
    return await projectModels(read, await projectsByIds(read, await parts.effectiveRoles.projectIdsOf(read, userId, alsoGroupIds)));
  }

  async function domainsOfUser(userId: string, alsoGroupIds?: readonly string[]): Promise<Project[]> {
    return await projectModels(read, await projectsByIds(read, await parts.effectiveRoles.domainIdsOf(read, userId, alsoGroupIds)));
  }

  return { create, remove, check, list, projectsOfUser, domainsOfUser };
}

/** The target's own domain; throws where it is not there. */
async function checkTarget(db: Db, grant: Grant): Promise<string | undefined> {
  if (grant.target === 'system') return undefined;
  if ('domainId' in grant.target) {
    const domain = await findProject(db, grant.target.domainId);
    if (!domain?.is_domain) throw domainNotFound(grant.target.domainId);
    return domain.id;
  }
  const project = await findProject(db, grant.target.projectId);
  if (!project) throw projectNotFound(grant.target.projectId);
  return project.domain_id;
}
