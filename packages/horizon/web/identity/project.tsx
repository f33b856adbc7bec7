import Alert from '@cloudscape-design/components/alert';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Waiting } from '../parts/waiting.tsx';
import { Assignments } from './assignments.tsx';
import { QuotaForm } from './quota-form.tsx';
import { projectQuery } from './queries.ts';

/** A project: who is in it with which roles, and how much it may have. */
export function ProjectPage() {
  const { t } = useTranslation();
  const { projectId } = useParams({ from: '/projects/$projectId' });
  const { data: project, error } = useQuery(projectQuery(projectId));
  const filter = useMemo(() => ({ projectId }), [projectId]);
  if (error !== null) return <Alert type="error">{error.message}</Alert>;
  if (project === undefined) return <Waiting />;
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={project.description ?? ''}>
        {project.name}
      </Header>
      <Assignments title={t('identity.members')} filter={filter} />
      <QuotaForm projectId={projectId} />
    </SpaceBetween>
  );
}
