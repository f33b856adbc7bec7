import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type RowAction, RowActions } from '../parts/row-actions.tsx';
import { useSession } from '../session/session.ts';
import { Enabled } from './domains.tsx';
import { useDomainChoices, useDomainName } from './names.ts';
import { useEnabling } from './enable.ts';
import { change, create, type Project, projectsQuery, remove } from './queries.ts';

/** All projects that the session may see. */
export function ProjectsPage() {
  const { t } = useTranslation();
  const { session } = useSession();
  const domainName = useDomainName();
  const own = ({ id }: Project): string | undefined => (id === session.project?.id ? t('identity.ownProject') : undefined);
  const actions: readonly RowAction<Project>[] = [
    { id: 'edit', text: t('identity.edit'), dialog: (project, close) => <ProjectForm project={project} close={close} /> },
    ...useEnabling<Project>('projects', 'project', own),
  ];
  const columns = useMemo<readonly Column<Project>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name, cell: ({ id, name }) => <PageLink to={`/projects/${id}`}>{name}</PageLink> },
      { id: 'domain', header: t('signIn.domain'), value: ({ domain_id }) => domainName(domain_id) },
      {
        id: 'enabled',
        header: t('identity.enabled'),
        value: ({ enabled }) => (enabled ? t('yes') : t('no')),
        cell: ({ enabled }) => <Enabled enabled={enabled} />,
      },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, domainName],
  );
  return (
    <ListPage
      name="projects"
      title={t('pages.projects')}
      query={projectsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      kept={own}
      remove={(id) => remove('projects', id)}
      actions={(rows) => <RowActions rows={rows} actions={actions} keyOf={({ id }) => id} labelOf={({ name }) => name} touches={[projectsQuery.queryKey]} />}
      empty={{ title: t('identity.noProjects'), text: t('identity.projectsHelp') }}
      create={{ label: t('identity.createProject'), form: (close) => <ProjectForm close={close} /> }}
    />
  );
}

function ProjectForm({ project, close }: { readonly project?: Project; readonly close: () => void }) {
  const { t } = useTranslation();
  const { choices, initial } = useDomainChoices();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), initial: project?.name, required: true },
    description: { kind: 'text', label: t('fields.description'), initial: project?.description ?? '' },
    ...(project === undefined && { domain_id: { kind: 'choice', label: t('signIn.domain'), options: choices, initial } as const }),
  } as const;
  return (
    <FormDialog
      title={project === undefined ? t('identity.createProject') : t('identity.edit')}
      confirm={project === undefined ? t('create') : t('identity.save')}
      fields={fields}
      send={(body) => (project === undefined ? create('projects', 'project', body) : change('projects', 'project', project.id, body))}
      touches={[projectsQuery.queryKey]}
      close={close}
    />
  );
}
