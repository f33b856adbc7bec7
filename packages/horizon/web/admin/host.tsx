import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Modal from '@cloudscape-design/components/modal';
import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useEffect, useMemo, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useProjectName } from '../identity/names.ts';
import { PageLink } from '../parts/page-link.tsx';
import { type Column, ResourceTable } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { act, type Server } from '../servers/queries.ts';
import { useNotices } from '../shell/notices.tsx';
import { api } from '../api/client.ts';
import { ApiError } from '../api/errors.ts';
import { drain, type DrainStep, type Guest } from './drain.ts';
import { DrainProgress, DrainStepText } from './drain-progress.tsx';
import { DisableHost, HOST_KEYS, HostState } from './hosts.tsx';
import { guestsQuery, type Hypervisor, hypervisorQuery, switchService } from './queries.ts';

const DRAIN_PAUSE_MS = 1_000;

type GuestServer = Server & { readonly tenant_id?: string };

const guestOf = (server: Server): Guest => ({
  id: server.id,
  status: server.status,
  task: server['OS-EXT-STS:task_state'],
  host: server['OS-EXT-SRV-ATTR:host'] ?? null,
});

const calls = {
  async show(id: string): Promise<Guest | undefined> {
    try {
      return guestOf((await api<'nova.server.show'>('compute', `/v2.1/servers/${encodeURIComponent(id)}`)).server);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) return undefined;
      throw error;
    }
  },
  act,
  pause: (): Promise<void> => new Promise((resolve) => setTimeout(resolve, DRAIN_PAUSE_MS)),
};

/** A compute host: what it has and uses, the guests on it; put out of use, and drained. */
export function HostPage() {
  const { hostId } = useParams({ from: '/hosts/$hostId' });
  const { data: host, error } = useQuery(hypervisorQuery(hostId));
  if (error !== null) return <Alert type="error">{error.message}</Alert>;
  if (host === undefined) return <Waiting />;
  return <Host key={host.id} host={host} />;
}

function Host({ host }: { readonly host: Hypervisor }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const notices = useNotices();
  const name = host.service.host;
  const guests = useQuery(guestsQuery(name));
  const [disabling, setDisabling] = useState(false);
  const [asking, setAsking] = useState(false);
  const [steps, setSteps] = useState<ReadonlyMap<string, DrainStep>>(new Map());
  const [busy, setBusy] = useState(false);
  const end = useRef(new AbortController());
  useEffect(() => {
    end.current = new AbortController();
    return () => end.current.abort();
  }, []);
  const touched = (): void => {
    for (const queryKey of HOST_KEYS) void queries.invalidateQueries({ queryKey });
  };
  const enable = (): void => {
    switchService(host.service.id, { status: 'enabled' })
      .then(touched)
      .catch((error: unknown) => notices.fail(t('admin.enableHost'), error));
  };
  const start = async (): Promise<void> => {
    setAsking(false);
    setBusy(true);
    try {
      if (host.status === 'enabled') await switchService(host.service.id, { status: 'disabled', disabled_reason: t('admin.drainReason') });
      touched();
      const fresh = await queries.fetchQuery({ ...guestsQuery(name), staleTime: 0 });
      setSteps(new Map());
      await drain(
        fresh.map(guestOf),
        name,
        calls,
        (id, step) => {
          setSteps((before) => new Map(before).set(id, step));
          if (step.state === 'moved') void queries.invalidateQueries({ queryKey: ['servers', 'on', name] });
        },
        end.current.signal,
      );
    } catch (error) {
      notices.fail(t('admin.drain'), error);
    }
    touched();
    void queries.invalidateQueries({ queryKey: ['servers', 'on', name] });
    setBusy(false);
  };
  const noGuests = guests.data?.length === 0;
  return (
    <SpaceBetween size="l">
      <Header
        variant="h1"
        description={host.service.disabled_reason ?? ''}
        actions={
          <SpaceBetween size="xs" direction="horizontal">
            {host.status === 'enabled' ? (
              <Button onClick={() => setDisabling(true)}>{t('admin.disableHost')}</Button>
            ) : (
              <Button onClick={enable} disabled={busy} disabledReason={t('admin.draining')}>
                {t('admin.enableHost')}
              </Button>
            )}
            <Button
              variant="primary"
              loading={busy}
              loadingText={t('admin.draining')}
              disabled={noGuests}
              disabledReason={t('admin.noGuests')}
              onClick={() => setAsking(true)}
            >
              {t('admin.drain')}
            </Button>
          </SpaceBetween>
        }
      >
        {host.hypervisor_hostname}
      </Header>
      {steps.size > 0 && <DrainProgress steps={[...steps.values()]} busy={busy} />}
      <Container>
        <KeyValuePairs
          columns={3}
          items={[
            { label: t('fields.status'), value: <HostState host={host} /> },
            { label: t('fields.type'), value: host.hypervisor_type },
            { label: t('fields.addresses'), value: host.host_ip },
            { label: t('admin.vcpus'), value: t('overview.of', { used: host.vcpus_used, limit: host.vcpus }) },
            { label: t('admin.ramMb'), value: t('overview.of', { used: host.memory_mb_used, limit: host.memory_mb }) },
            { label: t('admin.diskGb'), value: t('overview.of', { used: host.local_gb_used, limit: host.local_gb }) },
          ]}
        />
      </Container>
      <Guests guests={guests} steps={steps} />
      {disabling && <DisableHost host={host} close={() => setDisabling(false)} />}
      {asking && (
        <Modal
          visible
          onDismiss={() => setAsking(false)}
          header={t('admin.drain')}
          closeAriaLabel={t('close')}
          footer={
            <Box float="right">
              <SpaceBetween size="xs" direction="horizontal">
                <Button variant="link" onClick={() => setAsking(false)}>
                  {t('cancel')}
                </Button>
                <Button variant="primary" onClick={() => void start()}>
                  {t('admin.drain')}
                </Button>
              </SpaceBetween>
            </Box>
          }
        >
          {t('admin.drainText', { count: guests.data?.length ?? 0 })}
        </Modal>
      )}
    </SpaceBetween>
  );
}

function Guests({ guests, steps }: { readonly guests: ReturnType<typeof useQuery<Server[]>>; readonly steps: ReadonlyMap<string, DrainStep> }) {
  const { t } = useTranslation();
  const projectName = useProjectName();
  const columns = useMemo<readonly Column<GuestServer>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name, cell: ({ id, name }) => <PageLink to={`/servers/${id}`}>{name}</PageLink> },
      { id: 'project', header: t('session.project'), value: ({ tenant_id }) => projectName(tenant_id) },
      {
        id: 'status',
        header: t('fields.status'),
        value: ({ status }) => status,
        cell: (server) => <Status status={server.status} task={server['OS-EXT-STS:task_state']} />,
      },
      { id: 'flavor', header: t('fields.flavor'), value: ({ flavor }) => flavor.original_name },
      { id: 'move', header: t('admin.move'), value: ({ id }) => steps.get(id)?.state ?? '', cell: ({ id }) => <DrainStepText step={steps.get(id)} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, projectName, steps],
  );
  return (
    <ResourceTable
      inner
      name="guests"
      title={t('admin.guests')}
      rows={guests}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      empty={{ title: t('admin.noGuests'), text: t('admin.noGuestsText') }}
    />
  );
}
