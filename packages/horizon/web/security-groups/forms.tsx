import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changesOf, wordsIn } from '../networks/lines.ts';
import { QuotaUse } from '../networks/quota.tsx';
import { create, tell, update } from '../networks/write.ts';
import { useAtFirst } from '../parts/at-first.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { FlagField, LinesField, TextField } from '../parts/fields.tsx';
import { type AddressGroup, addressGroupsQuery, type SecurityGroup, securityGroupsQuery } from './queries.ts';

export function CreateGroup({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState({ name: '', description: '', stateful: true });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  return (
    <CreateDialog
      title={t('groups.create')}
      confirm={t('create')}
      ready={form.name.trim() !== ''}
      send={() => create('security-groups', 'security_group', { name: form.name, description: form.description, ...(!form.stateful && { stateful: false }) })}
      touches={[securityGroupsQuery.queryKey]}
      close={close}
    >
      <QuotaUse of="security_group" />
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
      <FlagField label={t('groups.stateful')} help={t('groups.statefulHelp')} value={form.stateful} set={(stateful) => set({ stateful })} />
    </CreateDialog>
  );
}

/** Name, description, and whether answers pass by themselves: that can be changed only while no port uses the group. */
export function EditGroup({ group, used, close }: { readonly group: SecurityGroup; readonly used: boolean; readonly close: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState({ name: group.name, description: group.description, stateful: group.stateful });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const changes = changesOf(useAtFirst(group), form);
  const isDefault = group.name === 'default';
  return (
    <CreateDialog
      title={t('net.edit')}
      confirm={t('save')}
      ready={Object.keys(changes).length > 0 && form.name.trim() !== ''}
      send={() => update('security-groups', 'security_group', group.id, changes)}
      touches={[securityGroupsQuery.queryKey]}
      close={close}
    >
      <TextField
        label={t('fields.name')}
        help={isDefault ? t('groups.defaultName') : undefined}
        disabled={isDefault}
        value={form.name}
        set={(name) => set({ name })}
        autoFocus
      />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
      <FlagField
        label={t('groups.stateful')}
        help={used ? t('groups.statefulUsed') : t('groups.statefulHelp')}
        disabled={used}
        value={form.stateful}
        set={(stateful) => set({ stateful })}
      />
    </CreateDialog>
  );
}

/** Addresses that rules name together; new, or `before` changed. */
export function AddressGroupForm({ before, close }: { readonly before?: AddressGroup; readonly close: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState({ name: before?.name ?? '', description: before?.description ?? '', addresses: before?.addresses.join('\n') ?? '' });
  const set = (change: Partial<typeof form>): void => setForm((old) => ({ ...old, ...change }));
  const addresses = wordsIn(form.addresses);
  const send = async (): Promise<unknown> => {
    const names = { name: form.name, description: form.description };
    if (before === undefined) return create('address-groups', 'address_group', { ...names, addresses });
    const changes = changesOf(before, names);
    if (Object.keys(changes).length > 0) await update('address-groups', 'address_group', before.id, changes);
    const [added, gone] = [addresses.filter((each) => !before.addresses.includes(each)), before.addresses.filter((each) => !addresses.includes(each))];
    if (added.length > 0) await tell('address-groups', before.id, 'add_addresses', { address_group: { addresses: added } });
    if (gone.length > 0) await tell('address-groups', before.id, 'remove_addresses', { address_group: { addresses: gone } });
    return undefined;
  };
  return (
    <CreateDialog
      title={before ? t('addressGroups.edit') : t('addressGroups.create')}
      confirm={before ? t('save') : t('create')}
      ready={form.name.trim() !== ''}
      send={send}
      touches={[addressGroupsQuery.queryKey]}
      close={close}
    >
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <LinesField
        label={t('net.addresses')}
        help={t('addressGroups.addressesHelp')}
        value={form.addresses}
        set={(text) => set({ addresses: text })}
        rows={5}
        placeholder="192.0.2.0/24"
      />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
    </CreateDialog>
  );
}
