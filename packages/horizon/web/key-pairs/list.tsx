import FormField from '@cloudscape-design/components/form-field';
import Input from '@cloudscape-design/components/input';
import Textarea from '@cloudscape-design/components/textarea';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type KeyPair, keyPairsQuery } from './queries.ts';

/** The user's key pairs: public halves, which new servers get. */
export function KeyPairsPage() {
  const { t } = useTranslation();
  const columns = useMemo<readonly Column<KeyPair>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name }) => name },
      { id: 'type', header: t('fields.type'), value: ({ type }) => type },
      { id: 'fingerprint', header: t('fields.fingerprint'), value: ({ fingerprint }) => fingerprint },
    ],
    [t],
  );
  return (
    <ListPage
      name="key-pairs"
      title={t('pages.key-pairs')}
      query={keyPairsQuery}
      columns={columns}
      keyOf={({ name }) => name}
      labelOf={({ name }) => name}
      remove={(name) => api('compute', `/v2.1/os-keypairs/${encodeURIComponent(name)}`, { method: 'DELETE' })}
      empty={{ title: t('keys.empty'), text: t('keys.emptyText') }}
      create={{ label: t('keys.create'), form: (close) => <ImportKey close={close} /> }}
    />
  );
}

function ImportKey({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [publicKey, setPublicKey] = useState('');
  return (
    <CreateDialog
      title={t('keys.create')}
      confirm={t('keys.create')}
      ready={name.trim() !== '' && publicKey.trim() !== ''}
      send={() => api('compute', '/v2.1/os-keypairs', { method: 'POST', body: { keypair: { name, public_key: publicKey.trim(), type: 'ssh' } } })}
      touches={[keyPairsQuery.queryKey]}
      close={close}
    >
      <FormField label={t('fields.name')}>
        <Input value={name} onChange={({ detail }) => setName(detail.value)} autoFocus />
      </FormField>
      <FormField label={t('keys.publicKey')} description={t('keys.publicKeyHelp')}>
        <Textarea value={publicKey} onChange={({ detail }) => setPublicKey(detail.value)} rows={5} spellcheck={false} placeholder="ssh-ed25519 AAAA…" />
      </FormField>
    </CreateDialog>
  );
}
