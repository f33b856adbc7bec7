import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type RowAction, RowActions } from '../parts/row-actions.tsx';
import { propertiesOf, propertiesText } from './properties.ts';
import { type QosSpec, qosSpecsQuery, type VolumeType, volumeTypesQuery } from './queries.ts';

/** Stands for no QoS specs in the form. */
const NO_QOS = 'none';
const TOUCHES = [['volume-types']] as const;
const wordsOf = (properties: Readonly<Record<string, string>> | undefined): string => propertiesText(properties ?? {}).replaceAll('\n', ', ');
const qosPath = (id: string): string => `/v3/qos-specs/${encodeURIComponent(id)}`;

/** Kinds of volumes, and the limits of speed that they can be given. */
export function VolumeTypesPage() {
  const { t } = useTranslation();
  const { data: qos = [] } = useQuery(qosSpecsQuery);
  const columns = useMemo<readonly Column<VolumeType>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' },
      { id: 'public', header: t('admin.public'), value: ({ is_public }) => (is_public ? t('yes') : t('no')) },
      { id: 'specs', header: t('admin.extraSpecs'), value: ({ extra_specs }) => wordsOf(extra_specs) },
      { id: 'qos', header: t('admin.qos'), value: ({ qos_specs_id }) => qos.find(({ id }) => id === qos_specs_id)?.name ?? qos_specs_id ?? '' },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, qos],
  );
  const actions: readonly RowAction<VolumeType>[] = [
    { id: 'qos', text: t('admin.chooseQos'), dialog: (type, close) => <QosOfType type={type} qos={qos} close={close} /> },
  ];
  return (
    <SpaceBetween size="l">
      <ListPage
        name="volume-types"
        title={t('pages.volume-types')}
        query={volumeTypesQuery}
        columns={columns}
        keyOf={({ id }) => id}
        labelOf={({ name }) => name}
        remove={(id) => api('volume', `/v3/types/${encodeURIComponent(id)}`, { method: 'DELETE' })}
        actions={(rows) => <RowActions rows={rows} actions={actions} keyOf={({ id }) => id} labelOf={({ name }) => name} touches={TOUCHES} />}
        empty={{ title: t('admin.noTypes'), text: t('admin.typesHelp') }}
        create={{ label: t('admin.createType'), form: (close) => <CreateType close={close} /> }}
      />
      <QosSpecs />
    </SpaceBetween>
  );
}

function CreateType({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), required: true },
    description: { kind: 'text', label: t('fields.description') },
    specs: { kind: 'lines', label: t('admin.extraSpecs'), help: t('admin.propertiesHelp') },
    isPublic: { kind: 'check', label: t('admin.forAll'), initial: true },
  } as const;
  return (
    <FormDialog
      title={t('admin.createType')}
      confirm={t('create')}
      fields={fields}
      wrong={({ specs }) => ({ specs: propertiesOf(specs) === undefined ? t('admin.badProperties') : undefined })}
      send={({ name, description, specs, isPublic }) =>
        api('volume', '/v3/types', {
          method: 'POST',
          body: {
            volume_type: {
              name: name.trim(),
              ...(description !== '' && { description }),
              'os-volume-type-access:is_public': isPublic,
              extra_specs: propertiesOf(specs) ?? {},
            },
          },
        })
      }
      touches={TOUCHES}
      close={close}
    />
  );
}

interface QosOfTypeProps {
  readonly type: VolumeType;
  readonly qos: readonly QosSpec[];
  readonly close: () => void;
}

function QosOfType({ type, qos, close }: QosOfTypeProps) {
  const { t } = useTranslation();
  const options = [{ value: NO_QOS, label: t('none') }, ...qos.map(({ id, name }) => ({ value: id, label: name }))];
  const now = type.qos_specs_id ?? NO_QOS;
  const to = (id: string, verb: 'associate' | 'disassociate'): Promise<unknown> =>
    api('volume', `${qosPath(id)}/${verb}?vol_type_id=${encodeURIComponent(type.id)}`);
  return (
    <FormDialog
      title={t('admin.chooseQos')}
      confirm={t('identity.save')}
      fields={{ qos: { kind: 'choice', label: t('admin.qos'), options, initial: now } }}
      send={async ({ qos: wanted }) => {
        if (wanted === now) return;
        if (now !== NO_QOS) await to(now, 'disassociate');
        if (wanted !== NO_QOS) await to(wanted, 'associate');
      }}
      touches={TOUCHES}
      close={close}
    />
  );
}

function QosSpecs() {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<QosSpec>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name },
      { id: 'consumer', header: t('admin.consumer'), value: ({ consumer }) => consumer },
      { id: 'specs', header: t('admin.limits'), value: ({ specs }) => wordsOf(specs) },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      inner
      name="qos-specs"
      title={t('admin.qosSpecs')}
      query={qosSpecsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      remove={(id) => api('volume', qosPath(id), { method: 'DELETE' })}
      empty={{ title: t('admin.noQos'), text: t('admin.qosHelp') }}
      create={{ label: t('admin.createQos'), form: (close) => <CreateQos close={close} /> }}
    />
  );
}

const CONSUMERS = ['front-end', 'back-end', 'both'] as const;

function CreateQos({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), required: true },
    consumer: {
      kind: 'choice',
      label: t('admin.consumer'),
      initial: 'front-end',
      options: CONSUMERS.map((value) => ({ value, label: t(`admin.consumers.${value}`) })),
    },
    limits: { kind: 'lines', label: t('admin.limits'), help: t('admin.limitsHelp'), required: true },
  } as const;
  return (
    <FormDialog
      title={t('admin.createQos')}
      confirm={t('create')}
      fields={fields}
      wrong={({ limits }) => ({ limits: propertiesOf(limits) === undefined ? t('admin.badProperties') : undefined })}
      send={({ name, consumer, limits }) =>
        api('volume', '/v3/qos-specs', { method: 'POST', body: { qos_specs: { ...propertiesOf(limits), name: name.trim(), consumer } } })
      }
      touches={TOUCHES}
      close={close}
    />
  );
}
