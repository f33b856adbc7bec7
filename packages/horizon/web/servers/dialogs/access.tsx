import Box from '@cloudscape-design/components/box';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client.ts';
import { CommandText } from '../../parts/command-text.tsx';
import { CreateDialog } from '../../parts/create-dialog.tsx';
import { TextField } from '../../parts/fields.tsx';
import { TellDialog } from '../../parts/tell-dialog.tsx';
import { Waiting } from '../../parts/waiting.tsx';
import { act } from '../queries.ts';
import { type DialogProps, pathOf, touchesOf } from './parts.tsx';

export function Lock({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const [reason, setReason] = useState('');
  return (
    <CreateDialog
      title={t('actions.lock')}
      confirm={t('actions.lock')}
      ready={reason.length <= 255}
      send={() => act(server.id, { lock: reason === '' ? null : { locked_reason: reason } })}
      touches={touchesOf(server)}
      close={close}
    >
      <TextField label={t('dialogs.reason')} help={t('dialogs.lockHelp')} value={reason} set={setReason} autoFocus />
    </CreateDialog>
  );
}

export function ChangePassword({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const [password, setPassword] = useState('');
  return (
    <CreateDialog
      title={t('actions.changePassword')}
      confirm={t('save')}
      ready={password !== ''}
      send={() => act(server.id, { changePassword: { adminPass: password } })}
      touches={touchesOf(server)}
      close={close}
    >
      <TextField label={t('signIn.password')} help={t('dialogs.passwordHelp')} value={password} set={setPassword} type="password" autoFocus />
    </CreateDialog>
  );
}

/** The password that the guest made for itself and encrypted with the key pair's public key: the private one never comes here. */
export function GetPassword({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const { data, error } = useQuery({
    queryKey: ['server', server.id, 'password'],
    queryFn: async ({ signal }) => (await api<'nova.server_password.show'>('compute', pathOf(server, '/os-server-password'), { signal })).password,
    retry: false,
  });
  return (
    <TellDialog title={t('actions.getPassword')} close={close}>
      {error !== null ? (
        <Box>{error.message}</Box>
      ) : data === undefined ? (
        <Waiting />
      ) : data === '' ? (
        <Box>{t('dialogs.noPassword')}</Box>
      ) : (
        <SpaceBetween size="s">
          <Box>{t('dialogs.decryptHelp')}</Box>
          <CommandText text={`echo '${data.replaceAll(/[^A-Za-z0-9+/=]/g, '')}' | base64 -d | openssl pkeyutl -decrypt -inkey ~/.ssh/id_rsa`} />
        </SpaceBetween>
      )}
    </TellDialog>
  );
}
