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
  const [asked, setAsked] = useState<VolumeDialog | 'delete'>();
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
  const refresh = (): void => {
    for (const { id } of volumes) for (const queryKey of volumeKeys(id)) void queries.invalidateQueries({ queryKey });
  };
  const dialog = (id: VolumeDialog): Action => ({ id, text: t(`volumes.do.${id}`), reason: reasonOf(id), begin: () => setAsked(id) });
  const flag = (id: 'bootable' | 'readonly', set: boolean): Action => ({
    id,
    text: t(`volumes.do.${set ? id : id === 'bootable' ? 'notBootable' : 'writable'}`),
    reason: reasonOf(id),
    begin: () => {
      if (only === undefined) return;
      const body = id === 'bootable' ? { 'os-set_bootable': { bootable: set } } : { 'os-update_readonly_flag': { readonly: set } };
      actOnVolume(only.id, body).then(refresh, (error: unknown) => {
        fail(t('volumes.refused', { name: only.name || only.id }), error);
        refresh();
      });
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
          { id: 'delete', text: t('delete'), reason: reasonOf('delete'), begin: () => setAsked('delete') },
        ]}
      />
      {asked === 'delete' && (
        <Bulk
          title={t('deleteTitle', { count: volumes.length })}
          text={t('volumes.deleteText')}
          confirm={t('delete')}
          items={volumes.map(({ id, name }) => ({ id, name: name || id }))}
          run={({ id }) => deleteVolume(id)}
          onEnd={(done) => {
            setAsked(undefined);
            refresh();
            if (done) onDeleted?.();
          }}
        />
      )}
      {asked !== undefined && asked !== 'delete' && only !== undefined && <VolumeDialogs dialog={asked} volume={only} close={() => setAsked(undefined)} />}
    </>
  );
}
