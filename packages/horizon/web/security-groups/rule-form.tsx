import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { called } from '../networks/queries.ts';
import { QuotaUse } from '../networks/quota.tsx';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, TextField } from '../parts/fields.tsx';
import { addressGroupsQuery, securityGroupsQuery } from './queries.ts';
import { faultOf, NEW_RULE, type RuleForm, ruleBody, TEMPLATES, type TemplateName, templateOf } from './rule.ts';

/** Stands for a rule that is as no template. */
const OWN = 'own';

/** Another rule of a group, from a template or of one's own. */
export function AddRule({ groupId, initial = NEW_RULE, close }: { readonly groupId: string; readonly initial?: RuleForm; readonly close: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState<RuleForm>(initial);
  const set = (change: Partial<RuleForm>): void => setForm((before) => ({ ...before, ...change }));
  const body = ruleBody(groupId, form);
  const fault = faultOf(form);
  const hasPorts = form.protocol === 'tcp' || form.protocol === 'udp';
  const icmpFault = fault === 'numbers' ? t('rules.badIcmp') : undefined;
  return (
    <CreateDialog
      title={t('rules.create')}
      confirm={t('create')}
      ready={body !== undefined}
      send={() => api('network', '/v2.0/security-group-rules', { method: 'POST', body })}
      touches={[securityGroupsQuery.queryKey]}
      close={close}
    >
      <QuotaUse of="security_group_rule" />
      <ChoiceField
        label={t('rules.template')}
        value={templateOf(form) ?? OWN}
        set={(name) => set(name === OWN ? { ports: '1-1024' } : TEMPLATES[name as TemplateName])}
        choices={[
          ...(Object.keys(TEMPLATES) as TemplateName[]).map((value) => ({ value, label: t(`rules.templates.${value}`) })),
          { value: OWN, label: t('rules.templates.own') },
        ]}
      />
      <ChoiceField
        label={t('fields.direction')}
        value={form.direction}
        set={(direction) => set({ direction: direction as RuleForm['direction'] })}
        choices={(['ingress', 'egress'] as const).map((value) => ({ value, label: t(`rules.${value}`) }))}
      />
      <ChoiceField
        label={t('fields.ethertype')}
        value={form.ethertype}
        set={(ethertype) => set({ ethertype: ethertype as RuleForm['ethertype'] })}
        choices={['IPv4', 'IPv6'].map((value) => ({ value, label: value }))}
      />
      <ChoiceField
        label={t('fields.protocol')}
        value={form.protocol}
        set={(protocol) => set({ protocol: protocol as RuleForm['protocol'] })}
        choices={(['tcp', 'udp', 'icmp', '', 'other'] as const).map((value) => ({
          value,
          label: value === '' ? t('rules.any') : value === 'other' ? t('rules.other') : value.toUpperCase(),
        }))}
      />
      {form.protocol === 'other' && (
        <TextField label={t('rules.named')} help={t('rules.namedHelp')} value={form.named} set={(named) => set({ named })} placeholder="47" />
      )}
      {hasPorts && (
        <TextField
          label={t('fields.ports')}
          help={t('rules.portsHelp')}
          error={fault === 'numbers' ? t('rules.badPorts') : undefined}
          value={form.ports}
          set={(ports) => set({ ports })}
        />
      )}
      {form.protocol === 'icmp' && (
        <>
          <TextField label={t('rules.icmpType')} help={t('rules.icmpHelp')} error={icmpFault} value={form.icmpType} set={(icmpType) => set({ icmpType })} />
          <TextField label={t('rules.icmpCode')} value={form.icmpCode} set={(icmpCode) => set({ icmpCode })} />
        </>
      )}
      <Remote form={form} set={set} />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
    </CreateDialog>
  );
}

function Remote({ form, set }: { readonly form: RuleForm; readonly set: (change: Partial<RuleForm>) => void }) {
  const { t } = useTranslation();
  const groups = useQuery(securityGroupsQuery);
  const addresses = useQuery(addressGroupsQuery);
  return (
    <>
      <ChoiceField
        label={t('fields.remote')}
        value={form.remote}
        set={(remote) => set({ remote: remote as RuleForm['remote'] })}
        choices={(['network', 'group', 'addresses'] as const).map((value) => ({ value, label: t(`rules.remotes.${value}`) }))}
      />
      {form.remote === 'network' && (
        <TextField
          label={t('rules.prefix')}
          help={t('rules.remoteHelp')}
          value={form.prefix}
          set={(prefix) => set({ prefix })}
          placeholder={form.ethertype === 'IPv6' ? '::/0' : '0.0.0.0/0'}
        />
      )}
      {form.remote === 'group' && (
        <ChoiceField
          label={t('rules.group')}
          help={t('rules.groupHelp')}
          value={form.groupId}
          set={(groupId) => set({ groupId })}
          choices={groups.data?.map((group) => ({ value: group.id, label: called(group) }))}
          placeholder={t('launch.choose')}
        />
      )}
      {form.remote === 'addresses' && (
        <ChoiceField
          label={t('addressGroups.one')}
          error={addresses.data?.length === 0 ? t('addressGroups.empty') : undefined}
          value={form.addressGroupId}
          set={(addressGroupId) => set({ addressGroupId })}
          choices={addresses.data?.map((group) => ({ value: group.id, label: `${called(group)}: ${group.addresses.join(', ')}` }))}
          placeholder={t('launch.choose')}
        />
      )}
    </>
  );
}
