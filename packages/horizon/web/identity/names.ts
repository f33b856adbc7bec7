import { useQuery } from '@tanstack/react-query';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Choice } from '../parts/form-model.ts';
import { useSession } from '../session/session.ts';
import { domainsQuery, groupsQuery, projectsQuery, rolesQuery, usersQuery } from './queries.ts';

/** A domain's name where it may be known, else its id. */
export function useDomainName(): (id: string | null) => string {
  const { data } = useQuery({ ...domainsQuery, retry: false });
  return useCallback((id) => data?.find((domain) => domain.id === id)?.name ?? id ?? '', [data]);
}

/** A project's name where it may be known, else its id. */
export function useProjectName(): (id: string | null | undefined) => string {
  const { data } = useQuery({ ...projectsQuery, retry: false });
  return useCallback((id) => data?.find((project) => project.id === id)?.name ?? id ?? '', [data]);
}

/** Domains to choose from; who may not list them has the own one. */
export function useDomainChoices(): { readonly choices: readonly Choice[]; readonly initial: string } {
  const { session } = useSession();
  const { data } = useQuery({ ...domainsQuery, retry: false });
  const own = session.domain ?? session.project?.domain ?? session.user.domain;
  return useMemo(() => ({ choices: (data ?? [own]).map(({ id, name }) => ({ value: id, label: name })), initial: own.id }), [data, own]);
}

const byLabel = (a: Choice, b: Choice): number => a.label.localeCompare(b.label);

/** Users and groups to choose from, as `user:ID` and `group:ID`. */
export function useActorChoices(): readonly Choice[] {
  const { t } = useTranslation();
  const domainName = useDomainName();
  const { data: users = [] } = useQuery(usersQuery);
  const { data: groups = [] } = useQuery(groupsQuery);
  return useMemo(
    () => [
      ...users
        .map(({ id, name, domain_id }) => ({ value: `user:${id}`, label: name, description: `${t('identity.user')} · ${domainName(domain_id)}` }))
        .sort(byLabel),
      ...groups
        .map(({ id, name, domain_id }) => ({ value: `group:${id}`, label: name, description: `${t('identity.group')} · ${domainName(domain_id)}` }))
        .sort(byLabel),
    ],
    [users, groups, domainName, t],
  );
}

/** Projects, domains and the whole system to choose from, as `project:ID`, `domain:ID` and `system:all`. */
export function useTargetChoices(): readonly Choice[] {
  const { t } = useTranslation();
  const domainName = useDomainName();
  const { data: projects = [] } = useQuery(projectsQuery);
  const { data: domains = [] } = useQuery({ ...domainsQuery, retry: false });
  return useMemo(
    () => [
      ...projects
        .map(({ id, name, domain_id }) => ({ value: `project:${id}`, label: name, description: `${t('session.project')} · ${domainName(domain_id)}` }))
        .sort(byLabel),
      ...domains.map(({ id, name }) => ({ value: `domain:${id}`, label: name, description: t('signIn.domain') })).sort(byLabel),
      { value: 'system:all', label: t('identity.system') },
    ],
    [projects, domains, domainName, t],
  );
}

export function useRoleChoices(): readonly Choice[] {
  const { data = [] } = useQuery(rolesQuery);
  return useMemo(() => data.map(({ id, name, description }) => ({ value: id, label: name, ...(description && { description }) })).sort(byLabel), [data]);
}
