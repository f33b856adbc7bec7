import Button from '@cloudscape-design/components/button';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bulk } from '../parts/bulk.tsx';
import { DetailPage, Facts } from '../parts/detail-page.tsx';
import { ResourceTable } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { bytesText } from '../parts/units.ts';
import { ImageActions } from './action-menu.tsx';
import { propertiesOf } from './patch.ts';
import { type Image, imageQuery, imageTasksQuery, membersQuery, unshareImage } from './queries.ts';

/** One image: what it is, its properties, with whom it is shared, and the imports that filled it. */
export function ImagePage() {
  const { t } = useTranslation();
  const { imageId } = useParams({ from: '/images/$imageId' });
  const navigate = useNavigate();
  return (
    <DetailPage
      query={useQuery(imageQuery(imageId))}
      notShown={t('images.notShown')}
      title={({ name, id }) => name || id}
      status={({ status }) => <Status status={status} />}
      actions={(image) => <ImageActions images={[image]} onDeleted={() => void navigate({ to: '/images' })} />}
      tabs={(image) => [
        { id: 'overview', label: t('servers.overview'), content: <Overview image={image} /> },
        { id: 'properties', label: t('images.properties'), content: <Properties image={image} /> },
        ...(image.visibility === 'shared' ? [{ id: 'members', label: t('images.members'), content: <Members imageId={image.id} /> }] : []),
        { id: 'tasks', label: t('images.tasks'), content: <Tasks imageId={image.id} /> },
      ]}
    />
  );
}

function Overview({ image }: { readonly image: Image }) {
  const { t } = useTranslation();
  const yes = (value: boolean): string => (value ? t('yes') : t('no'));
  return (
    <Facts
      title={t('servers.overview')}
      facts={[
        [t('fields.id'), image.id, 'copied'],
        [t('fields.visibility'), t(`images.visibilities.${image.visibility as 'public'}`)],
        [t('fields.format'), image.disk_format],
        [t('images.container'), image.container_format],
        [t('fields.size'), image.size === null ? '' : bytesText(image.size)],
        [t('images.virtualSize'), image.virtual_size ? bytesText(image.virtual_size) : ''],
        [t('images.minDisk'), image.min_disk],
        [t('images.minRam'), image.min_ram],
        [t('images.isProtected'), yes(image.protected)],
        [t('images.hidden'), yes(image.os_hidden)],
        [t('images.tags'), image.tags.join(', ')],
        [t('images.owner'), image.owner, 'copied'],
        [t('images.hash', { algorithm: image.os_hash_algo ?? 'MD5' }), image.os_hash_value ?? image.checksum, 'copied'],
        [t('fields.created'), <Time at={image.created_at} />],
        [t('fields.updated'), <Time at={image.updated_at} />],
      ]}
    />
  );
}

function Properties({ image }: { readonly image: Image }) {
  const { t } = useTranslation();
  return (
    <ResourceTable
      inner
      name="image-properties"
      title={t('images.properties')}
      rows={{ data: Object.entries(propertiesOf(image)) }}
      keyOf={([key]) => key}
      labelOf={([key]) => key}
      columns={[
        { id: 'key', header: t('form.key'), value: ([key]) => key },
        { id: 'value', header: t('form.value'), value: ([, value]) => value },
      ]}
      empty={{ title: t('images.noProperties'), text: t('images.propertiesHelp') }}
    />
  );
}

function Members({ imageId }: { readonly imageId: string }) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [removed, setRemoved] = useState<readonly { readonly id: string; readonly name: string }[]>();
  return (
    <>
      <ResourceTable
        inner
        name="image-members"
        title={t('images.members')}
        rows={useQuery(membersQuery(imageId))}
        keyOf={({ member_id }) => member_id}
        labelOf={({ member_id }) => member_id}
        columns={[
          { id: 'project', header: t('images.projectId'), value: ({ member_id }) => member_id },
          { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
          { id: 'updated', header: t('fields.updated'), value: ({ updated_at }) => updated_at, cell: ({ updated_at }) => <Time at={updated_at} /> },
        ]}
        actions={(selected) => (
          <Button
            disabled={selected.length === 0}
            disabledReason={t('actions.selectFirst')}
            onClick={() => setRemoved(selected.map(({ member_id }) => ({ id: member_id, name: member_id })))}
          >
            {t('images.unshare')}
          </Button>
        )}
        empty={{ title: t('images.noMembers'), text: t('images.shareHelp') }}
      />
      {removed !== undefined && (
        <Bulk
          title={t('images.unshare')}
          text={t('images.unshareText')}
          confirm={t('images.unshare')}
          items={removed}
          run={({ id }) => unshareImage(imageId, id)}
          onEnd={() => {
            setRemoved(undefined);
            void queries.invalidateQueries({ queryKey: ['image', imageId] });
          }}
        />
      )}
    </>
  );
}

function Tasks({ imageId }: { readonly imageId: string }) {
  const { t } = useTranslation();
  return (
    <ResourceTable
      inner
      name="image-tasks"
      title={t('images.tasks')}
      rows={useQuery(imageTasksQuery(imageId))}
      keyOf={({ id }) => id}
      labelOf={({ id }) => id}
      columns={[
        { id: 'id', header: t('fields.id'), value: ({ id }) => id },
        { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
        { id: 'message', header: t('fields.result'), value: ({ message }) => message ?? '' },
        { id: 'created', header: t('fields.started'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
        { id: 'updated', header: t('fields.updated'), value: ({ updated_at }) => updated_at, cell: ({ updated_at }) => <Time at={updated_at} /> },
      ]}
      empty={{ title: t('images.noTasks'), text: t('images.tasksHelp') }}
    />
  );
}
