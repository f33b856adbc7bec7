import type { CairnError } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { applicationCredentialKey, groupKey, ROLE_BOOK, ROLES, userKey } from '../cache/changes.ts';
import {
  ambiguous,
  conflicting,
  domainNotFound,
  duplicate,
  immutableDelete,
  immutableUpdate,
  impliedRoleNotFound,
  invalid,
  notFoundText,
  refused,
  roleNotFound,
} from '../errors.ts';
import { deleteApplicationCredentials } from '../store/application-credentials.ts';
import { deleteAssignments } from '../store/assignments.ts';
import type { ListFilter } from '../store/lists.ts';
import { findProject, shownDomain } from '../store/projects.ts';
import * as store from '../store/roles.ts';
import { ROOT_DOMAIN, type RoleTable } from '../store/tables.ts';
import { type Core, type Extra, type Initiator, isImmutable, liftsImmutable, mergeOptions, notify, type ResourceOptions, touch, writeUnique } from './core.ts';

export interface Role {
  readonly id: string;
  readonly name: string;
  /** null for a role of no domain. */
  readonly domainId: string | null;
  readonly description: string | null;
  readonly options: ResourceOptions;
  readonly extra: Extra;
}

export interface NewRole {
  readonly name: string;
  readonly domainId?: string | null;
  readonly description?: string | null;
  readonly options?: ResourceOptions;
  readonly extra?: Extra;
}

export type Roles = ReturnType<typeof createRoles>;

/** Roles that no other may imply: upstream's `prohibited_implied_role`. */
const NEVER_IMPLIED = ['admin'];

export const roleModel = (row: RoleTable): Role => ({
  id: row.id,
  name: row.name,
  domainId: shownDomain(row.domain_id),
  description: row.description,
  options: fromJson<ResourceOptions>(row.options),
  extra: fromJson<Extra>(row.extra),
});

export function createRoles(core: Core) {
  const { env } = core;
  const { read } = env.store;

  async function create(role: NewRole, who: Initiator): Promise<Role> {
    const domainId = role.domainId ?? ROOT_DOMAIN;
    const conflict = (): CairnError => duplicate('role', role.name, role.domainId);
    const row: RoleTable = {
      id: env.ids.hex(),
      name: role.name,
      domain_id: domainId,
      description: role.description ?? null,
      options: toJson(mergeOptions({}, role.options)),
      extra: toJson(role.extra ?? {}),
    };
    await writeUnique(core, conflict, async (tx) => {
      if (role.domainId && !(await findProject(tx, role.domainId))?.is_domain) throw domainNotFound(role.domainId);
      if (await store.findRoleByName(tx, role.name, domainId)) throw conflict();
      await store.insertRole(tx, row);
      await touch(core, tx, [ROLE_BOOK]);
      await notify(core, tx, who, 'created', 'role', row.id);
    });
    return roleModel(row);
  }

  async function update(id: string, change: Partial<NewRole>, who: Initiator): Promise<Role> {
    return await writeUnique(
      core,
      () => duplicate('role', change.name ?? ''),
      async (tx) => {
        const row = await rowOf(tx, id);
        const before = roleModel(row);
        if (isImmutable(before.options) && !liftsImmutable(change as Record<string, unknown>, change.options)) throw immutableUpdate('role', id);
        if (change.domainId !== undefined && change.domainId !== before.domainId) throw invalid('Update of `domain_id` is not allowed.', 'domain_id');
        const name = change.name ?? row.name;
        if (name !== row.name && (await store.findRoleByName(tx, name, row.domain_id))) throw duplicate('role', name, before.domainId);
        const changed = {
          name,
          options: toJson(mergeOptions(before.options, change.options)),
          extra: toJson({ ...before.extra, ...change.extra }),
          ...(change.description !== undefined && { description: change.description }),
        };
        await store.updateRole(tx, id, changed);
        await touch(core, tx, [ROLES, ROLE_BOOK]);
        await notify(core, tx, who, 'updated', 'role', id);
        return roleModel({ ...row, ...changed });
      },
    );
  }

  async function remove(id: string, who: Initiator): Promise<void> {
    await env.store.write(async (tx) => {
      const row = await rowOf(tx, id);
      if (isImmutable(fromJson<ResourceOptions>(row.options))) throw immutableDelete('role', id);
      await removeRow(tx, id, who);
    });
  }

  async function removeRow(tx: Tx, id: string, who: Initiator): Promise<void> {
    const lost = await deleteAssignments(tx, { roleId: id });
    const credentials: string[] = [];
    for (const assignment of lost) {
      // what a user delegated on a project rested on the role too
      if (assignment.type === 'UserProject')
        credentials.push(...(await deleteApplicationCredentials(tx, { userId: assignment.actor_id, projectId: assignment.target_id })));
    }
    await store.deleteRole(tx, id);
    const actors = lost.map((row) => (row.type.startsWith('User') ? userKey(row.actor_id) : groupKey(row.actor_id)));
    await touch(core, tx, [ROLES, ROLE_BOOK, ...actors, ...credentials.map(applicationCredentialKey)]);
    await notify(core, tx, who, 'deleted', 'role', id);
  }

  async function imply(priorId: string, impliedId: string): Promise<void> {
    const duplicateRule = (): CairnError => conflicting('implied_role', 'Duplicate entry');
    await writeUnique(core, duplicateRule, async (tx) => {
      const implied = await rowOf(tx, impliedId);
      const prior = await rowOf(tx, priorId);
      const fromGlobalToDomain = prior.domain_id === ROOT_DOMAIN && implied.domain_id !== ROOT_DOMAIN;
      if (NEVER_IMPLIED.includes(implied.name) || fromGlobalToDomain) throw refused(`${impliedId} cannot be an implied roles.`);
      if (await store.isImplied(tx, priorId, impliedId)) throw duplicateRule();
      await store.insertImplied(tx, priorId, impliedId);
      await touch(core, tx, [ROLES, ROLE_BOOK]);
    });
  }

  async function unimply(priorId: string, impliedId: string): Promise<void> {
    await env.store.write(async (tx) => {
      if (!(await store.isImplied(tx, priorId, impliedId))) throw impliedRoleNotFound(priorId, impliedId);
      await store.deleteImplied(tx, priorId, impliedId);
      await touch(core, tx, [ROLES, ROLE_BOOK]);
    });
  }

  return {
    create,
    update,
    remove,
    removeRow,
    imply,
    unimply,
    get: async (id: string): Promise<Role> => roleModel(await rowOf(read, id)),
    find: async (id: string): Promise<Role | undefined> => {
      const row = await store.findRole(read, id);
      return row && roleModel(row);
    },
    findByName: async (name: string): Promise<Role | undefined> => {
      const row = await store.findRoleByName(read, name, ROOT_DOMAIN);
      return row && roleModel(row);
    },
    /** The one role with the name, of whatever domain. */
    uniqueByName: async (name: string): Promise<Role> => {
      const rows = await store.rolesByName(read, name);
      if (rows.length > 1) throw ambiguous('role', name);
      if (!rows[0]) throw roleNotFoundByName(name);
      return roleModel(rows[0]);
    },
    byIds: async (ids: readonly string[]): Promise<Role[]> => (await store.rolesByIds(read, ids)).map(roleModel),
    /** A `domain_id` of null asks for the roles of no domain. */
    list: async (filters: readonly ListFilter[]): Promise<Role[]> => {
      const stored = filters.map((filter) => (filter.field === 'domain_id' && filter.value === null ? { ...filter, value: ROOT_DOMAIN } : filter));
      return (await store.listRoles(read, stored)).map(roleModel);
    },
    impliedBy: async (priorId: string): Promise<Role[]> => (await store.rolesByIds(read, await store.impliedBy(read, priorId))).map(roleModel),
    isImplied: async (priorId: string, impliedId: string): Promise<void> => {
      if (!(await store.isImplied(read, priorId, impliedId))) throw impliedRoleNotFound(priorId, impliedId);
    },
    /** Every inference rule, by prior role. */
    inferences: async (): Promise<{ prior: Role; implies: Role[] }[]> => {
      const rules = await store.impliedRoles(read);
      const known = new Map(
        (await store.rolesByIds(read, [...new Set(rules.flatMap((rule) => [rule.prior_role_id, rule.implied_role_id]))])).map((row) => [
          row.id,
          roleModel(row),
        ]),
      );
      const result: { prior: Role; implies: Role[] }[] = [];
      for (const [priorId, of] of Map.groupBy(rules, (rule) => rule.prior_role_id)) {
        const prior = known.get(priorId);
        if (prior) result.push({ prior, implies: of.map((rule) => known.get(rule.implied_role_id)).filter((role) => role !== undefined) });
      }
      return result;
    },
  };
}

const roleNotFoundByName = (name: string): CairnError => notFoundText(`Role ${name} is not defined`);

async function rowOf(db: Db, id: string): Promise<RoleTable> {
  const row = await store.findRole(db, id);
  if (!row) throw roleNotFound(id);
  return row;
}
