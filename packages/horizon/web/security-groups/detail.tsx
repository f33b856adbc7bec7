import Alert from '@cloudscape-design/components/alert';
import Button from '@cloudscape-design/components/button';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { Bulk } from '../parts/bulk.tsx';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { Waiting } from '../parts/waiting.tsx';
import { type SecurityGroupRule, securityGroupQuery, securityGroupsQuery } from './queries.ts';
import { portsText, type RuleForm, ruleBody } from './rule.ts';

/** A security group's rules: what may come in and go out. */
export function SecurityGroupPage() {
  const { t } = useTranslation();
  const { groupId } = useParams({ from: '/security-groups/$groupId' });
  const queries = useQueryClient();
  const { data: group, error } = useQuery(securityGroupQuery(groupId));
  const [selected, setSelected] = useState<readonly SecurityGroupRule[]>([]);
  const [adding, setAdding] = useState(false);
  const [removing, setRemoving] = useState(false);
  if (error !== null) return <Alert type="error">{error.message}</Alert>;
  if (group === undefined) return <Waiting />;
  const remoteOf = (rule: SecurityGroupRule): string => rule.remote_ip_prefix ?? rule.remote_group_id ?? t('rules.everywhere');
  const wordsOf = (rule: SecurityGroupRule): string =>
    [t(`rules.${rule.direction}`), rule.ethertype, rule.protocol ?? t('rules.any'), portsText(rule) ?? t('rules.allPorts'), remoteOf(rule)].join(' · ');
  return (
    <>
      <Table
        variant="full-page"
        items={[...group.security_group_rules]}
        trackBy="id"
        selectionType="multi"
        selectedItems={[...selected]}
        onSelectionChange={({ detail }) => setSelected(detail.selectedItems)}
        enableKeyboardNavigation
        ariaLabels={{
          tableLabel: t('fields.rules'),
          selectionGroupLabel: t('table.selection'),
          allItemsSelectionLabel: () => t('table.selectAll'),
          itemSelectionLabel: (_state, rule) => t('table.select', { name: wordsOf(rule) }),
        }}
        header={
          <Header
            variant="h1"
            description={group.description}
            counter={`(${group.security_group_rules.length})`}
            actions={
              <SpaceBetween size="xs" direction="horizontal">
                <Button disabled={selected.length === 0} disabledReason={t('actions.selectFirst')} onClick={() => setRemoving(true)}>
                  {t('delete')}
                </Button>
                <Button variant="primary" onClick={() => setAdding(true)}>
                  {t('rules.create')}
                </Button>
              </SpaceBetween>
            }
          >
            {group.name}
          </Header>
        }
        empty={t('rules.empty')}
        columnDefinitions={[
          { id: 'direction', header: t('fields.direction'), cell: ({ direction }) => t(`rules.${direction}`), isRowHeader: true },
          { id: 'ethertype', header: t('fields.ethertype'), cell: ({ ethertype }) => ethertype },
          { id: 'protocol', header: t('fields.protocol'), cell: ({ protocol }) => protocol ?? t('rules.any') },
          { id: 'ports', header: t('fields.ports'), cell: (rule) => portsText(rule) ?? t('rules.allPorts') },
          { id: 'remote', header: t('fields.remote'), cell: remoteOf },
        ]}
      />
      {adding && <AddRule groupId={group.id} close={() => setAdding(false)} />}
      {removing && (
        <Bulk
          title={t('deleteTitle', { count: selected.length })}
          text={t('deleteText')}
          confirm={t('delete')}
          items={selected.map((rule) => ({ id: rule.id, name: wordsOf(rule) }))}
          run={({ id }) => api('network', `/v2.0/security-group-rules/${id}`, { method: 'DELETE' })}
          onEnd={() => {
            setRemoving(false);
            setSelected([]);
            void queries.invalidateQueries({ queryKey: securityGroupsQuery.queryKey });
          }}
        />
      )}
    </>
  );
}

function AddRule({ groupId, close }: { readonly groupId: string; readonly close: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState<RuleForm>({ direction: 'ingress', ethertype: 'IPv4', protocol: 'tcp', ports: '22', remote: '' });
  const set = (change: Partial<RuleForm>): void => setForm((before) => ({ ...before, ...change }));
  const body = ruleBody(groupId, form);
  const choice = <T extends string>(value: T, label: string) => ({ value, label });
  const directions = [choice('ingress', t('rules.ingress')), choice('egress', t('rules.egress'))];
  const protocols = [choice('tcp', 'TCP'), choice('udp', 'UDP'), choice('icmp', 'ICMP'), choice('', t('rules.any'))];
  const families = [choice('IPv4', 'IPv4'), choice('IPv6', 'IPv6')];
  return (
    <CreateDialog
      title={t('rules.create')}
      confirm={t('create')}
      ready={body !== undefined}
      send={() => api('network', '/v2.0/security-group-rules', { method: 'POST', body })}
      touches={[securityGroupsQuery.queryKey]}
      close={close}
    >
      <FormField label={t('fields.direction')}>
        <Select
          options={directions}
          selectedOption={directions.find(({ value }) => value === form.direction) ?? null}
          onChange={({ detail }) => set({ direction: detail.selectedOption.value as RuleForm['direction'] })}
        />
      </FormField>
      <FormField label={t('fields.ethertype')}>
        <Select
          options={families}
          selectedOption={families.find(({ value }) => value === form.ethertype) ?? null}
          onChange={({ detail }) => set({ ethertype: detail.selectedOption.value as RuleForm['ethertype'] })}
        />
      </FormField>
      <FormField label={t('fields.protocol')}>
        <Select
          options={protocols}
          selectedOption={protocols.find(({ value }) => value === form.protocol) ?? null}
          onChange={({ detail }) => set({ protocol: detail.selectedOption.value as RuleForm['protocol'] })}
        />
      </FormField>
      {(form.protocol === 'tcp' || form.protocol === 'udp') && (
        <FormField label={t('fields.ports')} description={t('rules.portsHelp')} errorText={body === undefined ? t('rules.badPorts') : undefined}>
          <Input value={form.ports} onChange={({ detail }) => set({ ports: detail.value })} />
        </FormField>
      )}
      <FormField label={t('fields.remote')} description={t('rules.remoteHelp')}>
        <Input value={form.remote} onChange={({ detail }) => set({ remote: detail.value })} placeholder={form.ethertype === 'IPv6' ? '::/0' : '0.0.0.0/0'} />
      </FormField>
    </CreateDialog>
  );
}
