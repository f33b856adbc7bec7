import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAtFirst } from '../parts/at-first.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { TextField } from '../parts/fields.tsx';
import { type Network, networksQuery, type Subnet, subnetsQuery } from './queries.ts';
import { QuotaUse } from './quota.tsx';
import { SubnetMore, SubnetRange } from './subnet-fields.tsx';
import { faultsOf, formOf, NEW_SUBNET, subnetBody, type SubnetForm, subnetChanges } from './subnet-request.ts';
import { create, update } from './write.ts';

const TOUCHES = [subnetsQuery.queryKey, networksQuery.queryKey];

/** Another subnet of a network. */
export function CreateSubnet({ network, close }: { readonly network: Network; readonly close: () => void }) {
  const { t } = useTranslation();
  const [name, setName] = useState('');
  const [form, setForm] = useState<SubnetForm>({ ...NEW_SUBNET, cidr: '' });
  const set = (change: Partial<SubnetForm>): void => setForm((before) => ({ ...before, ...change }));
  return (
    <CreateDialog
      title={t('subnets.create')}
      confirm={t('create')}
      ready={faultsOf(form).size === 0}
      send={() => create('subnets', 'subnet', { network_id: network.id, name, ...subnetBody(form) })}
      touches={TOUCHES}
      close={close}
    >
      <QuotaUse of="subnet" />
      <TextField label={t('fields.name')} value={name} set={setName} autoFocus />
      <SubnetRange form={form} set={set} />
      <SubnetMore form={form} set={set} />
    </CreateDialog>
  );
}

export function EditSubnet({ subnet, close }: { readonly subnet: Subnet; readonly close: () => void }) {
  const { t } = useTranslation();
  const [names, setNames] = useState({ name: subnet.name, description: subnet.description });
  const [form, setForm] = useState<SubnetForm>(() => formOf(subnet));
  const changes = subnetChanges(useAtFirst(subnet), form, names);
  return (
    <CreateDialog
      title={t('subnets.edit', { range: subnet.cidr })}
      confirm={t('save')}
      ready={faultsOf(form).size === 0 && Object.keys(changes).length > 0}
      send={() => update('subnets', 'subnet', subnet.id, changes)}
      touches={TOUCHES}
      close={close}
    >
      <TextField label={t('fields.name')} value={names.name} set={(name) => setNames((before) => ({ ...before, name }))} autoFocus />
      <TextField label={t('fields.description')} value={names.description} set={(description) => setNames((before) => ({ ...before, description }))} />
      <SubnetMore form={form} set={(change) => setForm((before) => ({ ...before, ...change }))} open fresh={false} />
    </CreateDialog>
  );
}
