import ProgressBar from '@cloudscape-design/components/progress-bar';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type RowAction, RowActions } from '../parts/row-actions.tsx';
import { type Hypervisor, hypervisorsQuery, switchService } from './queries.ts';

const key = ({ id }: Hypervisor): string => id;
const label = ({ hypervisor_hostname }: Hypervisor): string => hypervisor_hostname;
/** What is touched by putting a host out of use. */
export const HOST_KEYS = [['hypervisors'], ['compute-services'], ['aggregates']] as const;

/** Used of what there is, as a bar; more than all is all. */
function Load({ used, all }: { readonly used: number; readonly all: number }) {
  const { t } = useTranslation();
  return (
    <ProgressBar
      value={all <= 0 ? 0 : Math.min(100, Math.round((100 * used) / all))}
      additionalInfo={t('overview.of', { used, limit: all })}
      ariaLabel={t('admin.load')}
    />
  );
}

export function HostState({ host }: { readonly host: Pick<Hypervisor, 'state' | 'status'> }) {
  const { t } = useTranslation();
  if (host.state === 'down') return <StatusIndicator type="error">{t('states.down')}</StatusIndicator>;
  return (
    <StatusIndicator type={host.status === 'enabled' ? 'success' : 'stopped'}>
      {host.status === 'enabled' ? t('admin.inUse') : t('identity.isOut')}
    </StatusIndicator>
  );
}

/** The compute hosts: how loaded they are, how many guests they have, and whether new ones may come. */
export function HostsPage() {
  const { t } = useTranslation();
  const actions: readonly RowAction<Hypervisor>[] = [
    {
      id: 'disable',
      text: t('admin.disableHost'),
      why: ({ status }) => (status === 'disabled' ? t('identity.isDisabled') : undefined),
      dialog: (host, close) => <DisableHost host={host} close={close} />,
    },
    {
      id: 'enable',
      text: t('admin.enableHost'),
      ask: t('admin.enableHostText'),
      why: ({ status }) => (status === 'enabled' ? t('identity.isEnabled') : undefined),
      run: ({ service }) => switchService(service.id, { status: 'enabled' }),
    },
  ];
  const columns = useMemo<readonly Column<Hypervisor>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: label, cell: (host) => <PageLink to={`/hosts/${host.id}`}>{label(host)}</PageLink> },
      { id: 'state', header: t('fields.status'), value: ({ state, status }) => `${state} ${status}`, cell: (host) => <HostState host={host} /> },
      { id: 'guests', header: t('pages.servers'), value: ({ running_vms }) => running_vms },
      { id: 'vcpus', header: t('admin.vcpus'), value: ({ vcpus_used }) => vcpus_used, cell: (host) => <Load used={host.vcpus_used} all={host.vcpus} /> },
      {
        id: 'ram',
        header: t('admin.ramMb'),
        value: ({ memory_mb_used }) => memory_mb_used,
        cell: (host) => <Load used={host.memory_mb_used} all={host.memory_mb} />,
      },
      {
        id: 'disk',
        header: t('admin.diskGb'),
        value: ({ local_gb_used }) => local_gb_used,
        cell: (host) => <Load used={host.local_gb_used} all={host.local_gb} />,
      },
      { id: 'reason', header: t('admin.reason'), value: ({ service }) => service.disabled_reason ?? '' },
      { id: 'type', header: t('fields.type'), value: ({ hypervisor_type }) => hypervisor_type, shown: false },
      { id: 'ip', header: t('fields.addresses'), value: ({ host_ip }) => host_ip, shown: false },
      { id: 'id', header: t('fields.id'), value: key, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      name="hosts"
      title={t('pages.hosts')}
      query={hypervisorsQuery}
      columns={columns}
      keyOf={key}
      labelOf={label}
      actions={(rows) => <RowActions rows={rows} actions={actions} keyOf={key} labelOf={label} touches={HOST_KEYS} />}
      empty={{ title: t('admin.noHosts'), text: t('admin.hostsHelp') }}
    />
  );
}

/** Asks why, which others then read. */
export function DisableHost({ host, close }: { readonly host: Hypervisor; readonly close: () => void }) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('admin.disableHost')}
      confirm={t('admin.disableHost')}
      fields={{ reason: { kind: 'text', label: t('admin.reason'), help: t('admin.disableHostText'), required: true } }}
      send={({ reason }) => switchService(host.service.id, { status: 'disabled', disabled_reason: reason.trim() })}
      touches={HOST_KEYS}
      close={close}
    />
  );
}
