import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { VolumeActions } from './action-menu.tsx';
import { CreateVolume } from './create.tsx';
import { acceptVolume, type Volume, volumesQuery } from './queries.ts';
import { Transfers } from './transfers.tsx';

/** The project's volumes, and those that are offered to others. */
export function VolumesPage() {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<Volume>[]>(
    () => [
      {
        id: 'name',
        header: t('fields.name'),
        value: ({ name, id }) => name || id,
        cell: ({ name, id }) => <PageLink to={`/volumes/${id}`}>{name || id}</PageLink>,
      },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'size', header: t('fields.sizeGb'), value: ({ size }) => size },
      { id: 'type', header: t('fields.type'), value: ({ volume_type }) => volume_type ?? '' },
      {
        id: 'attached',
        header: t('fields.attachedTo'),
        value: ({ attachments }) => attachments.map(({ server_id, host_name }) => server_id ?? host_name).join(', '),
        cell: ({ attachments }) =>
          attachments.map(({ attachment_id, server_id, host_name, device }) => (
            <div key={attachment_id}>{server_id === null ? device || host_name : <PageLink to={`/servers/${server_id}`}>{device || server_id}</PageLink>}</div>
          )),
      },
      { id: 'bootable', header: t('fields.bootable'), value: ({ bootable }) => (bootable === 'true' ? t('yes') : t('no')), shown: false },
      { id: 'encrypted', header: t('fields.encrypted'), value: ({ encrypted }) => (encrypted ? t('yes') : t('no')), shown: false },
      { id: 'zone', header: t('fields.zone'), value: ({ availability_zone }) => availability_zone ?? '', shown: false },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '', shown: false },
      { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <>
      <ListPage
        name="volumes"
        title={t('pages.volumes')}
        query={volumesQuery}
        columns={columns}
        keyOf={({ id }) => id}
        labelOf={({ name, id }) => name || id}
        actions={(selected) => <VolumeActions volumes={selected} />}
        more={[{ label: t('volumes.accept'), form: (close) => <AcceptTransfer close={close} /> }]}
        empty={{ title: t('volumes.empty'), text: t('volumes.emptyText') }}
        create={{ label: t('volumes.create'), form: (close) => <CreateVolume close={close} /> }}
      />
      <Transfers />
    </>
  );
}

/** Takes over a volume that another project offers. */
function AcceptTransfer({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('volumes.accept')}
      confirm={t('volumes.acceptDo')}
      close={close}
      touches={[volumesQuery.queryKey, ['transfers'], ['quota', 'volume']]}
      fields={{
        id: { kind: 'text', label: t('volumes.transferId'), required: true },
        key: { kind: 'password', label: t('volumes.transferKey'), required: true },
      }}
      send={({ id, key }) => acceptVolume(id.trim(), key.trim())}
    />
  );
}
