import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type AdminFlavor, adminFlavorsQuery } from './queries.ts';

const isPublic = (flavor: AdminFlavor): boolean => flavor['os-flavor-access:is_public'];

/** All flavors, those for some projects alone too. */
export function FlavorsPage() {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<AdminFlavor>[]>(
    () => [
      {
        id: 'name',
        header: t('fields.name'),
        value: ({ name }) => name,
        cell: ({ id, name }) => <PageLink to={`/flavors/${encodeURIComponent(id)}`}>{name}</PageLink>,
      },
      { id: 'vcpus', header: t('admin.vcpus'), value: ({ vcpus }) => vcpus },
      { id: 'ram', header: t('admin.ramMb'), value: ({ ram }) => ram },
      { id: 'disk', header: t('admin.diskGb'), value: ({ disk }) => disk },
      { id: 'ephemeral', header: t('admin.ephemeralGb'), value: (flavor) => flavor['OS-FLV-EXT-DATA:ephemeral'], shown: false },
      { id: 'swap', header: t('admin.swapMb'), value: ({ swap }) => swap, shown: false },
      { id: 'public', header: t('admin.public'), value: (flavor) => (isPublic(flavor) ? t('yes') : t('no')) },
      {
        id: 'specs',
        header: t('admin.extraSpecs'),
        value: ({ extra_specs = {} }) =>
          Object.entries(extra_specs)
            .map((pair) => pair.join('='))
            .join(', '),
      },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      name="flavors"
      title={t('pages.flavors')}
      query={adminFlavorsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name }) => name}
      remove={(id) => api('compute', `/v2.1/flavors/${encodeURIComponent(id)}`, { method: 'DELETE' })}
      empty={{ title: t('admin.noFlavors'), text: t('admin.flavorsHelp') }}
      create={{ label: t('admin.createFlavor'), form: (close) => <CreateFlavor close={close} /> }}
    />
  );
}

function CreateFlavor({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const fields = {
    name: { kind: 'text', label: t('fields.name'), required: true },
    vcpus: { kind: 'number', label: t('admin.vcpus'), initial: 1, least: 1, required: true },
    ram: { kind: 'number', label: t('admin.ramMb'), initial: 1024, least: 1, required: true },
    disk: { kind: 'number', label: t('admin.diskGb'), initial: 10, required: true },
    ephemeral: { kind: 'number', label: t('admin.ephemeralGb'), initial: 0, required: true },
    swap: { kind: 'number', label: t('admin.swapMb'), initial: 0, required: true },
    description: { kind: 'text', label: t('fields.description') },
    isPublic: { kind: 'check', label: t('admin.forAll'), help: t('admin.forAllHelp'), initial: true },
  } as const;
  return (
    <FormDialog
      title={t('admin.createFlavor')}
      confirm={t('create')}
      fields={fields}
      send={({ name, vcpus, ram, disk, ephemeral, swap, description, isPublic: all }) =>
        api('compute', '/v2.1/flavors', {
          method: 'POST',
          body: {
            flavor: {
              name: name.trim(),
              vcpus,
              ram,
              disk,
              swap,
              'OS-FLV-EXT-DATA:ephemeral': ephemeral,
              'os-flavor-access:is_public': all,
              ...(description !== '' && { description }),
            },
          },
        })
      }
      touches={[['flavors']]}
      close={close}
    />
  );
}
