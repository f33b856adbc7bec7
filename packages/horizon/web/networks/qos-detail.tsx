import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, FlagField, TextField } from '../parts/fields.tsx';
import { Facts, ThingPage } from '../parts/detail-page.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { RemoveButton } from '../parts/remove-button.tsx';
import { Shown } from '../parts/shown.tsx';
import { useIsAdmin } from './owner.ts';
import { factsOfRule, QOS_RULES, qosRuleBody, type QosRuleType } from './qos-rule.ts';
import { called, type QosPolicy, qosPoliciesQuery, qosPolicyQuery, type QosRule } from './queries.ts';
import { Sharing } from './sharing.tsx';
import { create, remove } from './write.ts';

const TOUCHES = [qosPoliciesQuery.queryKey];

/** One policy of quality of service with its rules, which administrators change. */
export function QosPolicyPage() {
  const { policyId } = useParams({ from: '/qos-policies/$policyId' });
  return <Shown query={useQuery(qosPolicyQuery(policyId))}>{(policy) => <Page policy={policy} />}</Shown>;
}

function Page({ policy }: { readonly policy: QosPolicy }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const kept = useIsAdmin() ? undefined : t('qos.forAdmins');
  const yesNo = (value: boolean): string => (value ? t('yes') : t('no'));
  return (
    <ThingPage
      title={called(policy)}
      actions={
        <RemoveButton
          id={policy.id}
          name={called(policy)}
          kept={kept}
          remove={() => remove('qos/policies', policy.id)}
          touches={TOUCHES}
          onDone={() => void navigate({ to: '/qos-policies' })}
        />
      }
    >
      <PartTable<QosRule>
        title={t('fields.rules')}
        items={policy.rules}
        keyOf={({ id }) => id}
        labelOf={(rule) => `${rule.type} ${factsOfRule(rule)}`}
        empty={t('qos.noRules')}
        columns={[
          { id: 'type', header: t('fields.type'), cell: ({ type }) => (type in QOS_RULES ? t(`qos.types.${type as QosRuleType}`) : type) },
          { id: 'facts', header: t('qos.values'), cell: factsOfRule },
        ]}
        create={{ label: t('rules.create'), form: (close) => <AddQosRule policyId={policy.id} close={close} />, not: kept }}
        remove={{
          label: t('delete'),
          run: ({ id, type }) => remove(`qos/policies/${policy.id}/${type}_rules`, id),
          touches: TOUCHES,
          kept: () => kept,
        }}
      />
      <Facts
        title={t('net.facts')}
        facts={[
          [t('fields.shared'), yesNo(policy.shared)],
          [t('pools.default'), yesNo(policy.is_default)],
          [t('fields.description'), policy.description],
          [t('fields.id'), policy.id, 'copied'],
        ]}
      />
      {kept === undefined && <Sharing type="qos_policy" id={policy.id} kept={kept} />}
    </ThingPage>
  );
}

function AddQosRule({ policyId, close }: { readonly policyId: string; readonly close: () => void }) {
  const { t } = useTranslation();
  const [type, setType] = useState<QosRuleType>('bandwidth_limit');
  const [direction, setDirection] = useState('egress');
  const [numbers, setNumbers] = useState<Readonly<Record<string, string>>>({});
  const body = qosRuleBody(type, direction, numbers);
  return (
    <CreateDialog
      title={t('rules.create')}
      confirm={t('create')}
      ready={body !== undefined}
      send={() => create(`qos/policies/${policyId}/${type}_rules`, `${type}_rule`, body ?? {})}
      touches={TOUCHES}
      close={close}
    >
      <ChoiceField
        label={t('fields.type')}
        value={type}
        set={(value) => setType(value as QosRuleType)}
        choices={(Object.keys(QOS_RULES) as QosRuleType[]).map((value) => ({ value, label: t(`qos.types.${value}`) }))}
      />
      {QOS_RULES[type].map((name) => (
        <TextField
          key={name}
          label={t(`qos.numbers.${name}`)}
          value={numbers[name] ?? ''}
          set={(text) => setNumbers((before) => ({ ...before, [name]: text }))}
          type="number"
        />
      ))}
      {type !== 'dscp_marking' && (
        <ChoiceField
          label={t('fields.direction')}
          value={direction}
          set={setDirection}
          choices={(['egress', 'ingress'] as const).map((value) => ({ value, label: t(`rules.${value}`) }))}
        />
      )}
    </CreateDialog>
  );
}

/** A policy without rules yet. */
export function CreateQosPolicy({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState({ name: '', description: '', shared: false, is_default: false });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  return (
    <CreateDialog
      title={t('qos.create')}
      confirm={t('create')}
      ready={form.name.trim() !== ''}
      send={() => create('qos/policies', 'policy', form)}
      touches={TOUCHES}
      close={close}
    >
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
      <FlagField label={t('networks.shareAll')} value={form.shared} set={(shared) => set({ shared })} />
      <FlagField label={t('pools.default')} value={form.is_default} set={(is_default) => set({ is_default })} />
    </CreateDialog>
  );
}
