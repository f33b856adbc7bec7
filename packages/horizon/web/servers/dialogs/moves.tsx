import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { CreateDialog } from '../../parts/create-dialog.tsx';
import { ChoiceField } from '../../parts/fields.tsx';
import { act, type Server } from '../queries.ts';
import { type DialogProps, touchesOf, useHosts } from './parts.tsx';

type Move = 'migrate' | 'migrateLive' | 'evacuate';
const bodyOf = (move: Move, host: string): Readonly<Record<string, unknown>> => {
  if (move === 'migrate') return { migrate: host === '' ? null : { host } };
  if (move === 'migrateLive') return { 'os-migrateLive': { host: host === '' ? null : host, block_migration: 'auto' } };
  return { evacuate: host === '' ? {} : { host } };
};

export function MoveServer({ server, close, move }: DialogProps & { readonly move: Move }) {
  const { t } = useTranslation();
  const hosts = useHosts();
  const [host, setHost] = useState('');
  return (
    <CreateDialog
      title={t(`actions.${move}`)}
      confirm={t(`actions.${move}`)}
      ready
      send={() => act(server.id, bodyOf(move, host))}
      touches={touchesOf(server)}
      close={close}
    >
      <ChoiceField
        label={t('fields.host')}
        help={t(`dialogs.${move}Help`)}
        value={host}
        set={setHost}
        choices={
          hosts.isPending
            ? undefined
            : [{ value: '', label: t('dialogs.anyHost') }, ...(hosts.data ?? []).map((row) => optionOf(row, server, t('dialogs.sameHost')))]
        }
      />
    </CreateDialog>
  );
}

const optionOf = (row: { readonly host: string; readonly status: string; readonly state: string }, server: Server, same: string) => ({
  value: row.host,
  label: row.host,
  description: `${row.status}, ${row.state}`,
  ...(row.host === server['OS-EXT-SRV-ATTR:host'] && { disabled: same }),
});

export function ResetState({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const [state, setState] = useState('error');
  return (
    <CreateDialog
      title={t('actions.resetState')}
      confirm={t('actions.resetState')}
      ready
      send={() => act(server.id, { 'os-resetState': { state } })}
      touches={touchesOf(server)}
      close={close}
    >
      <ChoiceField
        label={t('fields.status')}
        help={t('dialogs.resetStateHelp')}
        value={state}
        set={setState}
        choices={(['error', 'active'] as const).map((value) => ({ value, label: t(`states.${value}`) }))}
      />
    </CreateDialog>
  );
}
