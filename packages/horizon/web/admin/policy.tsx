import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Textarea from '@cloudscape-design/components/textarea';
import { queryOptions, useMutation, useQuery } from '@tanstack/react-query';
import { type FormEvent, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { useTargetChoices } from '../identity/names.ts';
import { usersQuery } from '../identity/queries.ts';
import { Refusal } from '../parts/refusal.tsx';
import { type Branch, type Explanation, questionOf } from './policy-question.ts';
import { propertiesOf } from './properties.ts';

const rulesQuery = queryOptions({
  queryKey: ['policy-rules'] as const,
  queryFn: async ({ signal }) => (await api<'keystone.policy_rule.list'>('identity', '/v3/OS-CAIRN/policy_rules', { signal })).policy_rules,
  staleTime: 600_000,
});

/** May this user do that, and by which rule? */
export function PolicyPage() {
  const { t } = useTranslation();
  const rules = useQuery(rulesQuery);
  const { data: users = [] } = useQuery(usersQuery);
  const scopes = useTargetChoices();
  const [user, setUser] = useState('');
  const [scope, setScope] = useState('');
  const [rule, setRule] = useState('');
  const [target, setTarget] = useState('');
  const people = useMemo(() => users.map(({ id, name }) => ({ value: id, label: name, description: id })), [users]);
  const choices = useMemo(
    () => (rules.data ?? []).map(({ service, rule: name, description }) => ({ value: `${service} ${name}`, label: name, labelTag: service, description })),
    [rules.data],
  );
  const asked = useMutation({
    mutationFn: async () =>
      (
        await api<'keystone.policy_explanation.show'>('identity', '/v3/OS-CAIRN/policy_explanations', {
          method: 'POST',
          body: questionOf({ user, scope, rule, target }),
        })
      ).policy_explanation as Explanation,
  });
  const wrong = propertiesOf(target) === undefined;
  const choose = (set: (value: string) => void, value: string): void => {
    set(value);
    asked.reset();
  };
  const field = (label: string, options: readonly { value: string; label: string }[], value: string, set: (value: string) => void, help?: string) => (
    <FormField label={label} description={help}>
      <Select
        options={[...options]}
        selectedOption={options.find((option) => option.value === value) ?? null}
        onChange={({ detail }) => choose(set, detail.selectedOption.value ?? '')}
        placeholder={t('form.choose')}
        filteringType="auto"
        virtualScroll={options.length > 100}
      />
    </FormField>
  );
  return (
    <SpaceBetween size="l">
      <Header variant="h1" description={t('policy.help')}>
        {t('pages.policy')}
      </Header>
      {rules.error !== null && <Refusal error={rules.error} />}
      <form
        onSubmit={(event: FormEvent) => {
          event.preventDefault();
          asked.mutate();
        }}
      >
        <Form
          actions={
            <Button variant="primary" disabled={user === '' || scope === '' || rule === '' || wrong} loading={asked.isPending} loadingText={t('working')}>
              {t('policy.explain')}
            </Button>
          }
        >
          <Container>
            <SpaceBetween size="m">
              {field(t('identity.user'), people, user, setUser)}
              {field(t('identity.where'), scopes, scope, setScope)}
              {field(t('policy.rule'), choices, rule, setRule, t('policy.ruleHelp'))}
              <FormField label={t('policy.target')} description={t('policy.targetHelp')} errorText={wrong ? t('admin.badProperties') : undefined}>
                <Textarea value={target} onChange={({ detail }) => choose(setTarget, detail.value)} rows={3} />
              </FormField>
            </SpaceBetween>
          </Container>
        </Form>
      </form>
      {asked.error !== null && <Refusal error={asked.error} />}
      {asked.data !== undefined && <Answer found={asked.data} />}
    </SpaceBetween>
  );
}

function Answer({ found }: { readonly found: Explanation }) {
  const { t } = useTranslation();
  return (
    <Container header={<Header variant="h2">{t('policy.answer')}</Header>}>
      <SpaceBetween size="m">
        <Alert type={found.allowed ? 'success' : 'warning'} header={found.allowed ? t('policy.may') : t('policy.mayNot')}>
          {t(`policy.reasons.${found.reason}`, { scopes: (found.scope_types ?? []).join(', ') })}
        </Alert>
        <KeyValuePairs
          columns={2}
          items={[
            { label: t('policy.rule'), value: `${found.service} ${found.rule}` },
            { label: t('policy.check'), value: <Box variant="code">{found.check || '""'}</Box> },
            { label: t('access.roles'), value: found.roles.join(', ') || '-' },
            { label: t('policy.matching'), value: <Box variant="code">{found.matching ?? '-'}</Box> },
          ]}
        />
        <Branches branches={found.branches} />
      </SpaceBetween>
    </Container>
  );
}

/** The alternatives of a check, each with what it comes to, and the rules that it refers to within it. */
function Branches({ branches }: { readonly branches: readonly Branch[] }) {
  const { t } = useTranslation();
  return (
    <SpaceBetween size="xs">
      {branches.map(({ check, passes, rules }, index) => (
        <div key={`${index} ${check}`} data-branch={passes ? 'passes' : 'fails'}>
          <StatusIndicator type={passes ? 'success' : 'stopped'} wrapText iconAriaLabel={passes ? t('policy.passes') : t('policy.fails')}>
            {check || '""'}
          </StatusIndicator>
          {rules.map((rule) => (
            <ExpandableSection key={rule.rule} headerText={`${rule.rule}: ${rule.check || '""'}`} defaultExpanded={rule.passes}>
              <Branches branches={rule.branches} />
            </ExpandableSection>
          ))}
        </div>
      ))}
    </SpaceBetween>
  );
}
