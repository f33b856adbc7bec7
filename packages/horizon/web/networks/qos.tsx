import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { useIsAdmin } from './owner.ts';
import { CreateQosPolicy } from './qos-detail.tsx';
import { factsOfRule } from './qos-rule.ts';
import { called, type QosPolicy, qosPoliciesQuery } from './queries.ts';
import { remove } from './write.ts';

/** Policies of quality of service, with their rules. */
export function QosPoliciesPage() {
  const { t } = useTranslation();
  const notAdmin = useIsAdmin() ? undefined : t('qos.forAdmins');
  const columns = useMemo<readonly Column<QosPolicy>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: called, cell: (row) => <PageLink to={`/qos-policies/${row.id}`}>{called(row)}</PageLink> },
      {
        id: 'rules',
        header: t('fields.rules'),
        value: ({ rules }) => rules.map((rule) => `${rule.type} ${factsOfRule(rule)}`).join(', '),
        cell: ({ rules }) =>
          rules.length === 0
            ? '-'
            : rules.map((rule) => (
                <div key={rule.id}>
                  {rule.type}: {factsOfRule(rule)}
                </div>
              )),
      },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description },
      { id: 'shared', header: t('fields.shared'), value: ({ shared }) => (shared ? t('yes') : t('no')) },
      { id: 'default', header: t('pools.default'), value: ({ is_default }) => (is_default ? t('yes') : t('no')) },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      name="qos-policies"
      title={t('pages.qos-policies')}
      query={qosPoliciesQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={called}
      kept={() => notAdmin}
      remove={(id) => remove('qos/policies', id)}
      empty={{ title: t('qos.empty'), text: t('qos.emptyText') }}
      create={{ label: t('qos.create'), form: (close) => <CreateQosPolicy close={close} />, reason: notAdmin }}
    />
  );
}
