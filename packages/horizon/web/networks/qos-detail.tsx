import Button from '@cloudscape-design/components/button';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, FlagField, TextField } from '../parts/fields.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { Facts, ThingPage } from '../parts/detail-page.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { RemoveButton } from '../parts/remove-button.tsx';
import { Shown } from '../parts/shown.tsx';
import { useIsAdmin } from './owner.ts';
import { factsOfRule, numbersOfRule, QOS_RULES, qosRuleBody, type QosRuleType } from './qos-rule.ts';
import { called, type QosPolicy, qosPoliciesQuery, qosPolicyQuery, type QosRule } from './queries.ts';
import { Sharing } from './sharing.tsx';
import { Tags } from './tags.tsx';
import { create, remove, update } from './write.ts';

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
  const [editing, setEditing] = useState(false);
  const yesNo = (value: boolean): string => (value ? t('yes') : t('no'));
  return (
    <ThingPage
      title={called(policy)}
      actions={
        <>
          <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setEditing(true)}>
            {t('net.edit')}
          </Button>
          <RemoveButton
            id={policy.id}
            name={called(policy)}
            kept={kept}
            remove={() => remove('qos/policies', policy.id)}
            touches={TOUCHES}
            onDone={() => void navigate({ to: '/qos-policies' })}
          />
        </>
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
        create={{ label: t('rules.create'), form: (close) => <QosRuleForm policyId={policy.id} close={close} />, not: kept }}
        edit={{ label: t('net.edit'), form: (rule, close) => <QosRuleForm policyId={policy.id} before={rule} close={close} />, kept: () => kept }}
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
          [t('networks.tags'), <Tags path="policies" id={policy.id} tags={policy.tags} touches={TOUCHES} fixed={kept !== undefined} />],
          [t('fields.id'), policy.id, 'copied'],
        ]}
      />
      {kept === undefined && <Sharing type="qos_policy" id={policy.id} kept={kept} />}
      {editing && <EditQosPolicy policy={policy} close={() => setEditing(false)} />}
    </ThingPage>
  );
}

/** A rule of a policy: a new one, or other values of the one `before`, whose type stays. */
function QosRuleForm({ policyId, before, close }: { readonly policyId: string; readonly before?: QosRule; readonly close: () => void }) {
  const { t } = useTranslation();
  const [type, setType] = useState<QosRuleType>(before?.type ?? 'bandwidth_limit');
  const [direction, setDirection] = useState<string>(before !== undefined && 'direction' in before ? before.direction : 'egress');
  const [numbers, setNumbers] = useState<Readonly<Record<string, string>>>(() => (before === undefined ? {} : numbersOfRule(before)));
  const body = qosRuleBody(type, direction, numbers);
  return (
    <CreateDialog
      title={before === undefined ? t('rules.create') : t('qos.editRule')}
      confirm={before === undefined ? t('create') : t('save')}
      ready={body !== undefined}
      send={() =>
        before === undefined
          ? create(`qos/policies/${policyId}/${type}_rules`, `${type}_rule`, body ?? {})
          : update(`qos/policies/${policyId}/${type}_rules`, `${type}_rule`, before.id, body ?? {})
      }
      touches={TOUCHES}
      close={close}
    >
      <ChoiceField
        label={t('fields.type')}
        value={type}
        set={(value) => setType(value as QosRuleType)}
        disabled={before !== undefined}
        choices={(Object.keys(QOS_RULES) as QosRuleType[]).map((value) => ({ value, label: t(`qos.types.${value}`) }))}
      />
      {QOS_RULES[type].map((name) => (
        <TextField
          key={name}
          label={t(`qos.numbers.${name}`)}
          value={numbers[name] ?? ''}
          set={(text) => setNumbers((typed) => ({ ...typed, [name]: text }))}
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

function EditQosPolicy({ policy, close }: { readonly policy: QosPolicy; readonly close: () => void }) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('qos.edit')}
      confirm={t('save')}
      edits
      close={close}
      touches={TOUCHES}
      fields={{
        name: { kind: 'text', label: t('fields.name'), initial: policy.name, required: true },
        description: { kind: 'text', label: t('fields.description'), initial: policy.description },
        shared: { kind: 'check', label: t('networks.shareAll'), initial: policy.shared },
        is_default: { kind: 'check', label: t('pools.default'), initial: policy.is_default },
      }}
      send={(_values, changes) => update('qos/policies', 'policy', policy.id, changes)}
    />
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
