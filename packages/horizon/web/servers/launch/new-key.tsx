import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Textarea from '@cloudscape-design/components/textarea';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client.ts';
import { keyPairsQuery } from '../../key-pairs/queries.ts';
import { CreateDialog } from '../../parts/create-dialog.tsx';
import { download } from '../../parts/download.ts';

interface Props {
  readonly way: 'make' | 'import';
  readonly onMade: (name: string) => void;
  readonly close: () => void;
}

/** The last version of the API in which the cloud itself makes a pair, and gives the private key, once. */
const MAKES = { 'openstack-api-version': 'compute 2.91' } as const;

/** A key pair without leaving the form: an own public key, or a pair that the cloud makes, whose private half goes into a file and nowhere else. */
export function NewKey({ way, onMade, close }: Props) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [publicKey, setPublicKey] = useState('');
  const send = async (): Promise<void> => {
    const keypair = { name: name.trim(), type: 'ssh', ...(way === 'import' && { public_key: publicKey.trim() }) };
    const answer = await api<'nova.keypair.create'>('compute', '/v2.1/os-keypairs', {
      method: 'POST',
      body: { keypair },
      ...(way === 'make' && { headers: MAKES }),
    });
    if (answer.keypair.private_key !== undefined)
      download(`${keypair.name.replaceAll(/[^\w.@-]+/g, '_')}.pem`, answer.keypair.private_key, 'application/x-pem-file');
    onMade(keypair.name);
  };
  return (
    <CreateDialog
      title={t(way === 'make' ? 'launch.makeKey' : 'launch.importKey')}
      confirm={t(way === 'make' ? 'launch.makeKey' : 'launch.importKey')}
      ready={name.trim() !== '' && (way === 'make' || publicKey.trim() !== '')}
      send={send}
      touches={[keyPairsQuery.queryKey]}
      close={close}
    >
      <FormField label={t('fields.name')} description={way === 'make' ? t('launch.makeKeyHelp') : undefined}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
      </FormField>
      {way === 'import' && (
        <FormField label={t('keys.publicKey')} description={t('keys.publicKeyHelp')}>
          <Textarea value={publicKey} onChange={({ detail }) => setPublicKey(detail.value)} rows={4} spellcheck={false} placeholder="ssh-ed25519 AAAA…" />
        </FormField>
      )}
    </CreateDialog>
  );
}
