import Badge from '@cloudscape-design/components/badge';
import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams, useSearch } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ObjectLink } from '../networks/object-link.tsx';
import { useKeptFrom } from '../networks/owner.ts';
import { called, portsQuery } from '../networks/queries.ts';
import { Sharing } from '../networks/sharing.tsx';
import { Tags } from '../networks/tags.tsx';
import { remove } from '../networks/write.ts';
import { PageLink } from '../parts/page-link.tsx';
import { Facts, ThingPage } from '../parts/detail-page.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { RemoveButton } from '../parts/remove-button.tsx';
import { Shown } from '../parts/shown.tsx';
import { PortsPart } from '../ports/part.tsx';
import { EditGroup } from './forms.tsx';
import { addressGroupsQuery, type SecurityGroup, type SecurityGroupRule, securityGroupQuery, securityGroupsQuery } from './queries.ts';
import { AddRule } from './rule-form.tsx';
import { formOfLink, portsText } from './rule.ts';

const TOUCHES = [securityGroupsQuery.queryKey];

/** A security group: what may come in and go out, and the ports that it is for. */
export function SecurityGroupPage() {
  const { groupId } = useParams({ from: '/security-groups/$groupId' });
  return <Shown query={useQuery(securityGroupQuery(groupId))}>{(group) => <Page group={group} />}</Shown>;
}

function Page({ group }: { readonly group: SecurityGroup }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const kept = useKeptFrom()(group);
  const ports = useQuery(portsQuery);
  const users = ports.data?.filter(({ security_groups }) => security_groups.includes(group.id));
  const [editing, setEditing] = useState(false);
  const isDefault = group.name === 'default' ? t('groups.default') : undefined;
  const inUse = users !== undefined && users.length > 0 ? t('groups.used', { count: users.length }) : undefined;
  return (
    <ThingPage
      title={called(group)}
      actions={
        <>
          <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setEditing(true)}>
            {t('net.edit')}
          </Button>
          <RemoveButton
            id={group.id}
            name={called(group)}
            kept={kept ?? isDefault ?? inUse}
            remove={() => remove('security-groups', group.id)}
            touches={TOUCHES}
            onDone={() => void navigate({ to: '/security-groups' })}
          />
        </>
      }
    >
      <Rules group={group} kept={kept} />
      <Facts
        title={t('net.facts')}
        facts={[
          [t('groups.stateful'), group.stateful ? t('yes') : t('no')],
          [t('fields.shared'), group.shared ? t('yes') : t('no')],
          [t('fields.description'), group.description],
          [t('networks.tags'), <Tags path="security-groups" id={group.id} tags={group.tags} touches={TOUCHES} fixed={kept !== undefined} />],
          [t('fields.id'), group.id, 'copied'],
        ]}
      />
      <PortsPart ports={users} empty={t('groups.unused')} />
      {kept === undefined && <Sharing type="security_group" id={group.id} kept={kept} />}
      {editing && <EditGroup group={group} used={inUse !== undefined} close={() => setEditing(false)} />}
    </ThingPage>
  );
}

function Rules({ group, kept }: { readonly group: SecurityGroup; readonly kept: string | undefined }) {
  const { t } = useTranslation();
  const search = useSearch({ from: '/security-groups/$groupId' });
  const navigate = useNavigate();
  const groups = useQuery(securityGroupsQuery);
  const addresses = useQuery(addressGroupsQuery);
  // a link may bring the rule that is to be added
  const linked = formOfLink(search.add);
  const remoteText = (rule: SecurityGroupRule): string => {
    if (rule.remote_group_id) return called(groups.data?.find(({ id }) => id === rule.remote_group_id) ?? { id: rule.remote_group_id });
    if (rule.remote_address_group_id)
      return called(addresses.data?.find(({ id }) => id === rule.remote_address_group_id) ?? { id: rule.remote_address_group_id });
    return rule.remote_ip_prefix ?? t('rules.everywhere');
  };
  const wordsOf = (rule: SecurityGroupRule): string =>
    [t(`rules.${rule.direction}`), rule.ethertype, rule.protocol ?? t('rules.any'), portsText(rule) ?? t('rules.allPorts'), remoteText(rule)].join(' · ');
  return (
    <>
      <PartTable<SecurityGroupRule>
        title={t('fields.rules')}
        items={group.security_group_rules}
        keyOf={({ id }) => id}
        labelOf={wordsOf}
        empty={t('rules.empty')}
        columns={[
          {
            id: 'direction',
            header: t('fields.direction'),
            cell: ({ id, direction }) => (
              <SpaceBetween size="xs" direction="horizontal">
                <span>{t(`rules.${direction}`)}</span>
                {id === search.rule && <Badge color="blue">{t('rules.thisOne')}</Badge>}
              </SpaceBetween>
            ),
          },
          { id: 'ethertype', header: t('fields.ethertype'), cell: ({ ethertype }) => ethertype },
          { id: 'protocol', header: t('fields.protocol'), cell: ({ protocol }) => protocol ?? t('rules.any') },
          { id: 'ports', header: t('fields.ports'), cell: (rule) => portsText(rule) ?? t('rules.allPorts') },
          {
            id: 'remote',
            header: t('fields.remote'),
            cell: (rule) =>
              rule.remote_group_id ? (
                <ObjectLink page="/security-groups" id={rule.remote_group_id} among={groups.data} />
              ) : rule.remote_address_group_id ? (
                <PageLink to="/address-groups">{remoteText(rule)}</PageLink>
              ) : (
                remoteText(rule)
              ),
          },
          { id: 'description', header: t('fields.description'), cell: ({ description }) => description || '-' },
        ]}
        create={{ label: t('rules.create'), form: (close) => <AddRule groupId={group.id} close={close} />, not: kept }}
        remove={{ label: t('delete'), run: ({ id }) => remove('security-group-rules', id), touches: TOUCHES, kept: () => kept }}
      />
      {linked && kept === undefined && (
        <AddRule
          groupId={group.id}
          initial={linked}
          close={() => void navigate({ to: '/security-groups/$groupId', params: { groupId: group.id }, search: {}, replace: true })}
        />
      )}
    </>
  );
}
