import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table, { type TableProps } from '@cloudscape-design/components/table';
import { type UseQueryResult, useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { networksQuery } from '../networks/queries.ts';
import { PageLink } from '../parts/page-link.tsx';
import { Status } from '../parts/status.tsx';
import { useSession } from '../session/session.ts';
import { hindranceOf } from './actions.ts';
import { attachmentsQuery, type Attachment, type Interface, interfacesQuery, useVolumes } from './devices.ts';
import { AttachInterface, AttachVolume, DetachInterface, DetachVolume } from './dialogs/devices.tsx';
import { useHindranceWords } from './hindrance-words.ts';
import type { Server } from './queries.ts';

type Open = 'attach' | { readonly detach: string };

interface DeviceTableProps<T> {
  readonly server: Server;
  readonly title: string;
  readonly empty: string;
  readonly devices: UseQueryResult<readonly T[]>;
  readonly keyOf: (device: T) => string;
  readonly columns: readonly TableProps.ColumnDefinition<T>[];
  /** The actions of the server that it is about, and the word on the button that attaches. */
  readonly attach: { readonly action: 'attachInterface' | 'attachVolume'; readonly label: string; readonly form: (close: () => void) => ReactNode };
  readonly detach: {
    readonly action: 'detachInterface' | 'detachVolume';
    /** How the device is called to somebody who hears the page. */
    readonly labelOf: (device: T) => string;
    readonly form: (key: string, close: () => void) => ReactNode;
    /** What stands beside the button. */
    readonly more?: (device: T) => ReactNode;
  };
}

/** What a server has of one kind, with the ways to attach and detach it. */
function DeviceTable<T>({ server, title, empty, devices, keyOf, columns, attach, detach }: DeviceTableProps<T>) {
  const { t } = useTranslation();
  const words = useHindranceWords();
  const { session } = useSession();
  const [open, setOpen] = useState<Open>();
  const close = (): void => setOpen(undefined);
  const hindrance = hindranceOf(attach.action, server, session);
  return (
    <SpaceBetween size="s">
      {devices.error !== null && <Alert type="error">{devices.error.message}</Alert>}
      <Table
        items={[...(devices.data ?? [])]}
        loading={devices.isPending}
        loadingText={t('loading')}
        trackBy={keyOf}
        ariaLabels={{ tableLabel: title }}
        empty={<Box>{empty}</Box>}
        header={
          <Header
            variant="h2"
            actions={
              <Button disabled={hindrance !== undefined} disabledReason={hindrance && words(hindrance)} onClick={() => setOpen('attach')}>
                {attach.label}
              </Button>
            }
          >
            {title}
          </Header>
        }
        columnDefinitions={[
          ...columns,
          {
            id: 'detach',
            header: t('actions.title'),
            cell: (device) => (
              <SpaceBetween size="s" direction="horizontal">
                <DetachButton server={server} action={detach.action} label={detach.labelOf(device)} onClick={() => setOpen({ detach: keyOf(device) })} />
                {detach.more?.(device)}
              </SpaceBetween>
            ),
          },
        ]}
      />
      {open === 'attach' && attach.form(close)}
      {open !== undefined && open !== 'attach' && detach.form(open.detach, close)}
    </SpaceBetween>
  );
}

interface DetachButtonProps {
  readonly server: Server;
  readonly action: 'detachInterface' | 'detachVolume';
  readonly label: string;
  readonly onClick: () => void;
}

function DetachButton({ server, action, label, onClick }: DetachButtonProps) {
  const { t } = useTranslation();
  const words = useHindranceWords();
  const hindrance = hindranceOf(action, server, useSession().session);
  return (
    <Button
      variant="inline-link"
      ariaLabel={`${t('dialogs.detach')} ${label}`}
      disabled={hindrance !== undefined}
      disabledReason={hindrance && words(hindrance)}
      onClick={onClick}
    >
      {t('dialogs.detach')}
    </Button>
  );
}

/** The server's network cards, each with its addresses. */
export function InterfacesTab({ server }: { readonly server: Server }) {
  const { t } = useTranslation();
  const networks = useQuery(networksQuery);
  return (
    <DeviceTable<Interface>
      server={server}
      title={t('servers.interfaces')}
      empty={t('servers.noInterfaces')}
      devices={useQuery(interfacesQuery(server.id))}
      keyOf={({ port_id }) => port_id}
      columns={[
        {
          id: 'addresses',
          header: t('fields.addresses'),
          cell: ({ fixed_ips, port_id }) => fixed_ips.map(({ ip_address }) => ip_address).join(', ') || port_id,
          isRowHeader: true,
        },
        { id: 'network', header: t('kinds.network'), cell: ({ net_id }) => networks.data?.find(({ id }) => id === net_id)?.name || net_id },
        { id: 'mac', header: t('servers.mac'), cell: ({ mac_addr }) => <Box variant="code">{mac_addr}</Box> },
        { id: 'status', header: t('fields.status'), cell: ({ port_state }) => <Status status={port_state} /> },
        { id: 'port', header: t('dialogs.port'), cell: ({ port_id }) => <Box variant="code">{port_id}</Box> },
      ]}
      attach={{
        action: 'attachInterface',
        label: t('actions.attachInterface'),
        form: (close) => <AttachInterface server={server} close={close} />,
      }}
      detach={{
        action: 'detachInterface',
        labelOf: ({ mac_addr }) => mac_addr,
        form: (portId, close) => <DetachInterface server={server} portId={portId} close={close} />,
        more: ({ port_id }) => <PageLink to={`/path?from=${encodeURIComponent(port_id)}`}>{t('path.ask')}</PageLink>,
      }}
    />
  );
}

/** The volumes that the server has. */
export function VolumesTab({ server }: { readonly server: Server }) {
  const { t } = useTranslation();
  const volumes = useVolumes();
  const volumeOf = (volumeId: string) => volumes.data?.find(({ id }) => id === volumeId);
  return (
    <DeviceTable<Attachment>
      server={server}
      title={t('pages.volumes')}
      empty={t('servers.noVolumes')}
      devices={useQuery(attachmentsQuery(server.id))}
      keyOf={({ volumeId }) => volumeId}
      columns={[
        {
          id: 'volume',
          header: t('dialogs.volume'),
          cell: ({ volumeId }) => <PageLink to="/volumes">{volumeOf(volumeId)?.name || volumeId}</PageLink>,
          isRowHeader: true,
        },
        { id: 'device', header: t('servers.device'), cell: ({ device }) => device ?? '-' },
        { id: 'size', header: t('fields.sizeGb'), cell: ({ volumeId }) => volumeOf(volumeId)?.size ?? '-' },
        { id: 'status', header: t('fields.status'), cell: ({ volumeId }) => <Status status={volumeOf(volumeId)?.status ?? '-'} /> },
        { id: 'goes', header: t('servers.goes'), cell: ({ delete_on_termination }) => (delete_on_termination ? t('yes') : t('no')) },
      ]}
      attach={{ action: 'attachVolume', label: t('actions.attachVolume'), form: (close) => <AttachVolume server={server} close={close} /> }}
      detach={{
        action: 'detachVolume',
        labelOf: ({ device, volumeId }) => device ?? volumeId,
        form: (volumeId, close) => <DetachVolume server={server} volumeId={volumeId} close={close} />,
      }}
    />
  );
}
