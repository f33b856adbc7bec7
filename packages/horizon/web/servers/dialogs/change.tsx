import AttributeEditor from '@cloudscape-design/components/attribute-editor';
import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Multiselect from '@cloudscape-design/components/multiselect';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client.ts';
import { CreateDialog } from '../../parts/create-dialog.tsx';
import { ChoiceField, TextField } from '../../parts/fields.tsx';
import { securityGroupsQuery } from '../../security-groups/queries.ts';
import { flavorsQuery } from '../flavors.ts';
import { act } from '../queries.ts';
import { type DialogProps, pathOf, touchesOf } from './parts.tsx';
import { metadataOf, tagsOf } from './values.ts';

export function Rename({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const [name, setName] = useState(server.name);
  const [description, setDescription] = useState(server.description ?? '');
  return (
    <CreateDialog
      title={t('actions.rename')}
      confirm={t('save')}
      ready={name.trim() !== ''}
      send={() =>
        api('compute', pathOf(server), { method: 'PUT', body: { server: { name: name.trim(), description: description === '' ? null : description } } })
      }
      touches={touchesOf(server)}
      close={close}
    >
      <TextField label={t('fields.name')} value={name} set={setName} autoFocus />
      <TextField label={t('fields.description')} value={description} set={setDescription} />
    </CreateDialog>
  );
}

export function Resize({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const flavors = useQuery(flavorsQuery);
  const [flavorId, setFlavorId] = useState('');
  const now = server.flavor;
  return (
    <CreateDialog
      title={t('actions.resize')}
      confirm={t('actions.resize')}
      ready={flavorId !== ''}
      send={() => act(server.id, { resize: { flavorRef: flavorId } })}
      touches={touchesOf(server)}
      close={close}
    >
      <ChoiceField
        label={t('fields.flavor')}
        help={t('dialogs.resizeHelp', { flavor: t('flavor', { name: now.original_name, vcpus: now.vcpus, ram: now.ram, disk: now.disk }) })}
        value={flavorId}
        set={setFlavorId}
        choices={
          flavors.isPending
            ? undefined
            : (flavors.data ?? []).map(({ id, name, vcpus, ram, disk }) => ({
                value: id,
                label: name,
                description: t('flavor', { name, vcpus, ram, disk }),
                ...(name === now.original_name && { disabled: t('dialogs.sameFlavor') }),
              }))
        }
      />
    </CreateDialog>
  );
}

export function Metadata({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const [items, setItems] = useState<readonly { readonly key: string; readonly value: string }[]>(
    Object.entries(server.metadata).map(([key, value]) => ({ key, value })),
  );
  const change = (at: number, more: Partial<(typeof items)[number]>): void =>
    setItems(items.map((item, index) => (index === at ? { ...item, ...more } : item)));
  const metadata = metadataOf(items);
  return (
    <CreateDialog
      title={t('actions.metadata')}
      confirm={t('save')}
      ready={metadata !== undefined}
      send={() => api('compute', pathOf(server, '/metadata'), { method: 'PUT', body: { metadata } })}
      touches={touchesOf(server)}
      close={close}
    >
      <AttributeEditor
        items={items}
        onAddButtonClick={() => setItems([...items, { key: '', value: '' }])}
        onRemoveButtonClick={({ detail }) => setItems(items.filter((_item, index) => index !== detail.itemIndex))}
        addButtonText={t('dialogs.add')}
        removeButtonText={t('dialogs.remove')}
        removeButtonAriaLabel={(item) => `${t('dialogs.remove')} ${item.key}`}
        empty={t('none')}
        definition={[
          {
            label: t('dialogs.key'),
            control: (item, index) => <Input value={item.key} ariaLabel={t('dialogs.key')} onChange={({ detail }) => change(index, { key: detail.value })} />,
          },
          {
            label: t('dialogs.value'),
            control: (item, index) => (
              <Input value={item.value} ariaLabel={t('dialogs.value')} onChange={({ detail }) => change(index, { value: detail.value })} />
            ),
          },
        ]}
      />
    </CreateDialog>
  );
}

export function Tags({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const [text, setText] = useState((server.tags ?? []).join(', '));
  return (
    <CreateDialog
      title={t('actions.tags')}
      confirm={t('save')}
      ready
      send={() => api('compute', pathOf(server, '/tags'), { method: 'PUT', body: { tags: tagsOf(text) } })}
      touches={touchesOf(server)}
      close={close}
    >
      <TextField label={t('actions.tags')} help={t('dialogs.tagsHelp')} value={text} set={setText} autoFocus />
    </CreateDialog>
  );
}

export function SecurityGroups({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const all = useQuery(securityGroupsQuery);
  const own = useQuery({
    queryKey: ['server', server.id, 'security-groups'],
    queryFn: async ({ signal }) => (await api<'nova.server.security_groups'>('compute', pathOf(server, '/os-security-groups'), { signal })).security_groups,
  });
  const [chosen, setChosen] = useState<readonly string[]>();
  const before = (own.data ?? []).map(({ id }) => id);
  const after = chosen ?? before;
  const options = (all.data ?? []).map(({ id, name, description }) => ({ value: id, label: name, description }));
  const send = async (): Promise<void> => {
    for (const id of after) if (!before.includes(id)) await act(server.id, { addSecurityGroup: { name: id } });
    for (const id of before) if (!after.includes(id)) await act(server.id, { removeSecurityGroup: { name: id } });
  };
  return (
    <CreateDialog
      title={t('actions.securityGroups')}
      confirm={t('save')}
      ready={own.data !== undefined && chosen !== undefined}
      send={send}
      touches={touchesOf(server)}
      close={close}
    >
      <FormField label={t('pages.security-groups')} description={t('dialogs.groupsHelp')}>
        <Multiselect
          selectedOptions={options.filter(({ value }) => after.includes(value))}
          options={options}
          onChange={({ detail }) => setChosen(detail.selectedOptions.map(({ value }) => value ?? ''))}
          statusType={all.isPending || own.isPending ? 'loading' : 'finished'}
          expandToViewport
        />
      </FormField>
    </CreateDialog>
  );
}
