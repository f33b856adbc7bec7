import type { Db } from '@cairn/kit/store/store';
import { ROLE_BOOK } from '../cache/changes.ts';
import { Facts } from '../cache/facts.ts';
import { findAssignments, SYSTEM_TARGET } from '../store/assignments.ts';
import type { Backends } from '../identity-backends/backends.ts';
import { expiriesOf } from '../store/federated-users.ts';
import { groupIdsOfUser } from '../store/groups.ts';
import { ancestors, projectIdsOfDomain, subtree } from '../store/projects.ts';
import { impliedRoles, listRoles } from '../store/roles.ts';
import type { AssignmentTable, ProjectTable } from '../store/tables.ts';
import type { Core } from './core.ts';
import { type Role, roleModel } from './roles.ts';

/** All roles and what they imply. */
export interface RoleBook {
  readonly roles: ReadonlyMap<string, Role>;
  readonly implied: ReadonlyMap<string, readonly string[]>;
}

/** What a user holds somewhere, and the groups that counted. */
export interface Held {
  readonly roleIds: readonly string[];
  readonly groupIds: readonly string[];
  /** The last moment before a membership ends by itself, so that less may be held. */
  readonly untilMs: number;
}

/** The groups that count for a user. */
interface Memberships {
  readonly groupIds: readonly string[];
  readonly untilMs: number;
}

export type EffectiveRoles = ReturnType<typeof createEffectiveRoles>;

/** The roles with all that they imply, each once. */
export function withImplied(book: RoleBook, roleIds: Iterable<string>): string[] {
  const found = new Set<string>();
  const open = [...roleIds];
  for (let id = open.pop(); id !== undefined; id = open.pop()) {
    if (found.has(id)) continue;
    found.add(id);
    open.push(...(book.implied.get(id) ?? []));
  }
  return [...found];
}

/** What a user may do where, with groups, inheritance and implied roles (keystone/assignment/core.py). */
export function createEffectiveRoles(core: Core, parts: { readonly backends: Backends }) {
  const books = new Facts<RoleBook>(core.changes, 1);
  const { read } = core.env.store;

  async function book(): Promise<RoleBook> {
    const found = await books.get('', async () => {
      const rows = await listRoles(read, []);
      const rules = await impliedRoles(read);
      const implied = new Map([...Map.groupBy(rules, (rule) => rule.prior_role_id)].map(([prior, of]) => [prior, of.map((rule) => rule.implied_role_id)]));
      return { value: { roles: new Map(rows.map((row) => [row.id, roleModel(row)])), implied }, keys: [ROLE_BOOK] };
    });
    return found as RoleBook;
  }

  /** Domain roles only imply others; by themselves they mean nothing to a service. */
  async function effective(rows: readonly AssignmentTable[], stripDomainRoles = true): Promise<string[]> {
    const known = await book();
    return withImplied(
      known,
      rows.map((row) => row.role_id),
    ).filter((id) => (stripDomainRoles ? known.roles.get(id)?.domainId === null : known.roles.has(id)));
  }

  /** Lasting memberships, those that a mapping gave for a while, and those that a federated token brings along. */
  async function memberships(db: Db, userId: string, alsoGroupIds: readonly string[] = []): Promise<Memberships> {
    const expiring = await expiriesOf(db, userId, core.env.clock.nowMs());
    const own = await groupIdsOfUser(db, userId);
    const elsewhere = own.length > 0 ? undefined : await parts.backends.elsewhere('user', userId);
    const groupIds = [...new Set([...own, ...((await elsewhere?.groupIdsOf(userId)) ?? []), ...expiring.keys(), ...alsoGroupIds])];
    return { groupIds, untilMs: Math.min(Number.MAX_SAFE_INTEGER, ...[...expiring.values()].map((endMs) => endMs - 1)) };
  }

  async function onProject(
    db: Db,
    userId: string,
    project: ProjectTable,
    options: { readonly stripDomainRoles?: boolean; readonly alsoGroupIds?: readonly string[] | undefined } = {},
  ): Promise<Held> {
    const { groupIds, untilMs } = await memberships(db, userId, options.alsoGroupIds);
    const above = (await ancestors(db, project)).map((row) => row.id);
    const rows = await findAssignments(db, { actorIds: [userId, ...groupIds], targetIds: [project.id, ...above] });
    const counting = rows.filter(
      (row) => byActor(row, userId) && (row.inherited ? above.includes(row.target_id) : row.target_id === project.id && row.type.endsWith('Project')),
    );
    return { roleIds: await effective(counting, options.stripDomainRoles ?? true), groupIds, untilMs };
  }

  async function onDomain(db: Db, userId: string, domainId: string, alsoGroupIds?: readonly string[]): Promise<Held> {
    const { groupIds, untilMs } = await memberships(db, userId, alsoGroupIds);
    const rows = await findAssignments(db, { actorIds: [userId, ...groupIds], targetIds: [domainId], inherited: false, types: ['UserDomain', 'GroupDomain'] });
    return { roleIds: await effective(rows.filter((row) => byActor(row, userId))), groupIds, untilMs };
  }

  async function onSystem(db: Db, userId: string, alsoGroupIds?: readonly string[]): Promise<Held> {
    const { groupIds, untilMs } = await memberships(db, userId, alsoGroupIds);
    const rows = await findAssignments(db, { actorIds: [userId, ...groupIds], targetIds: [SYSTEM_TARGET], types: ['UserSystem', 'GroupSystem'] });
    return { roleIds: await effective(rows.filter((row) => byActor(row, userId))), groupIds, untilMs };
  }

  /** Every project on which the user holds a role that counts. */
  async function projectIdsOf(db: Db, userId: string, alsoGroupIds?: readonly string[]): Promise<string[]> {
    const { groupIds } = await memberships(db, userId, alsoGroupIds);
    const rows = (await findAssignments(db, { actorIds: [userId, ...groupIds], types: ['UserProject', 'GroupProject', 'UserDomain', 'GroupDomain'] })).filter(
      (row) => byActor(row, userId),
    );
    const found = new Set<string>();
    for (const row of rows) {
      if ((await effective([row])).length === 0) continue;
      if (!row.inherited) {
        if (row.type.endsWith('Project')) found.add(row.target_id);
      } else if (row.type.endsWith('Domain')) for (const id of await projectIdsOfDomain(db, row.target_id)) found.add(id);
      else for (const project of await subtree(db, row.target_id)) found.add(project.id);
    }
    return [...found];
  }

  async function domainIdsOf(db: Db, userId: string, alsoGroupIds?: readonly string[]): Promise<string[]> {
    const { groupIds } = await memberships(db, userId, alsoGroupIds);
    const rows = await findAssignments(db, { actorIds: [userId, ...groupIds], types: ['UserDomain', 'GroupDomain'], inherited: false });
    const found = new Set<string>();
    for (const row of rows) if (byActor(row, userId) && (await effective([row])).length > 0) found.add(row.target_id);
    return [...found];
  }

  return { book, memberships, onProject, onDomain, onSystem, projectIdsOf, domainIdsOf };
}

const byActor = (row: AssignmentTable, userId: string): boolean => row.type.startsWith('User') === (row.actor_id === userId);
