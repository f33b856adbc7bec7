import type { Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { domainKey } from '../cache/changes.ts';
import { domainNotFound, immutableDelete, refused } from '../errors.ts';
import { groupIdsOfDomain } from '../store/groups.ts';
import { deleteMappingsOfDomain, mappingsOfDomain } from '../store/id-mappings.ts';
import { deleteLimitsOf } from '../store/limits.ts';
import type { ListFilter, Paging } from '../store/lists.ts';
import { findProject, projectsOfDomain } from '../store/projects.ts';
import { roleIdsOfDomain } from '../store/roles.ts';
import type { ProjectTable } from '../store/tables.ts';
import { userIdsOfDomain } from '../store/users.ts';
import { type Core, type Initiator, isImmutable, notify, type ResourceOptions, touch } from './core.ts';
import type { IdentityProviders } from './federation/identity-providers.ts';
import type { DomainConfigs } from './domain-config.ts';
import type { Groups } from './groups.ts';
import type { NewProject, Project, ProjectChange, Projects } from './projects.ts';
import type { Roles } from './roles.ts';
import type { Users } from './users.ts';

export type Domains = ReturnType<typeof createDomains>;

/** Domains: projects that act as such. */
export function createDomains(
  core: Core,
  parts: {
    readonly projects: Projects;
    readonly users: Users;
    readonly groups: Groups;
    readonly roles: Roles;
    readonly identityProviders: IdentityProviders;
    readonly domainConfigs: DomainConfigs;
  },
) {
  const { env } = core;
  const { projects, users, groups, roles, domainConfigs } = parts;

  async function create(domain: Omit<NewProject, 'domainId' | 'parentId' | 'isDomain'>, who: Initiator): Promise<Project> {
    return await projects.create({ ...domain, domainId: null, parentId: null, isDomain: true }, who);
  }

  async function update(id: string, change: Omit<ProjectChange, 'domainId' | 'parentId' | 'isDomain'>, who: Initiator): Promise<Project> {
    await projects.getDomain(id);
    return await projects.update(id, change, who);
  }

  const list = async (filters: readonly ListFilter[], paging: Paging): Promise<{ domains: Project[]; hasMore: boolean }> => {
    const { projects: domains, hasMore } = await projects.list(
      [...filters, { field: 'is_domain', comparator: 'equals', ignoreCase: false, value: true }],
      paging,
    );
    return { domains, hasMore };
  };

  /** Removes a disabled domain with everything in it. */
  async function remove(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      const row = await findProject(tx, id);
      if (!row?.is_domain) throw domainNotFound(id);
      if (isImmutable(fromJson<ResourceOptions>(row.options))) throw immutableDelete('domain', id);
      if (row.enabled) throw refused('Cannot delete a domain that is enabled, please disable it first.');
      for (const project of leavesFirst(await projectsOfDomain(tx, id), id)) await projects.removeRow(tx, project.id, who);
      await parts.identityProviders.removeOfDomain(tx, id, who);
      await removeActors(tx, id, who);
      await deleteLimitsOf(tx, { domainId: id });
      await domainConfigs.removeAll(tx, id);
      await projects.removeRow(tx, id, who);
      await touch(core, tx, [domainKey(id)]);
      await notify(core, tx, who, 'deleted', 'domain', id);
    });
  }

  async function removeActors(tx: Tx, domainId: string, who: Initiator): Promise<void> {
    for (const groupId of await groupIdsOfDomain(tx, domainId)) await groups.removeRow(tx, groupId, who);
    for (const userId of await userIdsOfDomain(tx, domainId)) await users.removeRow(tx, userId, who);
    for (const { public_id: id, entity_type: type } of await mappingsOfDomain(tx, domainId)) {
      if (type === 'group') await groups.removeRow(tx, id, who);
      else await users.removeRow(tx, id, who);
    }
    await deleteMappingsOfDomain(tx, domainId);
    for (const roleId of await roleIdsOfDomain(tx, domainId)) await roles.removeRow(tx, roleId, who);
  }

  return { create, update, list, remove, get: (id: string): Promise<Project> => projects.getDomain(id) };
}

/** Children before their parents. */
function leavesFirst(rows: readonly ProjectTable[], domainId: string): ProjectTable[] {
  const byParent = Map.groupBy(rows, (row) => row.parent_id ?? '');
  const ordered: ProjectTable[] = [];
  const visit = (id: string): void => {
    for (const child of byParent.get(id) ?? []) {
      visit(child.id);
      ordered.push(child);
    }
  };
  visit(domainId);
  return ordered;
}
