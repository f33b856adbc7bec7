import { isCairnError } from '@cairn/kit/errors/errors';
import { forbiddenText, roleNotFound } from '../../errors.ts';
import type { MappedProject } from '../../federation/mapping.ts';
import { findAssignments } from '../../store/assignments.ts';
import { findProjectByName } from '../../store/projects.ts';
import type { Assignments } from '../assignments.ts';
import type { Core, Initiator } from '../core.ts';
import type { EffectiveRoles } from '../effective-roles.ts';
import type { Projects } from '../projects.ts';
import type { Role } from '../roles.ts';

/** A project of a mapping, its domain and roles found. */
export interface PlannedProject {
  readonly name: string;
  readonly domainId: string;
  readonly roleIds: readonly string[];
}

interface Parts {
  readonly projects: Projects;
  readonly assignments: Assignments;
  readonly effectiveRoles: EffectiveRoles;
}

/** Projects and roles that a mapping gives a user (keystone/auth/plugins/mapped.py). */
export function createProvision(core: Core, parts: Parts) {
  const { read } = core.env.store;

  /** Looks everything up before anything is made. Throws NotFound for a role that is not there, Forbidden for one of another domain. */
  async function plan(
    wanted: readonly MappedProject[],
    of: { readonly userDomainId: string; readonly idpId: string; domainIdOf(project: MappedProject): Promise<string> },
  ): Promise<PlannedProject[]> {
    const roles = new Map<string, Role>();
    for (const role of (await parts.effectiveRoles.book()).roles.values()) {
      if (role.domainId === null || (role.domainId === of.userDomainId && !roles.has(role.name)) || !roles.has(role.name)) roles.set(role.name, role);
    }
    const planned: PlannedProject[] = [];
    for (const project of wanted) {
      const roleIds = project.roles.map(({ name }) => {
        const role = roles.get(name);
        if (!role) throw roleNotFound(name);
        if (role.domainId !== null && role.domainId !== of.userDomainId) {
          throw forbiddenText(`role: ${name} must be within the same domain as the identity provider: ${of.idpId}.`);
        }
        return role.id;
      });
      planned.push({ name: project.name, domainId: await of.domainIdOf(project), roleIds: [...new Set(roleIds)] });
    }
    return planned;
  }

  async function projectId(project: PlannedProject, who: Initiator): Promise<string> {
    const found = await findProjectByName(read, project.name, project.domainId);
    if (found) return found.id;
    try {
      return (await parts.projects.create({ name: project.name, domainId: project.domainId, parentId: project.domainId }, who)).id;
    } catch (error) {
      // somebody else's log-in may have made it meanwhile
      const made = isCairnError(error, 'Conflict') ? await findProjectByName(read, project.name, project.domainId) : undefined;
      if (!made) throw error;
      return made.id;
    }
  }

  /** Makes projects and gives roles. With `sync` the user also loses every role on a project that the mapping no longer gives. */
  async function carryOut(planned: readonly PlannedProject[], userId: string, options: { readonly sync: boolean; readonly who: Initiator }): Promise<void> {
    const { who } = options;
    const held = await findAssignments(read, { actorIds: [userId], types: ['UserProject'], inherited: false });
    const given = new Set<string>();
    for (const project of planned) {
      const id = await projectId(project, who);
      for (const roleId of project.roleIds) {
        given.add(`${id} ${roleId}`);
        if (!held.some((row) => row.target_id === id && row.role_id === roleId)) {
          await parts.assignments.create({ actor: { userId }, target: { projectId: id } }, roleId, who);
        }
      }
    }
    if (!options.sync) return;
    for (const row of held) {
      if (given.has(`${row.target_id} ${row.role_id}`)) continue;
      await parts.assignments.remove({ actor: { userId }, target: { projectId: row.target_id } }, row.role_id, who);
    }
  }

  return { plan, carryOut };
}
