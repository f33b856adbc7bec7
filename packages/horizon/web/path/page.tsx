import './path.css';
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import Form from '@cloudscape-design/components/form';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { floatingIpsQuery, ndpProxiesQuery, portsQuery } from '../networks/queries.ts';
import type { Choice } from '../parts/form-model.ts';
import { ChoiceField, TextField } from '../parts/fields.tsx';
import { PageLink } from '../parts/page-link.tsx';
import { Shown } from '../parts/shown.tsx';
import { portLabel, userOf } from '../ports/model.ts';
import { useServers } from '../servers/queries.ts';
import { hasPorts, OUTSIDE, type Path, type PathSearch, PROTOCOLS, pathRequest, portMeant, ruleOfRemedy, wayMeant, waysIn } from './model.ts';
import { Said } from './said.tsx';
import { Stations } from './stations.tsx';
import { reasonSaid, remedySaid } from './words.ts';

/** Stands for an address that is typed. */
const TYPED = 'address';

/** Undefined until it is known. A network service without NDP proxies has none. */
function useWaysIn() {
  const floatingIps = useQuery(floatingIpsQuery);
  const ndpProxies = useQuery(ndpProxiesQuery);
  return useMemo(
    () => (floatingIps.data && !ndpProxies.isPending ? waysIn(floatingIps.data, ndpProxies.data ?? []) : undefined),
    [floatingIps.data, ndpProxies.isPending, ndpProxies.data],
  );
}

/** Why does this packet not pass? Asks the network service, and draws the way with what stops it. */
export function PathPage() {
  const { t } = useTranslation();
  const search = useSearch({ from: '/path' });
  const ports = useQuery(portsQuery);
  const ways = useWaysIn();
  const request = ports.data && ways && pathRequest(search, ports.data, ways);
  const answer = useQuery({
    queryKey: ['path', request],
    queryFn: async ({ signal }) => (await api<'neutron.port.path'>('network', request ?? '', { signal })).path,
    enabled: request !== undefined,
    staleTime: 0,
  });
  return (
    <ContentLayout
      header={
        <Header variant="h1" description={t('path.help')}>
          {t('path.title')}
        </Header>
      }
    >
      <SpaceBetween size="l">
        <Question key={JSON.stringify(search)} search={search} asking={answer.isFetching} again={() => void answer.refetch()} />
        {request !== undefined && <Shown query={answer}>{(path) => <Answer path={path} />}</Shown>}
      </SpaceBetween>
    </ContentLayout>
  );
}

function Question({ search, asking, again }: { readonly search: PathSearch; readonly asking: boolean; readonly again: () => void }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const ports = useQuery(portsQuery);
  const ways = useWaysIn();
  const servers = useServers();
  const known = ports.data ?? [];
  // what the address names may be a server: the form shows its port
  const from = search.from === undefined || search.from === OUTSIDE ? search.from : (portMeant(search.from, known)?.id ?? search.from);
  const knownTo = search.to === undefined ? undefined : (portMeant(search.to, known)?.id ?? wayMeant(search.to, ways ?? [])?.id);
  const [typed, setTyped] = useState<{ from?: string; to?: string; address?: string; protocol?: string; port?: string; source?: string }>({});
  const set = (change: typeof typed): void => setTyped((before) => ({ ...before, ...change }));
  const form = {
    from: typed.from ?? from ?? '',
    to: typed.to ?? knownTo ?? (search.to === undefined ? '' : TYPED),
    address: typed.address ?? search.to ?? '',
    protocol: typed.protocol ?? search.protocol ?? 'icmp',
    port: typed.port ?? search.port ?? '',
    source: typed.source ?? search.source ?? '',
  };
  const inside: Choice[] = known
    .filter((port) => port.fixed_ips.length > 0 && ['server', 'nobody', 'other'].includes(userOf(port)))
    .map((port) => ({ value: port.id, label: portLabel(port, servers.data ?? []) }));
  const public_: Choice[] = (ways ?? []).map(({ id, ip, kind }) => ({
    value: id,
    label: ip,
    description: kind === 'floatingips' ? t('portUsers.floating') : t('path.ndpProxy'),
  }));
  const isOutside = form.from === OUTSIDE;
  const to = form.to === TYPED ? form.address.trim() : form.to;
  const asked: PathSearch = {
    ...(form.from !== '' && { from: form.from }),
    ...(to !== '' && { to }),
    protocol: form.protocol,
    ...(hasPorts(form.protocol) && { port: form.port.trim() }),
    ...(form.source.trim() !== '' && { source: form.source.trim() }),
  };
  const request = pathRequest(asked, known, ways ?? []);
  const submit = (): void => {
    if (request === undefined) return;
    // the same question once more is asked once more
    void navigate({ to: '/path', search: asked }).then(again);
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <Form
        actions={
          <Button variant="primary" disabled={request === undefined} disabledReason={t('path.missing')} loading={asking} loadingText={t('working')}>
            {t('path.follow')}
          </Button>
        }
      >
        <Container header={<Header variant="h2">{t('path.packet')}</Header>}>
          <div className="path-question">
            <ChoiceField
              label={t('path.from')}
              value={form.from}
              set={(value) => set({ from: value, ...(value === OUTSIDE && { to: '' }) })}
              choices={ports.data && [{ value: OUTSIDE, label: t('path.outside') }, ...inside]}
              placeholder={t('launch.choose')}
            />
            <ChoiceField
              label={t('path.to')}
              error={isOutside && ways?.length === 0 ? t('path.noWayIn') : undefined}
              value={form.to}
              set={(value) => set({ to: value })}
              choices={ports.data && ways && (isOutside ? public_ : [...inside, ...public_, { value: TYPED, label: t('path.otherAddress') }])}
              placeholder={t('launch.choose')}
            />
            {form.to === TYPED && !isOutside && (
              <TextField label={t('net.address')} value={form.address} set={(address) => set({ address })} placeholder="9.9.9.9" />
            )}
            <ChoiceField
              label={t('fields.protocol')}
              value={form.protocol}
              set={(protocol) => set({ protocol })}
              choices={PROTOCOLS.map((value) => ({ value, label: value === 'icmp' ? t('path.ping') : value.toUpperCase() }))}
            />
            {hasPorts(form.protocol) && <TextField label={t('path.port')} value={form.port} set={(port) => set({ port })} type="number" placeholder="443" />}
            <TextField label={t('path.source')} help={t('path.sourceHelp')} value={form.source} set={(source) => set({ source })} />
          </div>
        </Container>
      </Form>
    </form>
  );
}

function Answer({ path }: { readonly path: Path }) {
  const { t } = useTranslation();
  const remedy = ruleOfRemedy(path.remedy);
  const type = path.verdict === 'pass' ? 'success' : path.verdict === 'drop' ? 'error' : 'warning';
  return (
    <SpaceBetween size="l">
      <div data-verdict={path.verdict}>
        <Alert type={type} header={t(`path.verdicts.${path.verdict}`)}>
          <SpaceBetween size="xs">
            <Said said={reasonSaid(t, path.summary_code, path.summary)} />
            {path.remedy !== null && (
              <div>
                <Box variant="strong">{t('path.remedy')}</Box>
                <Said said={remedySaid(t, path.summary_code, path.remedy)} />
              </div>
            )}
            {remedy && (
              <div>
                <PageLink to={`/security-groups/${remedy.groupId}?add=${encodeURIComponent(remedy.add)}`}>{t('path.addRule')}</PageLink>
              </div>
            )}
          </SpaceBetween>
        </Alert>
      </div>
      <Stations path={path} />
    </SpaceBetween>
  );
}
