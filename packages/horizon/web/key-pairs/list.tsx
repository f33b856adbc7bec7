import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../api/client.ts';
import { download } from '../parts/download.ts';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { type KeyPair, keyPairsQuery } from './queries.ts';

const KEYPAIRS = '/v2.1/os-keypairs';
/** From 2.92 on compute makes no keys any more, but this one asks for it. */
const MAKES_KEYS = 'compute 2.91';

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
      remove={(name) => api('compute', `${KEYPAIRS}/${encodeURIComponent(name)}`, { method: 'DELETE' })}
      empty={{ title: t('keys.empty'), text: t('keys.emptyText') }}
      more={[{ label: t('keys.create'), form: (close) => <ImportKey close={close} /> }]}
      create={{ label: t('keys.make'), form: (close) => <MakeKey close={close} /> }}
    />
  );
}

function ImportKey({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('keys.create')}
      confirm={t('keys.create')}
      close={close}
      touches={[keyPairsQuery.queryKey]}
      fields={{
        name: { kind: 'text', label: t('fields.name'), required: true },
        publicKey: { kind: 'lines', label: t('keys.publicKey'), help: t('keys.publicKeyHelp'), required: true, placeholder: 'ssh-ed25519 AAAA…' },
      }}
      send={({ name, publicKey }) => api('compute', KEYPAIRS, { method: 'POST', body: { keypair: { name, public_key: publicKey.trim(), type: 'ssh' } } })}
    />
  );
}

/** The cloud makes the pair, and keeps its public half alone: the private one goes to the reader's disk, now or never. */
function MakeKey({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('keys.make')}
      confirm={t('keys.makeDo')}
      close={close}
      touches={[keyPairsQuery.queryKey]}
      text={t('keys.makeText')}
      fields={{ name: { kind: 'text', label: t('fields.name'), required: true } }}
      send={async ({ name }) => {
        const { keypair } = await api<'nova.keypair.create'>('compute', KEYPAIRS, {
          method: 'POST',
          body: { keypair: { name, type: 'ssh' } },
          headers: { 'openstack-api-version': MAKES_KEYS },
        });
        if (keypair.private_key !== undefined) download(`${name.replaceAll(/[^\w.-]/g, '_')}.pem`, keypair.private_key, 'application/x-pem-file');
      }}
    />
  );
}
