import { queryOptions } from '@tanstack/react-query';
import { api } from '../api/client.ts';

export interface Domain {
  readonly id: string;
  readonly name: string;
  readonly description: string | null;
  readonly enabled: boolean;
}
export interface Project extends Domain {
  readonly domain_id: string | null;
  readonly parent_id: string | null;
}
export interface User {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string;
  readonly enabled: boolean;
  readonly email?: string | null;
  readonly description?: string | null;
  readonly default_project_id?: string | null;
  readonly password_expires_at?: string | null;
}
export interface Group {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string;
  readonly description: string | null;
}
export interface Role {
  readonly id: string;
  readonly name: string;
  readonly domain_id: string | null;
  readonly description: string | null;
}
interface Named {
  readonly id: string;
  readonly name?: string;
}
/** One role of somebody somewhere, as `include_names` shows it. */
export interface Assignment {
  readonly role: Named;
  readonly user?: Named;
  readonly group?: Named;
  readonly scope: { readonly project?: Named; readonly domain?: Named; readonly system?: object; readonly 'OS-INHERIT:inherited_to'?: string };
}

/** All pages of a list of the identity service, by the `next` links that it gives. */
async function pagesOf<T>(path: string, key: string, signal: AbortSignal): Promise<readonly T[]> {
  const rows: T[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const page: Record<string, unknown> = await api<Record<string, unknown>>('identity', next, { signal });
    rows.push(...((page[key] ?? []) as readonly T[]));
    const link = (page['links'] as { readonly next?: string | null } | undefined)?.next;
    next = link === null || link === undefined ? undefined : path.replace(/\?.*$/, '') + new URL(link, location.origin).search;
  }
  return rows;
}

const list = <T>(name: string) =>
  queryOptions({ queryKey: [name] as const, queryFn: ({ signal }): Promise<readonly T[]> => pagesOf<T>(`/v3/${name}`, name, signal) });

export const domainsQuery = list<Domain>('domains');
export const projectsQuery = list<Project>('projects');
export const usersQuery = list<User>('users');
export const groupsQuery = list<Group>('groups');
export const rolesQuery = list<Role>('roles');

const one = <T>(plural: string, key: string, id: string) =>
  queryOptions({
    queryKey: [plural, id] as const,
    queryFn: async ({ signal }) => (await api<Record<string, T>>('identity', `/v3/${plural}/${encodeURIComponent(id)}`, { signal }))[key] as T,
  });
export const projectQuery = (id: string) => one<Project>('projects', 'project', id);
export const userQuery = (id: string) => one<User>('users', 'user', id);
export const groupQuery = (id: string) => one<Group>('groups', 'group', id);

export const membersQuery = (groupId: string) =>
  queryOptions({
    queryKey: ['groups', groupId, 'users'] as const,
    queryFn: ({ signal }) => pagesOf<User>(`/v3/groups/${encodeURIComponent(groupId)}/users`, 'users', signal),
  });

/** Whose roles, or roles where, are asked for; nothing is everybody's everywhere. */
export interface AssignmentFilter {
  readonly projectId?: string;
  readonly domainId?: string;
  readonly userId?: string;
  readonly groupId?: string;
}
export const assignmentsQuery = ({ projectId, domainId, userId, groupId }: AssignmentFilter) =>
  queryOptions({
    queryKey: ['role-assignments', projectId, domainId, userId, groupId] as const,
    queryFn: async ({ signal }) => {
      const asked = new URLSearchParams({
        include_names: 'true',
        ...(projectId !== undefined && { 'scope.project.id': projectId }),
        ...(domainId !== undefined && { 'scope.domain.id': domainId }),
        ...(userId !== undefined && { 'user.id': userId }),
        ...(groupId !== undefined && { 'group.id': groupId }),
      });
      return (await api<{ role_assignments: readonly Assignment[] }>('identity', `/v3/role_assignments?${asked}`, { signal })).role_assignments;
    },
  });

export const create = <T>(plural: string, key: string, body: object): Promise<T> =>
  api<Record<string, T>>('identity', `/v3/${plural}`, { method: 'POST', body: { [key]: body } }).then((answer) => answer[key] as T);
export const change = (plural: string, key: string, id: string, body: object): Promise<unknown> =>
  api('identity', `/v3/${plural}/${encodeURIComponent(id)}`, { method: 'PATCH', body: { [key]: body } });
export const remove = (plural: string, id: string): Promise<unknown> => api('identity', `/v3/${plural}/${encodeURIComponent(id)}`, { method: 'DELETE' });
