import ButtonDropdown, { type ButtonDropdownProps } from '@cloudscape-design/components/button-dropdown';
import { useQueryClient } from '@tanstack/react-query';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNotices } from '../shell/notices.tsx';
import { useSession } from '../session/session.ts';
import { ACTIONS, type FormAction, hindranceOfAll, hindranceOfDeletion, isForm, type PlainAction, type ServerAction } from './actions.ts';
import { useHindranceWords } from './hindrance-words.ts';
import { act, deleteServer, type Server } from './queries.ts';

const GROUPS: readonly (readonly [id: 'power' | 'change' | 'devices' | 'freeze' | 'mend' | 'access' | 'move', actions: readonly ServerAction[]])[] = [
  ['power', ['start', 'stop', 'rebootSoft', 'rebootHard', 'crashDump']],
  ['change', ['rename', 'resize', 'confirmResize', 'revertResize', 'metadata', 'tags', 'securityGroups']],
  ['devices', ['attachVolume', 'detachVolume', 'attachInterface', 'detachInterface']],
  ['freeze', ['pause', 'unpause', 'suspend', 'resume', 'shelve', 'shelveOffload', 'unshelve']],
  ['mend', ['createImage', 'createBackup', 'rebuild', 'rescue', 'unrescue', 'restore']],
  ['access', ['changePassword', 'getPassword', 'lock', 'unlock']],
  ['move', ['migrate', 'migrateLive', 'evacuate', 'resetState']],
];
/** Those that interrupt what runs in the guest are asked about first, and so is whatever is done to several. */
const ASKED = new Set<ServerAction>(['stop', 'rebootHard', 'crashDump', 'shelve', 'shelveOffload', 'revertResize']);
const Bulk = lazy(async () => ({ default: (await import('../parts/bulk.tsx')).Bulk }));
const ActionDialog = lazy(async () => ({ default: (await import('./dialogs/dialog.tsx')).ActionDialog }));

interface Props {
  readonly servers: readonly Server[];
  /** After a deletion that went well. */
  readonly onDeleted?: () => void;
}

/** What can be done with the selected servers, each action with the reason why not. */
export function ServerActions({ servers, onDeleted }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const { fail } = useNotices();
  const { session } = useSession();
  // those that were selected when it was asked for: the table behind the dialog goes on, and may lose one
  const [asked, setAsked] = useState<{ readonly action: PlainAction | 'delete'; readonly servers: readonly Server[] }>();
  const [form, setForm] = useState<{ readonly action: FormAction; readonly server: Server }>();
  const none = servers.length === 0;

  const words = useHindranceWords();
  const item = (id: ServerAction | 'delete'): ButtonDropdownProps.Item => {
    const hindrance = none ? undefined : id === 'delete' ? hindranceOfDeletion(servers, session) : hindranceOfAll(id, servers, session);
    return {
      id,
      text: id === 'delete' ? t('delete') : t(`actions.${id}`),
      disabled: none || hindrance !== undefined,
      ...(none ? { disabledReason: t('actions.selectFirst') } : hindrance !== undefined && { disabledReason: words(hindrance) }),
    };
  };
  const refresh = (of: readonly Server[]): void => {
    void queries.invalidateQueries({ queryKey: ['servers'] });
    for (const { id } of of) void queries.invalidateQueries({ queryKey: ['server', id] });
  };
  const begin = (id: string): void => {
    const [only] = servers;
    const action = id as ServerAction | 'delete';
    if (action !== 'delete' && isForm(action)) {
      if (only !== undefined) setForm({ action, server: only });
    } else if (action === 'delete' || servers.length > 1 || only === undefined || ASKED.has(action)) setAsked({ action, servers });
    else
      act(only.id, ACTIONS[action]).then(
        () => refresh([only]),
        (error: unknown) => {
          fail(t('actions.refused', { action: t(`actions.${action}`), name: only.name }), error);
          refresh([only]);
        },
      );
  };

  return (
    <>
      <ButtonDropdown
        items={[...GROUPS.map(([group, actions]) => ({ id: group, text: t(`actions.${group}`), items: actions.map(item) })), item('delete')]}
        onItemClick={({ detail }) => begin(detail.id)}
        expandToViewport
      >
        {t('actions.title')}
      </ButtonDropdown>
      {form !== undefined && (
        <Suspense>
          <ActionDialog action={form.action} server={form.server} close={() => setForm(undefined)} />
        </Suspense>
      )}
      {asked !== undefined && (
        <Suspense>
          <Bulk
            title={asked.action === 'delete' ? t('servers.delete', { count: asked.servers.length }) : t(`actions.${asked.action}`)}
            text={asked.action === 'delete' ? t('servers.deleteText') : t('actions.confirmText')}
            confirm={asked.action === 'delete' ? t('delete') : t(`actions.${asked.action}`)}
            items={asked.servers}
            run={({ id }) => (asked.action === 'delete' ? deleteServer(id) : act(id, ACTIONS[asked.action]))}
            onEnd={(done) => {
              setAsked(undefined);
              refresh(asked.servers);
              if (done && asked.action === 'delete') onDeleted?.();
            }}
          />
        </Suspense>
      )}
    </>
  );
}
