import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import Tabs from '@cloudscape-design/components/tabs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { download } from '../parts/download.ts';
import { useSession } from '../session/session.ts';
import { AppCredentials } from './app-credentials.tsx';
import { Ec2Credentials } from './ec2-credentials.tsx';
import { cloudsYamlOf, openrcOf } from './files.ts';

/** How programs reach the cloud: endpoints, files for the openstack command, and keys for programs. */
export function AccessPage() {
  const { t } = useTranslation();
  const { session, region } = useSession();
  const [tab, setTab] = useState('endpoints');
  const facts = { ...session, region, origin: location.origin };
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description={t('access.help')}
        actions={
          <SpaceBetween size="xs" direction="horizontal">
            <Button iconName="download" onClick={() => download('openrc.sh', openrcOf(facts))}>
              {t('access.openrc')}
            </Button>
            <Button iconName="download" onClick={() => download('clouds.yaml', cloudsYamlOf(facts))}>
              {t('access.cloudsYaml')}
            </Button>
          </SpaceBetween>
        }
      >
        {t('pages.api-access')}
      </Header>
      <Tabs
        ariaLabel={t('access.tabs')}
        activeTabId={tab}
        onChange={({ detail }) => setTab(detail.activeTabId)}
        tabs={[
          { id: 'endpoints', label: t('access.endpoints'), content: <Endpoints /> },
          { id: 'application', label: t('access.application'), content: <AppCredentials /> },
          { id: 'ec2', label: t('access.ec2'), content: <Ec2Credentials /> },
        ]}
      />
    </SpaceBetween>
  );
}

function Endpoints() {
  const { t } = useTranslation();
  const { session } = useSession();
  return (
    <Table
      variant="embedded"
      items={[...session.catalog]}
      ariaLabels={{ tableLabel: t('access.endpoints') }}
      empty={t('access.noEndpoints')}
      columnDefinitions={[
        { id: 'type', header: t('access.service'), cell: ({ type }) => type, isRowHeader: true },
        { id: 'name', header: t('fields.name'), cell: ({ name }) => name },
        { id: 'region', header: t('access.region'), cell: ({ region }) => region },
        { id: 'url', header: t('access.url'), cell: ({ url }) => url },
      ]}
    />
  );
}
