import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { PageLink } from '../parts/page-link.tsx';
import { securityGroupsQuery } from '../security-groups/queries.ts';
import { reasonSaid } from './words.ts';
import { Said } from './said.tsx';
import { type Hop, legsOf, type Path, rulesNamed, type Station, type Verdict } from './model.ts';

const MARKS: Readonly<Record<Verdict, StatusIndicatorProps.Type>> = { pass: 'success', drop: 'error', nat: 'info', unknown: 'warning' };
const PAGES = { port: '/ports', network: '/networks', router: '/routers' } as const;

/** The way of a packet and of its answer: one station after another, each with what it says and a link to what says it. */
export function Stations({ path }: { readonly path: Path }) {
  const { t } = useTranslation();
  return (
    <>
      {legsOf(path).map(({ leg, packet, stations }) => (
        <Container
          key={leg}
          header={
            <Header variant="h2" description={packet}>
              {t(`path.legs.${leg}`)}
            </Header>
          }
        >
          <ol className="path">
            {stations.map((station, index) => (
              <StationItem key={index} station={station} />
            ))}
          </ol>
        </Container>
      ))}
      {(path.mtu !== null || path.dhcp.length > 0) && (
        <Container header={<Header variant="h2">{t('path.more')}</Header>}>
          <SpaceBetween size="xs">
            {path.mtu !== null && <div>{t('path.mtu', { mtu: path.mtu })}</div>}
            {path.dhcp.map(({ port_id, ip_address, reason, reason_code }) => (
              <div key={`${port_id} ${ip_address}`}>
                {t('path.ofAddress', { address: ip_address })}
                <Said said={reasonSaid(t, reason_code, reason)} />
              </div>
            ))}
          </SpaceBetween>
        </Container>
      )}
    </>
  );
}

function StationItem({ station: { hop, becomes } }: { readonly station: Station }) {
  const { t } = useTranslation();
  const groups = useQuery(securityGroupsQuery);
  const rules = rulesNamed(hop, groups.data ?? []);
  return (
    <li className={`path-station path-${hop.verdict}`} data-kind={hop.kind} data-verdict={hop.verdict}>
      <div className="path-title">
        <StatusIndicator type={MARKS[hop.verdict]}>{t(`path.marks.${hop.verdict}`)}</StatusIndicator>
        <Box variant="strong">{t(`path.kinds.${hop.kind}`)}</Box>
        <Thing hop={hop} />
        {hop.host !== null && <Box color="text-body-secondary">{t('path.onHost', { host: hop.host })}</Box>}
      </div>
      <Said said={reasonSaid(t, hop.reason_code, hop.reason)} />
      {becomes !== undefined && <Box variant="code">{t('path.becomes', { packet: becomes })}</Box>}
      {rules.map(({ ruleId, groupId, groupName }) => (
        <div key={ruleId}>
          <PageLink to={`/security-groups/${groupId}?rule=${ruleId}`}>{t('path.rule', { group: groupName, rule: ruleId.slice(0, 8) })}</PageLink>
        </div>
      ))}
      {hop.security_groups.length > 0 && (
        <div className="path-title">
          <span>{t('pages.security-groups')}</span>
          {hop.security_groups.map(({ id, name }) => (
            <PageLink key={id} to={`/security-groups/${id}`}>
              {name}
            </PageLink>
          ))}
        </div>
      )}
    </li>
  );
}

function Thing({ hop: { object } }: { readonly hop: Hop }) {
  return object === null ? null : <PageLink to={`${PAGES[object.type]}/${object.id}`}>{object.name || object.id}</PageLink>;
}
