import { projectKey, userKey } from '../cache/changes.ts';
import { Facts } from '../cache/facts.ts';
import { findProject, findProjectByName } from '../store/projects.ts';
import { type ProjectTable, ROOT_DOMAIN } from '../store/tables.ts';
import { findUser, findUserByName, type UserWithPassword } from '../store/users.ts';
import type { Backends } from '../identity-backends/backends.ts';
import type { Compliance } from './compliance.ts';
import type { Core } from './core.ts';
import { type UserSecret, userSecretOf } from './users.ts';

export type Lookups = ReturnType<typeof createLookups>;

const SIZE = 10_000;

/**
 * What a login looks up, kept while it holds. Only what was found is kept: an entry rests on the user or project with its id, and whoever takes
 * over a name changed that user or project first.
 */
export function createLookups(core: Core, parts: { readonly compliance: Compliance; readonly backends: Backends }) {
  const { read } = core.env.store;
  const users = new Facts<UserSecret>(core.changes, SIZE);
  const projects = new Facts<ProjectTable>(core.changes, SIZE);

  const user = (id: string, load: () => Promise<UserWithPassword | undefined>): Promise<UserSecret | undefined> =>
    users.get(id, async () => {
      const row = await load();
      return row && { value: userSecretOf(parts.compliance, row, core.env.clock.nowMs()), keys: [userKey(row.id)] };
    });
  const project = (id: string, load: () => Promise<ProjectTable | undefined>): Promise<ProjectTable | undefined> =>
    projects.get(id, async () => {
      const row = await load();
      return row && { value: row, keys: [projectKey(row.id)] };
    });

  return {
    /** A user of another program is asked for each time; what rests on the answer says how long it is believed. */
    userById: async (id: string): Promise<UserSecret | undefined> =>
      (await user(id, () => findUser(read, id))) ?? (await (await parts.backends.elsewhere('user', id))?.user(id)),
    userByName: async (name: string, domainId: string): Promise<UserSecret | undefined> => {
      const backend = await parts.backends.ofDomain(domainId);
      if (backend !== parts.backends.sql) return await backend.userByName(name, domainId);
      return await user(`${domainId}\0${name}`, () => findUserByName(read, name, domainId));
    },
    projectById: (id: string) => project(id, () => findProject(read, id)),
    projectByName: (name: string, domainId: string) => project(`${domainId}\0${name}`, () => findProjectByName(read, name, domainId)),
    domainByName: (name: string) => project(`\0${name}`, () => findProjectByName(read, name, ROOT_DOMAIN)),
  };
}
