import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import { queryOptions } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { allOf, api } from '../api/client.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';

interface Volume {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  /** GiB. */
  readonly size: number;
  readonly volume_type: string | null;
  readonly bootable: string;
  readonly encrypted: boolean;
  readonly created_at: string;
  readonly attachments: readonly { readonly server_id: string; readonly device: string }[];
}

const volumesQuery = queryOptions({
  queryKey: ['volumes'],
  queryFn: ({ signal }) => allOf<Volume>('volume', '/v3/volumes/detail', 'volumes', signal),
});
const DELETABLE = new Set(['available', 'error', 'error_restoring', 'error_extending', 'error_managing']);

/** The project's volumes. */
export function VolumesPage() {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<Volume>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'size', header: t('fields.sizeGb'), value: ({ size }) => size },
      { id: 'type', header: t('fields.type'), value: ({ volume_type }) => volume_type ?? '' },
      {
        id: 'attached',
        header: t('fields.attachedTo'),
        value: ({ attachments }) => attachments.map(({ server_id }) => server_id).join(', '),
        cell: ({ attachments }) =>
          attachments.map(({ server_id, device }) => (
            <div key={server_id}>
              <PageLink to={`/servers/${server_id}`}>{device || server_id}</PageLink>
            </div>
          )),
      },
      { id: 'bootable', header: t('fields.bootable'), value: ({ bootable }) => (bootable === 'true' ? t('yes') : t('no')), shown: false },
      { id: 'encrypted', header: t('fields.encrypted'), value: ({ encrypted }) => (encrypted ? t('yes') : t('no')), shown: false },
      { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <ListPage
      name="volumes"
      title={t('pages.volumes')}
      query={volumesQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      kept={({ status }) => (DELETABLE.has(status) ? undefined : t('volumes.inUse'))}
      remove={(id) => api('volume', `/v3/volumes/${id}`, { method: 'DELETE' })}
      empty={{ title: t('volumes.empty'), text: t('volumes.emptyText') }}
      create={{ label: t('volumes.create'), form: (close) => <CreateVolume close={close} /> }}
    />
  );
}

function CreateVolume({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [size, setSize] = useState('1');
  const sizeGb = Number(size);
  return (
    <CreateDialog
      title={t('volumes.create')}
      confirm={t('create')}
      ready={name.trim() !== '' && Number.isInteger(sizeGb) && sizeGb > 0}
      send={() => api('volume', '/v3/volumes', { method: 'POST', body: { volume: { name, size: sizeGb } } })}
      touches={[volumesQuery.queryKey]}
      close={close}
    >
      <FormField label={t('fields.name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
      </FormField>
      <FormField label={t('fields.sizeGb')}>
        <Input type="number" inputMode="numeric" value={size} onChange={({ detail }) => setSize(detail.value)} />
      </FormField>
    </CreateDialog>
  );
}
