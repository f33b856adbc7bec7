import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { networksQuery } from '../networks/queries.ts';
import { PageLink } from '../parts/page-link.tsx';
import { Status } from '../parts/status.tsx';
import { useSession } from '../session/session.ts';
import { hindranceOf } from './actions.ts';
import { attachmentsQuery, interfacesQuery, useVolumes } from './devices.ts';
import { AttachInterface, AttachVolume, DetachInterface, DetachVolume } from './dialogs/devices.tsx';
import { useHindranceWords } from './hindrance-words.ts';
import type { Server } from './queries.ts';

type Open = 'attach' | { readonly detach: string };

/** The server's network cards, each with its addresses. */
export function InterfacesTab({ server }: { readonly server: Server }) {
  const { t } = useTranslation();
  const words = useHindranceWords();
  const { session } = useSession();
  const { data = [], isPending, error } = useQuery(interfacesQuery(server.id));
  const networks = useQuery(networksQuery);
  const [open, setOpen] = useState<Open>();
  const [attach, detach] = [hindranceOf('attachInterface', server, session), hindranceOf('detachInterface', server, session)];
  return (
    <SpaceBetween size="s">
      {error !== null && <Alert type="error">{error.message}</Alert>}
      <Table
        items={[...data]}
        loading={isPending}
        loadingText={t('loading')}
        trackBy="port_id"
        ariaLabels={{ tableLabel: t('servers.interfaces') }}
        empty={<Box>{t('servers.noInterfaces')}</Box>}
        header={
          <Header
            variant="h2"
            actions={
              <Button disabled={attach !== undefined} disabledReason={attach && words(attach)} onClick={() => setOpen('attach')}>
                {t('actions.attachInterface')}
              </Button>
            }
          >
            {t('servers.interfaces')}
          </Header>
        }
        columnDefinitions={[
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
          {
            id: 'detach',
            header: t('actions.title'),
            cell: ({ port_id, mac_addr }) => (
              <SpaceBetween size="s" direction="horizontal">
                <Button
                  variant="inline-link"
                  ariaLabel={`${t('dialogs.detach')} ${mac_addr}`}
                  disabled={detach !== undefined}
                  disabledReason={detach && words(detach)}
                  onClick={() => setOpen({ detach: port_id })}
                >
                  {t('dialogs.detach')}
                </Button>
                <PageLink to={`/path?from=${encodeURIComponent(port_id)}`}>{t('path.ask')}</PageLink>
              </SpaceBetween>
            ),
          },
        ]}
      />
      {open === 'attach' && <AttachInterface server={server} close={() => setOpen(undefined)} />}
      {open !== undefined && open !== 'attach' && <DetachInterface server={server} portId={open.detach} close={() => setOpen(undefined)} />}
    </SpaceBetween>
  );
}

/** The volumes that the server has. */
export function VolumesTab({ server }: { readonly server: Server }) {
  const { t } = useTranslation();
  const words = useHindranceWords();
  const { session } = useSession();
  const { data = [], isPending, error } = useQuery(attachmentsQuery(server.id));
  const volumes = useVolumes();
  const [open, setOpen] = useState<Open>();
  const [attach, detach] = [hindranceOf('attachVolume', server, session), hindranceOf('detachVolume', server, session)];
  const volumeOf = (volumeId: string) => volumes.data?.find(({ id }) => id === volumeId);
  return (
    <SpaceBetween size="s">
      {error !== null && <Alert type="error">{error.message}</Alert>}
      <Table
        items={[...data]}
        loading={isPending}
        loadingText={t('loading')}
        trackBy="volumeId"
        ariaLabels={{ tableLabel: t('pages.volumes') }}
        empty={<Box>{t('servers.noVolumes')}</Box>}
        header={
          <Header
            variant="h2"
            actions={
              <Button disabled={attach !== undefined} disabledReason={attach && words(attach)} onClick={() => setOpen('attach')}>
                {t('actions.attachVolume')}
              </Button>
            }
          >
            {t('pages.volumes')}
          </Header>
        }
        columnDefinitions={[
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
          {
            id: 'detach',
            header: t('actions.title'),
            cell: ({ volumeId, device }) => (
              <Button
                variant="inline-link"
                ariaLabel={`${t('dialogs.detach')} ${device ?? volumeId}`}
                disabled={detach !== undefined}
                disabledReason={detach && words(detach)}
                onClick={() => setOpen({ detach: volumeId })}
              >
                {t('dialogs.detach')}
              </Button>
            ),
          },
        ]}
      />
      {open === 'attach' && <AttachVolume server={server} close={() => setOpen(undefined)} />}
      {open !== undefined && open !== 'attach' && <DetachVolume server={server} volumeId={open.detach} close={() => setOpen(undefined)} />}
    </SpaceBetween>
  );
}
