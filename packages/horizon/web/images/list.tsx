import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import { type Column, ResourceTable } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { bytesText } from '../parts/units.ts';
import { useSession } from '../session/session.ts';
import { useNotices } from '../shell/notices.tsx';
import { ImageActions } from './action-menu.tsx';
import { ImportImage, UploadImage } from './create.tsx';
import { allImagesQuery, answerShare, type Image, offeredImagesQuery } from './queries.ts';

/** The images that the project can start servers from, and those that others offer it. */
export function ImagesPage() {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<Image>[]>(
    () => [
      {
        id: 'name',
        header: t('fields.name'),
        value: ({ name, id }) => name || id,
        cell: ({ name, id }) => <PageLink to={`/images/${id}`}>{name || id}</PageLink>,
      },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      {
        id: 'visibility',
        header: t('fields.visibility'),
        value: ({ visibility }) => t(`images.visibilities.${visibility as 'public'}`),
      },
      { id: 'format', header: t('fields.format'), value: ({ disk_format }) => disk_format ?? '' },
      { id: 'size', header: t('fields.size'), value: ({ size }) => size ?? 0, cell: ({ size }) => (size === null ? '-' : bytesText(size)) },
      { id: 'tags', header: t('images.tags'), value: ({ tags }) => tags.join(', '), shown: false },
      { id: 'protected', header: t('images.isProtected'), value: (image) => (image.protected ? t('yes') : t('no')), shown: false },
      { id: 'hidden', header: t('images.hidden'), value: ({ os_hidden }) => (os_hidden ? t('yes') : t('no')), shown: false },
      { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t],
  );
  return (
    <SpaceBetween size="l">
      <ListPage
        name="images"
        title={t('pages.images')}
        query={allImagesQuery}
        columns={columns}
        keyOf={({ id }) => id}
        labelOf={({ name, id }) => name || id}
        actions={(selected) => <ImageActions images={selected} />}
        more={[{ label: t('images.importTitle'), form: (close) => <ImportImage close={close} /> }]}
        empty={{ title: t('images.empty'), text: t('images.emptyText') }}
        create={{ label: t('images.create'), form: (close) => <UploadImage close={close} /> }}
      />
      <Offered />
    </SpaceBetween>
  );
}

/** What others offer and nobody here has answered; nothing where there is none. */
function Offered() {
  const { t } = useTranslation();
  const { session } = useSession();
  const queries = useQueryClient();
  const { fail } = useNotices();
  const asked = useQuery(offeredImagesQuery);
  // what the project shares itself is in the API's answer too
  const offered = asked.data?.filter(({ owner }) => owner !== session.project?.id) ?? [];
  if (offered.length === 0) return null;
  const answer = async (images: readonly Image[], status: 'accepted' | 'rejected'): Promise<void> => {
    try {
      await Promise.all(images.map(({ id }) => answerShare(id, session.project?.id ?? '', status)));
    } catch (error) {
      fail(t('images.notAnswered'), error);
    }
    void queries.invalidateQueries({ queryKey: ['images'] });
  };
  return (
    <ResourceTable
      inner
      name="offered-images"
      title={t('images.offered')}
      rows={{ data: offered }}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      columns={[
        { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
        { id: 'owner', header: t('images.owner'), value: ({ owner }) => owner ?? '' },
        { id: 'size', header: t('fields.size'), value: ({ size }) => size ?? 0, cell: ({ size }) => (size === null ? '-' : bytesText(size)) },
      ]}
      actions={(selected) => (
        <SpaceBetween size="xs" direction="horizontal">
          {(['rejected', 'accepted'] as const).map((status) => (
            <Button key={status} disabled={selected.length === 0} disabledReason={t('actions.selectFirst')} onClick={() => void answer(selected, status)}>
              {t(`images.answers.${status}`)}
            </Button>
          ))}
        </SpaceBetween>
      )}
      empty={{ title: '', text: '' }}
    />
  );
}
