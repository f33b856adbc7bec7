import ButtonDropdown, { type ButtonDropdownProps } from '@cloudscape-design/components/button-dropdown';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bulk } from '../parts/bulk.tsx';
import { useNotices } from '../shell/notices.tsx';
import { ACTIONS, type Hindrance, hindranceOfAll, type ServerAction } from './actions.ts';
import { act, deleteServer, type Server } from './queries.ts';

const GROUPS: readonly (readonly [id: 'power' | 'freeze' | 'mend' | 'protect', actions: readonly ServerAction[]])[] = [
  ['power', ['start', 'stop', 'rebootSoft', 'rebootHard']],
  ['freeze', ['pause', 'unpause', 'suspend', 'resume', 'shelve', 'unshelve']],
  ['mend', ['rescue', 'unrescue', 'confirmResize', 'revertResize']],
  ['protect', ['lock', 'unlock']],
];
/** Those that interrupt what runs in the guest are asked about first, and so is whatever is done to several. */
const ASKED = new Set<ServerAction>(['stop', 'rebootHard', 'rescue', 'shelve', 'revertResize']);

interface Props {
  readonly servers: readonly Server[];
  /** After a deletion that went well. */
  readonly onDeleted?: () => void;
}

/** What can be done with the selected servers, each action with the reason why not. */
export function ServerActions({ servers, onDeleted }: Props) {
  const { t, i18n } = useTranslation();
  const queries = useQueryClient();
  const { fail } = useNotices();
  const [asked, setAsked] = useState<ServerAction | 'delete'>();
  const none = servers.length === 0;

  const words = (hindrance: Hindrance): string => {
    if (hindrance.why === 'busy')
      return t('actions.busy', { task: i18n.exists(`tasks.${hindrance.task}`) ? t(`tasks.${hindrance.task}` as 'tasks.spawning') : hindrance.task });
    if (hindrance.why === 'state')
      return t('actions.state', { states: hindrance.needs.map((state) => t(`vmStates.${state}` as 'vmStates.active')).join(t('listSeparator')) });
    return t(`actions.${hindrance.why}`);
  };
  const item = (action: ServerAction): ButtonDropdownProps.Item => {
    const hindrance = none ? undefined : hindranceOfAll(action, servers);
    return {
      id: action,
      text: t(`actions.${action}`),
      disabled: none || hindrance !== undefined,
      ...(none ? { disabledReason: t('actions.selectFirst') } : hindrance !== undefined && { disabledReason: words(hindrance) }),
    };
  };
  const refresh = (): void => {
    void queries.invalidateQueries({ queryKey: ['servers'] });
    for (const { id } of servers) void queries.invalidateQueries({ queryKey: ['server', id] });
  };
  const begin = (id: string): void => {
    const [only] = servers;
    const action = id as ServerAction | 'delete';
    if (action === 'delete' || servers.length > 1 || only === undefined || ASKED.has(action)) setAsked(action);
    else
      act(only.id, ACTIONS[action]).then(refresh, (error: unknown) => {
        fail(t('actions.refused', { action: t(`actions.${action}`), name: only.name }), error);
        refresh();
      });
  };

  return (
    <>
      <ButtonDropdown
        items={[
          ...GROUPS.map(([group, actions]) => ({ id: group, text: t(`actions.${group}`), items: actions.map(item) })),
          { id: 'delete', text: t('delete'), disabled: none, ...(none && { disabledReason: t('actions.selectFirst') }) },
        ]}
        onItemClick={({ detail }) => begin(detail.id)}
        expandToViewport
      >
        {t('actions.title')}
      </ButtonDropdown>
      {asked !== undefined && (
        <Bulk
          title={asked === 'delete' ? t('servers.delete', { count: servers.length }) : t(`actions.${asked}`)}
          text={asked === 'delete' ? t('servers.deleteText') : t('actions.confirmText')}
          confirm={asked === 'delete' ? t('delete') : t(`actions.${asked}`)}
          items={servers}
          run={({ id }) => (asked === 'delete' ? deleteServer(id) : act(id, ACTIONS[asked]))}
          onEnd={(done) => {
            setAsked(undefined);
            refresh();
            if (done && asked === 'delete') onDeleted?.();
          }}
        />
      )}
    </>
  );
}
