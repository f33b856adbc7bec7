import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { useQuery } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { useSession } from '../session/session.ts';
import { type Network, networksQuery, subnetsQuery } from './queries.ts';

/** The networks that the project has or may use. */
export function NetworksPage() {
  const { t } = useTranslation();
  const { session } = useSession();
  const subnets = useQuery(subnetsQuery);
  const columns = useMemo<readonly Column<Network>[]>(() => {
    const ranges = Map.groupBy(subnets.data ?? [], ({ network_id }) => network_id);
    const yesNo = (value: boolean): string => (value ? t('yes') : t('no'));
    return [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'subnets', header: t('fields.subnets'), value: ({ id }) => (ranges.get(id) ?? []).map(({ cidr }) => cidr).join(', ') },
      { id: 'external', header: t('fields.external'), value: (network) => yesNo(network['router:external']) },
      { id: 'shared', header: t('fields.shared'), value: ({ shared }) => yesNo(shared) },
      { id: 'mtu', header: t('fields.mtu'), value: ({ mtu }) => mtu, shown: false },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ];
  }, [t, subnets.data]);
  return (
    <ListPage
      name="networks"
      title={t('pages.networks')}
      query={networksQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      kept={({ project_id }) => (project_id === session.project?.id || session.roles.includes('admin') ? undefined : t('networks.notYours'))}
      remove={(id) => api('network', `/v2.0/networks/${id}`, { method: 'DELETE' })}
      empty={{ title: t('networks.empty'), text: t('networks.emptyText') }}
      create={{ label: t('networks.create'), form: (close) => <CreateNetwork close={close} /> }}
    />
  );
}

function CreateNetwork({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [cidr, setCidr] = useState('10.0.0.0/24');
  const send = async (): Promise<void> => {
    const { network } = await api<{ network: Network }>('network', '/v2.0/networks', { method: 'POST', body: { network: { name } } });
    if (cidr === '') return;
    try {
      const subnet = { network_id: network.id, name, cidr, ip_version: cidr.includes(':') ? 6 : 4 };
      await api('network', '/v2.0/subnets', { method: 'POST', body: { subnet } });
    } catch (error) {
      // half of what was asked for is not what was asked for
      await api('network', `/v2.0/networks/${network.id}`, { method: 'DELETE' }).catch(() => undefined);
      throw error;
    }
  };
  return (
    <CreateDialog
      title={t('networks.create')}
      confirm={t('create')}
      ready={name.trim() !== ''}
      send={send}
      touches={[networksQuery.queryKey, subnetsQuery.queryKey]}
      close={close}
    >
      <FormField label={t('fields.name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
      </FormField>
      <FormField label={t('networks.range')} description={t('networks.rangeHelp')}>
        <Input value={cidr} onChange={({ detail }) => setCidr(detail.value)} spellcheck={false} />
      </FormField>
    </CreateDialog>
  );
}
