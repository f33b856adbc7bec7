import Container from '@cloudscape-design/components/container';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import Select, { type SelectProps } from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Toggle from '@cloudscape-design/components/toggle';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { allOf } from '../../api/client.ts';
import { imagesQuery } from '../../images/queries.ts';
import { useVolumes } from '../devices.ts';
import { FlavorTable } from './flavor-table.tsx';
import type { Source } from './request.ts';
import type { SectionProps } from './section.ts';

const SOURCES = ['image', 'snapshot', 'volume'] as const;

/** What the server is: its name, what it starts from, how large it is. */
export function WhatSection({ form, set, errorOf }: SectionProps) {
  const { t } = useTranslation();
  const images = useQuery(imagesQuery);
  const image = form.source === 'image' ? images.data?.find(({ id }) => id === form.imageId) : undefined;
  return (
    <Container header={<Header variant="h2">{t('launch.what')}</Header>}>
      <SpaceBetween size="m">
        <FormField label={t('fields.name')} errorText={errorOf('name')}>
          <Input value={form.name} onChange={({ detail }) => set({ name: detail.value })} autoFocus name="name" />
        </FormField>
        <FormField label={t('launch.source')}>
          <SegmentedControl
            label={t('launch.source')}
            selectedId={form.source}
            onChange={({ detail }) => set({ source: detail.selectedId as Source })}
            options={SOURCES.map((id) => ({ id, text: t(`launch.sources.${id}`) }))}
          />
        </FormField>
        <SourceChoice form={form} set={set} errorOf={errorOf} />
        {form.source === 'image' && (
          <Toggle checked={form.volumeGb !== undefined} onChange={({ detail }) => set({ volumeGb: detail.checked ? 10 : undefined })}>
            {t('launch.volume')}
          </Toggle>
        )}
        {form.source === 'image' && form.volumeGb !== undefined && (
          <FormField label={t('launch.volumeSize')} errorText={errorOf('volumeSize')}>
            <Input type="number" inputMode="numeric" value={String(form.volumeGb)} onChange={({ detail }) => set({ volumeGb: Number(detail.value) })} />
          </FormField>
        )}
        <FormField label={t('launch.count')} errorText={errorOf('count') ?? errorOf('single')}>
          <Input type="number" inputMode="numeric" value={String(form.count)} onChange={({ detail }) => set({ count: Number(detail.value) })} />
        </FormField>
        <FormField label={t('fields.flavor')} errorText={errorOf('flavor')} stretch>
          <FlavorTable
            flavorId={form.flavorId}
            onChange={(flavorId) => set({ flavorId })}
            count={form.count}
            image={image}
            fromVolume={form.source !== 'image' || form.volumeGb !== undefined}
          />
        </FormField>
      </SpaceBetween>
    </Container>
  );
}

function SourceChoice({ form, set, errorOf }: SectionProps) {
  const { t } = useTranslation();
  const images = useQuery(imagesQuery);
  const volumes = useVolumes();
  const snapshots = useQuery({
    queryKey: ['snapshots'],
    queryFn: ({ signal }) => allOf<'cinder.snapshot.list-detail'>('volume', '/v3/snapshots/detail', 'snapshots', signal),
    enabled: form.source === 'snapshot',
  });
  const gib = (size: number): string => t('dialogs.gib', { size });
  const kinds: Readonly<
    Record<Source, { readonly id: string; readonly set: (id: string) => void; readonly pending: boolean; readonly options: SelectProps.Option[] }>
  > = {
    image: {
      id: form.imageId,
      set: (imageId) => set({ imageId }),
      pending: images.isPending,
      options: (images.data ?? []).filter(({ status }) => status === 'active').map(({ id, name }) => ({ value: id, label: name || id, description: id })),
    },
    snapshot: {
      id: form.snapshotId,
      set: (snapshotId) => set({ snapshotId }),
      pending: snapshots.isPending,
      options: (snapshots.data ?? [])
        .filter(({ status }) => status === 'available')
        .map(({ id, name, size }) => ({ value: id, label: name || id, description: gib(size) })),
    },
    volume: {
      id: form.volumeId,
      set: (volumeId) => set({ volumeId }),
      pending: volumes.isPending,
      options: (volumes.data ?? [])
        .filter(({ status, bootable }) => status === 'available' && bootable === 'true')
        .map(({ id, name, size }) => ({ value: id, label: name || id, description: gib(size) })),
    },
  };
  const kind = kinds[form.source];
  return (
    <FormField label={t(`launch.sources.${form.source}`)} errorText={errorOf(form.source)}>
      <Select
        selectedOption={kind.options.find(({ value }) => value === kind.id) ?? null}
        options={kind.options}
        onChange={({ detail }) => kind.set(detail.selectedOption.value ?? '')}
        filteringType="auto"
        placeholder={t('launch.choose')}
        statusType={kind.pending ? 'loading' : 'finished'}
        empty={t(`launch.noSource.${form.source}`)}
      />
    </FormField>
  );
}
