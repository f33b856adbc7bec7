import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ActionMenu } from '../parts/action-menu.tsx';
import { Bulk } from '../parts/bulk.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { useSession } from '../session/session.ts';
import { useNotices } from '../shell/notices.tsx';
import { downloadImage } from './download.ts';
import { patchOf, propertiesOf } from './patch.ts';
import { changeImage, deactivateImage, deleteImage, type Image, imageKeys, reactivateImage, shareImage } from './queries.ts';

interface Props {
  readonly images: readonly Image[];
  /** After a deletion that went well. */
  readonly onDeleted?: () => void;
}
type Asked = 'edit' | 'share' | 'deactivate' | 'delete';

/** What can be done with the selected images. Only deletion takes several. */
export function ImageActions({ images, onDeleted }: Props) {
  const { t } = useTranslation();
  const { session } = useSession();
  const queries = useQueryClient();
  const { tell, fail } = useNotices();
  // those that were selected when it was asked for: the table behind the dialog goes on, and may lose one
  const [asked, setAsked] = useState<{ readonly what: Asked; readonly of: readonly Image[] }>();
  const [only] = images;
  const first = asked?.of[0];
  const administers = session.roles.includes('admin');
  const one = only === undefined ? t('actions.selectFirst') : images.length > 1 ? t('actions.selectOne') : undefined;
  const foreign = images.every(({ owner }) => owner === session.project?.id || administers) ? undefined : t('images.notYours');
  const undeletable = images.some((image) => image.protected) ? t('images.protected') : foreign;
  const ask = (what: Asked): void => setAsked({ what, of: images });
  const close = (): void => setAsked(undefined);
  const refresh = (of: readonly Image[]): void => {
    for (const { id } of of) for (const queryKey of imageKeys(id)) void queries.invalidateQueries({ queryKey });
  };
  const nameOf = (image: Image): string => image.name || image.id;
  const at = (status: string): string | undefined =>
    one ?? (only?.status === status ? undefined : t(status === 'active' ? 'images.notActive' : 'images.notDeactivated'));
  return (
    <>
      <ActionMenu
        actions={[
          { id: 'edit', text: t('volumes.do.edit'), reason: one ?? foreign, begin: () => ask('edit') },
          {
            id: 'share',
            text: t('images.share'),
            reason: one ?? foreign ?? (only?.visibility === 'shared' ? undefined : t('images.notShared')),
            begin: () => ask('share'),
          },
          {
            id: 'download',
            text: t('images.download'),
            reason: at('active'),
            begin: () => {
              if (only === undefined) return;
              tell({ type: 'info', header: t('images.downloading', { name: nameOf(only) }) });
              downloadImage(only).catch((error: unknown) => fail(t('images.notDownloaded', { name: nameOf(only) }), error));
            },
          },
          ...(administers
            ? [
                { id: 'deactivate', text: t('images.deactivate'), reason: at('active'), begin: () => ask('deactivate') },
                {
                  id: 'reactivate',
                  text: t('images.reactivate'),
                  reason: at('deactivated'),
                  begin: () => {
                    if (only !== undefined)
                      reactivateImage(only.id).then(
                        () => refresh([only]),
                        (error: unknown) => fail(t('volumes.refused', { name: nameOf(only) }), error),
                      );
                  },
                },
              ]
            : []),
          { id: 'delete', text: t('delete'), reason: only === undefined ? one : undeletable, begin: () => ask('delete') },
        ]}
      />
      {asked?.what === 'edit' && first !== undefined && <EditImage image={first} close={close} />}
      {asked?.what === 'share' && first !== undefined && (
        <FormDialog
          title={t('images.shareTitle', { name: nameOf(first) })}
          confirm={t('images.share')}
          close={close}
          touches={imageKeys(first.id)}
          fields={{ project: { kind: 'text', label: t('images.projectId'), help: t('images.shareHelp'), required: true } }}
          send={({ project }) => shareImage(first.id, project.trim())}
        />
      )}
      {(asked?.what === 'delete' || asked?.what === 'deactivate') && (
        <Bulk
          title={asked.what === 'delete' ? t('deleteTitle', { count: asked.of.length }) : t('images.deactivate')}
          text={asked.what === 'delete' ? t('deleteText') : t('images.deactivateText')}
          confirm={asked.what === 'delete' ? t('delete') : t('images.deactivate')}
          items={asked.of.map((image) => ({ id: image.id, name: nameOf(image) }))}
          run={({ id }) => (asked.what === 'delete' ? deleteImage(id) : deactivateImage(id))}
          onEnd={(done) => {
            close();
            refresh(asked.of);
            if (done && asked.what === 'delete') onDeleted?.();
          }}
        />
      )}
    </>
  );
}

const VISIBILITIES = ['private', 'shared', 'community', 'public'] as const;

function EditImage({ image, close }: { readonly image: Image; readonly close: () => void }) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('volumes.title.edit', { name: image.name || image.id })}
      confirm={t('form.save')}
      edits
      size="large"
      close={close}
      touches={imageKeys(image.id)}
      fields={{
        name: { kind: 'text', label: t('fields.name'), initial: image.name },
        visibility: {
          kind: 'choice',
          label: t('fields.visibility'),
          initial: image.visibility,
          options: VISIBILITIES.map((value) => ({ value, label: t(`images.visibilities.${value}`) })),
        },
        min_disk: { kind: 'number', label: t('images.minDisk'), initial: image.min_disk, required: true },
        min_ram: { kind: 'number', label: t('images.minRam'), initial: image.min_ram, required: true },
        protected: { kind: 'check', label: t('images.isProtected'), help: t('images.protectedHelp'), initial: image.protected },
        os_hidden: { kind: 'check', label: t('images.hidden'), help: t('images.hiddenHelp'), initial: image.os_hidden },
        tags: { kind: 'words', label: t('images.tags'), initial: image.tags },
        properties: { kind: 'pairs', label: t('images.properties'), initial: propertiesOf(image) },
      }}
      send={(_values, changes) => changeImage(image.id, patchOf(image, changes))}
    />
  );
}
