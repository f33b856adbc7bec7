import Alert from '@cloudscape-design/components/alert';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { useProjectName } from '../identity/names.ts';
import { projectsQuery } from '../identity/queries.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { propertiesOf } from './properties.ts';
import { flavorAccessQuery, flavorQuery } from './queries.ts';

type Spec = readonly [string, string];

/** A flavor: its extra specs, and for which projects it is. */
export function FlavorPage() {
  const { t } = useTranslation();
  const { flavorId } = useParams({ from: '/flavors/$flavorId' });
  const { data: flavor, error } = useQuery(flavorQuery(flavorId));
  const specsQuery = useMemo(
    () => ({
      ...flavorQuery(flavorId),
      select: ({ extra_specs = {} }: { extra_specs?: Readonly<Record<string, string>> }): readonly Spec[] => Object.entries(extra_specs),
    }),
    [flavorId],
  );
  const columns = useMemo<readonly Column<Spec>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ([name]) => name },
      { id: 'value', header: t('admin.value'), value: ([, value]) => value },
    ],
    [t],
  );
  if (error !== null) return <Alert type="error">{error.message}</Alert>;
  if (flavor === undefined) return <Waiting />;
  const path = `/v2.1/flavors/${encodeURIComponent(flavorId)}`;
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={flavor.description ?? ''}>
        {flavor.name}
      </Header>
      <Container>
        <KeyValuePairs
          columns={3}
          items={[
            { label: t('fields.id'), value: flavor.id },
            { label: t('admin.vcpus'), value: flavor.vcpus },
            { label: t('admin.ramMb'), value: flavor.ram },
            { label: t('admin.diskGb'), value: flavor.disk },
            { label: t('admin.ephemeralGb'), value: flavor['OS-FLV-EXT-DATA:ephemeral'] },
            { label: t('admin.swapMb'), value: flavor.swap },
          ]}
        />
      </Container>
      <ListPage
        inner
        name="extra-specs"
        title={t('admin.extraSpecs')}
        query={specsQuery}
        columns={columns}
        keyOf={([name]) => name}
        labelOf={([name]) => name}
        remove={(name) => api('compute', `${path}/os-extra_specs/${encodeURIComponent(name)}`, { method: 'DELETE' })}
        empty={{ title: t('admin.noSpecs'), text: t('admin.specsHelp') }}
        create={{ label: t('admin.addSpecs'), form: (close) => <AddSpecs path={path} close={close} /> }}
      />
      {flavor['os-flavor-access:is_public'] ? <Alert type="info">{t('admin.flavorForAll')}</Alert> : <Access flavorId={flavorId} path={path} />}
    </SpaceBetween>
  );
}

function AddSpecs({ path, close }: { readonly path: string; readonly close: () => void }) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('admin.addSpecs')}
      confirm={t('identity.add')}
      fields={{ specs: { kind: 'lines', label: t('admin.extraSpecs'), help: t('admin.propertiesHelp'), required: true } }}
      wrong={({ specs }) => ({ specs: propertiesOf(specs) === undefined ? t('admin.badProperties') : undefined })}
      send={({ specs }) => api('compute', `${path}/os-extra_specs`, { method: 'POST', body: { extra_specs: propertiesOf(specs) } })}
      touches={[['flavors']]}
      close={close}
    />
  );
}

interface AccessProps {
  readonly flavorId: string;
  readonly path: string;
}

function Access({ flavorId, path }: AccessProps) {
  const { t } = useTranslation();
  const projectName = useProjectName();
  const query = useMemo(() => flavorAccessQuery(flavorId), [flavorId]);
  const columns = useMemo<readonly Column<{ readonly tenant_id: string }>[]>(
    () => [{ id: 'project', header: t('session.project'), value: ({ tenant_id }) => projectName(tenant_id) }],
    [t, projectName],
  );
  return (
    <ListPage
      inner
      name="flavor-access"
      title={t('admin.flavorAccess')}
      query={query}
      columns={columns}
      keyOf={({ tenant_id }) => tenant_id}
      labelOf={({ tenant_id }) => projectName(tenant_id)}
      remove={(tenant) => api('compute', `${path}/action`, { method: 'POST', body: { removeTenantAccess: { tenant } } })}
      removeWords={{ label: t('identity.takeOut'), title: t('identity.takeOut'), text: t('admin.takeAccessText') }}
      empty={{ title: t('admin.noAccess'), text: t('admin.accessHelp') }}
      create={{ label: t('admin.giveAccess'), form: (close) => <GiveAccess path={path} close={close} /> }}
    />
  );
}

function GiveAccess({ path, close }: { readonly path: string; readonly close: () => void }) {
  const { t } = useTranslation();
  const { data: projects = [] } = useQuery(projectsQuery);
  const options = projects.map(({ id, name }) => ({ value: id, label: name, description: id }));
  return (
    <FormDialog
      title={t('admin.giveAccess')}
      confirm={t('identity.add')}
      fields={{ project: { kind: 'choice', label: t('session.project'), options } }}
      send={({ project }) => api('compute', `${path}/action`, { method: 'POST', body: { addTenantAccess: { tenant: project } } })}
      touches={[['flavors']]}
      close={close}
    />
  );
}
