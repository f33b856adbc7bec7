import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Action, ActionMenu } from '../parts/action-menu.tsx';
import { Bulk } from '../parts/bulk.tsx';
import { useNotices } from '../shell/notices.tsx';
import { isReadonly, type VolumeAction, volumeHindrance } from './actions.ts';
import { actOnVolume, deleteVolume, type Volume, volumeKeys } from './queries.ts';
import { type VolumeDialog, VolumeDialogs } from './dialogs.tsx';

interface Props {
  readonly volumes: readonly Volume[];
  /** After a deletion that went well. */
  readonly onDeleted?: () => void;
}

/** What can be done with the selected volumes. Only deletion takes several. */
export function VolumeActions({ volumes, onDeleted }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { fail } = useNotices();
  // those that were selected when it was asked for: the table behind the dialog goes on, and may lose one
  const [asked, setAsked] = useState<{ readonly dialog: VolumeDialog | 'delete'; readonly of: readonly Volume[] }>();
  const [only] = volumes;

  const reasonOf = (action: VolumeAction): string | undefined => {
    if (only === undefined) return t('actions.selectFirst');
    if (action !== 'delete' && volumes.length > 1) return t('actions.selectOne');
    for (const volume of volumes) {
      const hindrance = volumeHindrance(action, volume);
      if (hindrance?.why === 'notAttached') return t('volumes.notAttached');
      if (hindrance) return t('actions.state', { states: hindrance.needs.map((state) => t(`states.${state}` as 'states.available')).join(t('listSeparator')) });
    }
    return undefined;
  };
  const refresh = (of: readonly Volume[]): void => {
    for (const { id } of of) for (const queryKey of volumeKeys(id)) void queries.invalidateQueries({ queryKey });
  };
  const dialog = (id: VolumeDialog): Action => ({ id, text: t(`volumes.do.${id}`), reason: reasonOf(id), begin: () => setAsked({ dialog: id, of: volumes }) });
  const flag = (id: 'bootable' | 'readonly', set: boolean): Action => ({
    id,
    text: t(`volumes.do.${set ? id : id === 'bootable' ? 'notBootable' : 'writable'}`),
    reason: reasonOf(id),
    begin: () => {
      if (only === undefined) return;
      const body = id === 'bootable' ? { 'os-set_bootable': { bootable: set } } : { 'os-update_readonly_flag': { readonly: set } };
      actOnVolume(only.id, body).then(
        () => refresh([only]),
        (error: unknown) => {
          fail(t('volumes.refused', { name: only.name || only.id }), error);
          refresh([only]);
        },
      );
    },
  });

  return (
    <>
      <ActionMenu
        actions={[
          { text: t('volumes.servers'), actions: [dialog('attach'), dialog('detach')] },
          { text: t('volumes.copies'), actions: [dialog('snapshot'), dialog('backup'), dialog('upload'), dialog('revert')] },
          {
            text: t('volumes.changes'),
            actions: [
              dialog('edit'),
              dialog('extend'),
              dialog('retype'),
              flag('bootable', only?.bootable !== 'true'),
              flag('readonly', !(only !== undefined && isReadonly(only))),
              dialog('transfer'),
            ],
          },
          { id: 'delete', text: t('delete'), reason: reasonOf('delete'), begin: () => setAsked({ dialog: 'delete', of: volumes }) },
        ]}
      />
      {asked?.dialog === 'delete' && (
        <Bulk
          title={t('deleteTitle', { count: asked.of.length })}
          text={t('volumes.deleteText')}
          confirm={t('delete')}
          items={asked.of.map(({ id, name }) => ({ id, name: name || id }))}
          run={({ id }) => deleteVolume(id)}
          onEnd={(done) => {
            setAsked(undefined);
            refresh(asked.of);
            if (done) onDeleted?.();
          }}
        />
      )}
      {asked !== undefined && asked.dialog !== 'delete' && asked.of[0] !== undefined && (
        <VolumeDialogs dialog={asked.dialog} volume={asked.of[0]} close={() => setAsked(undefined)} />
      )}
    </>
  );
}
