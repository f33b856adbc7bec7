import ContentLayout from '@cloudscape-design/components/content-layout';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, FlagField, LinesField, TextField } from '../parts/fields.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { wordsIn } from './lines.ts';
import { useIsAdmin, useKeptFrom } from './owner.ts';
import { type AddressScope, addressScopesQuery, called, type SubnetPool, subnetPoolsQuery } from './queries.ts';
import { QuotaUse } from './quota.tsx';
import { tagsColumn } from './tags.tsx';
import { create, remove, update } from './write.ts';

/** Ranges that subnets are cut from, and the scopes within which addresses are told apart. */
export function SubnetPoolsPage() {
  const { t } = useTranslation();
  const kept = useKeptFrom();
  const pools = useQuery(subnetPoolsQuery);
  const scopes = useQuery(addressScopesQuery);
  const yesNo = (value: boolean): string => (value ? t('yes') : t('no'));
  return (
    <ContentLayout header={<Header variant="h1">{t('pages.subnet-pools')}</Header>}>
      <SpaceBetween size="l">
        <PartTable<SubnetPool>
          title={t('pages.subnet-pools')}
          description={t('pools.help')}
          items={pools.data}
          keyOf={({ id }) => id}
          labelOf={called}
          empty={t('pools.empty')}
          columns={[
            { id: 'name', header: t('fields.name'), cell: called },
            { id: 'prefixes', header: t('fields.subnets'), cell: ({ prefixes }) => prefixes.join(', ') },
            { id: 'length', header: t('subnets.prefixLength'), cell: (row) => `/${row.default_prefixlen} (/${row.min_prefixlen} – /${row.max_prefixlen})` },
            {
              id: 'scope',
              header: t('pools.scope'),
              cell: ({ address_scope_id: id }) => (id === null ? '-' : called(scopes.data?.find((scope) => scope.id === id) ?? { id })),
            },
            { id: 'default', header: t('pools.default'), cell: ({ is_default }) => yesNo(is_default) },
            { id: 'shared', header: t('fields.shared'), cell: ({ shared }) => yesNo(shared) },
            tagsColumn<SubnetPool>(t('networks.tags'), 'subnetpools', [subnetPoolsQuery.queryKey], kept),
          ]}
          edit={{ label: t('net.edit'), form: (pool, close) => <EditPool pool={pool} scopes={scopes.data ?? []} close={close} />, kept }}
          create={{ label: t('pools.create'), form: (close) => <CreatePool scopes={scopes.data ?? []} close={close} /> }}
          remove={{ label: t('delete'), run: ({ id }) => remove('subnetpools', id), touches: [subnetPoolsQuery.queryKey], kept }}
        />
        <PartTable<AddressScope>
          title={t('pools.scopes')}
          description={t('pools.scopesHelp')}
          items={scopes.data}
          keyOf={({ id }) => id}
          labelOf={called}
          empty={t('pools.noScopes')}
          columns={[
            { id: 'name', header: t('fields.name'), cell: called },
            { id: 'version', header: t('fields.ethertype'), cell: ({ ip_version }) => `IPv${ip_version}` },
            { id: 'shared', header: t('fields.shared'), cell: ({ shared }) => yesNo(shared) },
          ]}
          create={{ label: t('pools.createScope'), form: (close) => <CreateScope close={close} /> }}
          remove={{ label: t('delete'), run: ({ id }) => remove('address-scopes', id), touches: [addressScopesQuery.queryKey], kept }}
        />
      </SpaceBetween>
    </ContentLayout>
  );
}

function CreatePool({ scopes, close }: { readonly scopes: readonly AddressScope[]; readonly close: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const [form, setForm] = useState({ name: '', prefixes: '', length: '', scope: '', isDefault: false, shared: false });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const prefixes = wordsIn(form.prefixes);
  return (
    <CreateDialog
      title={t('pools.create')}
      confirm={t('create')}
      ready={form.name.trim() !== '' && prefixes.length > 0}
      send={() =>
        create('subnetpools', 'subnetpool', {
          name: form.name,
          prefixes,
          ...(form.length !== '' && { default_prefixlen: Number(form.length) }),
          ...(form.scope !== '' && { address_scope_id: form.scope }),
          ...(form.isDefault && { is_default: true }),
          ...(form.shared && { shared: true }),
        })
      }
      touches={[subnetPoolsQuery.queryKey]}
      close={close}
    >
      <QuotaUse of="subnetpool" />
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <LinesField
        label={t('fields.subnets')}
        help={t('pools.rangesHelp')}
        value={form.prefixes}
        set={(text) => set({ prefixes: text })}
        placeholder="10.64.0.0/16"
      />
      <TextField label={t('subnets.prefixLength')} value={form.length} set={(length) => set({ length })} type="number" placeholder="24" />
      <ChoiceField
        label={t('pools.scope')}
        value={form.scope}
        set={(scope) => set({ scope })}
        choices={[{ value: '', label: t('none') }, ...scopes.map((scope) => ({ value: scope.id, label: called(scope) }))]}
      />
      {isAdmin && (
        <>
          <FlagField label={t('pools.default')} value={form.isDefault} set={(isDefault) => set({ isDefault })} />
          <FlagField label={t('networks.shareAll')} value={form.shared} set={(shared) => set({ shared })} />
        </>
      )}
    </CreateDialog>
  );
}

function EditPool({ pool, scopes, close }: { readonly pool: SubnetPool; readonly scopes: readonly AddressScope[]; readonly close: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const most = pool.ip_version === 4 ? 32 : 128;
  return (
    <FormDialog
      title={t('pools.edit', { name: called(pool) })}
      confirm={t('save')}
      edits
      close={close}
      touches={[subnetPoolsQuery.queryKey]}
      fields={{
        name: { kind: 'text', label: t('fields.name'), initial: pool.name },
        description: { kind: 'text', label: t('fields.description'), initial: pool.description },
        prefixes: { kind: 'lines', label: t('fields.subnets'), help: t('pools.growHelp'), initial: pool.prefixes.join('\n'), required: true },
        default_prefixlen: { kind: 'number', label: t('subnets.prefixLength'), initial: Number(pool.default_prefixlen), required: true, most },
        min_prefixlen: { kind: 'number', label: t('pools.largest'), initial: Number(pool.min_prefixlen), required: true, most },
        max_prefixlen: { kind: 'number', label: t('pools.smallest'), initial: Number(pool.max_prefixlen), required: true, most },
        address_scope_id: {
          kind: 'choice',
          label: t('pools.scope'),
          required: false,
          initial: pool.address_scope_id,
          options: [{ value: '', label: t('none') }, ...scopes.map((scope) => ({ value: scope.id, label: called(scope) }))],
        },
        is_default: { kind: 'check', label: t('pools.default'), initial: pool.is_default, when: () => isAdmin },
      }}
      send={(_values, { prefixes, address_scope_id: scope, ...changes }) =>
        update('subnetpools', 'subnetpool', pool.id, {
          ...changes,
          ...(prefixes !== undefined && { prefixes: wordsIn(prefixes) }),
          ...(scope !== undefined && { address_scope_id: scope === '' ? null : scope }),
        })
      }
    />
  );
}

function CreateScope({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const [form, setForm] = useState({ name: '', version: '4', shared: false });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  return (
    <CreateDialog
      title={t('pools.createScope')}
      confirm={t('create')}
      ready={form.name.trim() !== ''}
      send={() => create('address-scopes', 'address_scope', { name: form.name, ip_version: Number(form.version), ...(form.shared && { shared: true }) })}
      touches={[addressScopesQuery.queryKey]}
      close={close}
    >
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <ChoiceField
        label={t('fields.ethertype')}
        value={form.version}
        set={(version) => set({ version })}
        choices={[
          { value: '4', label: 'IPv4' },
          { value: '6', label: 'IPv6' },
        ]}
      />
      {isAdmin && <FlagField label={t('networks.shareAll')} value={form.shared} set={(shared) => set({ shared })} />}
    </CreateDialog>
  );
}
