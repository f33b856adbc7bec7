import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import Select from '@cloudscape-design/components/select';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client.ts';
import { Waiting } from '../../parts/waiting.tsx';
import type { SectionProps } from './section.ts';

const UserDataEditor = lazy(async () => ({ default: (await import('./user-data-editor.tsx')).UserDataEditor }));

/** What few servers need. */
export function MoreSection({ form, set, errorOf }: SectionProps) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const [editing, setEditing] = useState(form.userData !== '');
  const groups = useQuery({
    queryKey: ['server-groups'],
    queryFn: async ({ signal }) => (await api<'nova.server-group.list'>('compute', '/v2.1/os-server-groups', { signal })).server_groups,
    enabled: open,
  });
  const zones = useQuery({
    queryKey: ['zones'],
    queryFn: async ({ signal }) => (await api<'nova.availability-zone.list'>('compute', '/v2.1/os-availability-zone', { signal })).availabilityZoneInfo,
    enabled: open,
  });
  const groupOptions = [
    { value: '', label: t('none') },
    ...(groups.data ?? []).map(({ id, name, policy }) => ({ value: id, label: name, description: policy })),
  ];
  const zoneOptions = [
    { value: '', label: t('launch.anyZone') },
    ...(zones.data ?? []).map(({ zoneName, zoneState }) => ({ value: zoneName, label: zoneName, disabled: !zoneState.available })),
  ];
  const change = (at: number, more: { readonly key?: string; readonly value?: string }): void =>
    set({ metadata: form.metadata.map((item, index) => (index === at ? { ...item, ...more } : item)) });
  return (
    <Container header={<Header variant="h2">{t('launch.more')}</Header>}>
      <SpaceBetween size="m">
        <FormField label={t('launch.userData')} description={t('launch.userDataHelp')} errorText={errorOf('userData')} stretch>
          {editing ? (
            <Suspense fallback={<Waiting />}>
              <UserDataEditor label={t('launch.userData')} initial={form.userData} onChange={(userData) => set({ userData })} />
            </Suspense>
          ) : (
            <Button formAction="none" onClick={() => setEditing(true)}>
              {t('launch.writeUserData')}
            </Button>
          )}
        </FormField>
        <ExpandableSection headerText={t('launch.details')} expanded={open} onChange={({ detail }) => setOpen(detail.expanded)}>
          <SpaceBetween size="m">
            <FormField label={t('actions.tags')} description={t('dialogs.tagsHelp')}>
              <Input value={form.tags} onChange={({ detail }) => set({ tags: detail.value })} />
            </FormField>
            <FormField label={t('fields.metadata')} errorText={errorOf('metadata')} stretch>
              <AttributeEditor
                items={form.metadata}
                onAddButtonClick={() => set({ metadata: [...form.metadata, { key: '', value: '' }] })}
                onRemoveButtonClick={({ detail }) => set({ metadata: form.metadata.filter((_item, index) => index !== detail.itemIndex) })}
                addButtonText={t('dialogs.add')}
                removeButtonText={t('dialogs.remove')}
                removeButtonAriaLabel={(item) => `${t('dialogs.remove')} ${item.key}`}
                empty={t('none')}
                definition={[
                  {
                    label: t('dialogs.key'),
                    control: (item, index) => (
                      <Input value={item.key} ariaLabel={t('dialogs.key')} onChange={({ detail }) => change(index, { key: detail.value })} />
                    ),
                  },
                  {
                    label: t('dialogs.value'),
                    control: (item, index) => (
                      <Input value={item.value} ariaLabel={t('dialogs.value')} onChange={({ detail }) => change(index, { value: detail.value })} />
                    ),
                  },
                ]}
              />
            </FormField>
            <FormField label={t('launch.group')} description={t('launch.groupHelp')}>
              <Select
                selectedOption={groupOptions.find(({ value }) => value === form.groupId) ?? null}
                options={groupOptions}
                onChange={({ detail }) => set({ groupId: detail.selectedOption.value ?? '' })}
                statusType={groups.isPending ? 'loading' : 'finished'}
              />
            </FormField>
            <FormField label={t('fields.zone')}>
              <Select
                selectedOption={zoneOptions.find(({ value }) => value === form.zone) ?? null}
                options={zoneOptions}
                onChange={({ detail }) => set({ zone: detail.selectedOption.value ?? '' })}
                statusType={zones.isPending ? 'loading' : 'finished'}
              />
            </FormField>
          </SpaceBetween>
        </ExpandableSection>
      </SpaceBetween>
    </Container>
  );
}
