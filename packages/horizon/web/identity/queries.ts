import { queryOptions } from '@tanstack/react-query';
import type { Answers } from '../api/answers.ts';
import { type Answer, api, type Row, type Shown } from '../api/client.ts';

export type Domain = Row<'keystone.domain.list'>;
export type Project = Row<'keystone.project.list'>;
/** `email` and `description` are what somebody wrote there, of whatever type. */
export type User = Row<'keystone.user.list'>;
/** What is text of what somebody wrote. */
export const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
export type Group = Row<'keystone.group.list'>;
export type Role = Row<'keystone.role.list'>;
/** One role of somebody somewhere, as `include_names` shows it. */
export type Assignment = Answer<'keystone.role_assignment.list'>['role_assignments'][number];

/** All pages of a list of the identity service, by the `next` links that it gives. */
async function pagesOf<T extends keyof Answers>(path: string, key: string, signal: AbortSignal): Promise<readonly Row<T>[]> {
  const rows: Row<T>[] = [];
  for (let next: string | undefined = path; next !== undefined; ) {
    const page: Record<string, unknown> = await api<Record<string, unknown>>('identity', next, { signal });
    rows.push(...((page[key] ?? []) as readonly Row<T>[]));
    const link = (page['links'] as { readonly next?: string | null } | undefined)?.next;
    next = link === null || link === undefined ? undefined : path.replace(/\?.*$/, '') + new URL(link, location.origin).search;
  }
  return rows;
}

const list = <T extends keyof Answers>(name: string) =>
  queryOptions({ queryKey: [name] as const, queryFn: ({ signal }) => pagesOf<T>(`/v3/${name}`, name, signal) });

export const domainsQuery = list<'keystone.domain.list'>('domains');
export const projectsQuery = list<'keystone.project.list'>('projects');
export const usersQuery = list<'keystone.user.list'>('users');
export const groupsQuery = list<'keystone.group.list'>('groups');
export const rolesQuery = list<'keystone.role.list'>('roles');

const one = <T extends keyof Answers>(plural: string, key: string, id: string) =>
  queryOptions({
    queryKey: [plural, id] as const,
    queryFn: async ({ signal }) => (await api<Record<string, Shown<T>>>('identity', `/v3/${plural}/${encodeURIComponent(id)}`, { signal }))[key] as Shown<T>,
  });
export const projectQuery = (id: string) => one<'keystone.project.show'>('projects', 'project', id);
export const userQuery = (id: string) => one<'keystone.user.show'>('users', 'user', id);
export const groupQuery = (id: string) => one<'keystone.group.show'>('groups', 'group', id);

export const membersQuery = (groupId: string) =>
  queryOptions({
    queryKey: ['groups', groupId, 'users'] as const,
    queryFn: ({ signal }) => pagesOf<'keystone.group.users'>(`/v3/groups/${encodeURIComponent(groupId)}/users`, 'users', signal),
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
      return (await api<'keystone.role_assignment.list'>('identity', `/v3/role_assignments?${asked}`, { signal })).role_assignments;
    },
  });

export const create = (plural: string, key: string, body: object): Promise<unknown> =>
  api('identity', `/v3/${plural}`, { method: 'POST', body: { [key]: body } });
export const change = (plural: string, key: string, id: string, body: object): Promise<unknown> =>
  api('identity', `/v3/${plural}/${encodeURIComponent(id)}`, { method: 'PATCH', body: { [key]: body } });
export const remove = (plural: string, id: string): Promise<unknown> => api('identity', `/v3/${plural}/${encodeURIComponent(id)}`, { method: 'DELETE' });
