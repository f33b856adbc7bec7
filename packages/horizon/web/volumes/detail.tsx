import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useTranslation } from 'react-i18next';
import { BackupTable } from '../backups/table.tsx';
import { DetailPage, Facts, PairsText } from '../parts/detail-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import { ResourceTable } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { useServers } from '../servers/queries.ts';
import { SnapshotTable } from '../snapshots/table.tsx';
import { VolumeActions } from './action-menu.tsx';
import { isReadonly } from './actions.ts';
import { type Volume, volumeQuery } from './queries.ts';

/** One volume: what it is, which servers have it, and the copies of it. */
export function VolumePage() {
  const { t } = useTranslation();
  const { volumeId } = useParams({ from: '/volumes/$volumeId' });
  const navigate = useNavigate();
  return (
    <DetailPage
      query={useQuery(volumeQuery(volumeId))}
      notShown={t('volumes.notShown')}
      title={({ name, id }) => name || id}
      status={({ status }) => <Status status={status} />}
      actions={(volume) => <VolumeActions volumes={[volume]} onDeleted={() => void navigate({ to: '/volumes' })} />}
      tabs={(volume) => [
        { id: 'overview', label: t('servers.overview'), content: <Overview volume={volume} /> },
        { id: 'attachments', label: t('volumes.attachments'), content: <Attachments volume={volume} /> },
        { id: 'snapshots', label: t('pages.snapshots'), content: <SnapshotTable volumeId={volume.id} /> },
        { id: 'backups', label: t('pages.backups'), content: <BackupTable volumeId={volume.id} /> },
      ]}
    />
  );
}

function Overview({ volume }: { readonly volume: Volume }) {
  const { t } = useTranslation();
  const yes = (value: boolean): string => (value ? t('yes') : t('no'));
  return (
    <Facts
      title={t('servers.overview')}
      facts={[
        [t('fields.id'), volume.id, 'copied'],
        [t('fields.sizeGb'), volume.size],
        [t('fields.type'), volume.volume_type],
        [t('fields.description'), volume.description],
        [t('fields.bootable'), yes(volume.bootable === 'true')],
        [t('volumes.readonly'), yes(isReadonly(volume))],
        [t('fields.encrypted'), yes(volume.encrypted)],
        [t('volumes.multiattach'), yes(volume.multiattach)],
        [t('fields.zone'), volume.availability_zone],
        volume['os-vol-host-attr:host'] ? [t('fields.host'), volume['os-vol-host-attr:host']] : false,
        volume.snapshot_id !== null && [
          t('volumes.fromSnapshot'),
          <PageLink to={`/snapshots?filter=id%3D${volume.snapshot_id}`}>{volume.snapshot_id}</PageLink>,
        ],
        volume.source_volid !== null && [t('volumes.fromVolume'), <PageLink to={`/volumes/${volume.source_volid}`}>{volume.source_volid}</PageLink>],
        volume.volume_image_metadata?.['image_id'] !== undefined && [
          t('volumes.fromImage'),
          <PageLink to={`/images/${volume.volume_image_metadata['image_id']}`}>
            {volume.volume_image_metadata['image_name'] || volume.volume_image_metadata['image_id']}
          </PageLink>,
        ],
        [t('fields.created'), <Time at={volume.created_at} />],
        [t('fields.updated'), <Time at={volume.updated_at} />],
        [t('fields.metadata'), <PairsText of={volume.metadata} />],
      ]}
    />
  );
}

function Attachments({ volume }: { readonly volume: Volume }) {
  const { t } = useTranslation();
  const { data: servers = [] } = useServers();
  /** The server, or the host that has the volume without one. */
  const nameOfPlace = ({ server_id, host_name }: Volume['attachments'][number]): string =>
    servers.find(({ id }) => id === server_id)?.name ?? server_id ?? host_name ?? '';
  return (
    <ResourceTable
      inner
      name="volume-attachments"
      title={t('volumes.attachments')}
      rows={{ data: volume.attachments }}
      keyOf={({ attachment_id }) => attachment_id}
      labelOf={({ server_id, host_name }) => server_id ?? host_name ?? ''}
      columns={[
        {
          id: 'server',
          header: t('fields.server'),
          value: nameOfPlace,
          cell: (place) => (place.server_id === null ? nameOfPlace(place) : <PageLink to={`/servers/${place.server_id}`}>{nameOfPlace(place)}</PageLink>),
        },
        { id: 'device', header: t('volumes.device'), value: ({ device }) => device ?? '' },
        { id: 'since', header: t('volumes.attachedAt'), value: ({ attached_at }) => attached_at ?? '', cell: ({ attached_at }) => <Time at={attached_at} /> },
        { id: 'id', header: t('volumes.attachmentId'), value: ({ attachment_id }) => attachment_id },
      ]}
      empty={{ title: t('volumes.notAttachedTitle'), text: t('volumes.notAttachedText') }}
    />
  );
}
