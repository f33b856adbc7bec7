import ExpandableSection from '@cloudscape-design/components/expandable-section';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { QosField } from '../networks/forms.tsx';
import { called, networksQuery, type Port, portsQuery } from '../networks/queries.ts';
import { QuotaUse } from '../networks/quota.tsx';
import { create, update } from '../networks/write.ts';
import { useAtFirst } from '../parts/at-first.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, FlagField, LinesField, ManyField, TextField } from '../parts/fields.tsx';
import { securityGroupsQuery } from '../security-groups/queries.ts';
import { faultsOfPort, formOfPort, NEW_PORT, portBody, portChanges, type PortFormValues } from './request.ts';

const TOUCHES = [portsQuery.queryKey];
const VNIC_TYPES = ['normal', 'direct', 'macvtap', 'direct-physical', 'baremetal', 'virtio-forwarder', 'vdpa', 'smart-nic', 'remote-managed'];

interface Props {
  readonly form: PortFormValues;
  readonly set: (change: Partial<PortFormValues>) => void;
}

/** The addresses of a port, and what may pass it. */
function Addresses({ form, set }: Props) {
  const { t } = useTranslation();
  const faults = faultsOfPort(form);
  return (
    <LinesField
      label={t('net.addresses')}
      help={t('ports.addressesHelp')}
      error={faults.has('addresses') ? t('ports.badAddresses') : undefined}
      value={form.addresses}
      set={(addresses) => set({ addresses })}
    />
  );
}

function Security({ form, set }: Props) {
  const { t } = useTranslation();
  const groups = useQuery(securityGroupsQuery);
  const faults = faultsOfPort(form);
  return (
    <>
      <FlagField label={t('net.portSecurity')} help={t('ports.securityHelp')} value={form.security} set={(security) => set({ security })} />
      {form.security && (
        <>
          <ManyField
            label={t('pages.security-groups')}
            values={form.groups}
            set={(values) => set({ groups: values })}
            choices={groups.data?.map((group) => ({ value: group.id, label: called(group), description: group.description }))}
            placeholder={t('ports.defaultGroup')}
          />
          <LinesField
            label={t('ports.pairs')}
            help={t('ports.pairsHelp')}
            error={faults.has('pairs') ? t('ports.badPairs') : undefined}
            value={form.pairs}
            set={(pairs) => set({ pairs })}
            placeholder="10.0.0.20, fa:16:3e:00:00:01"
          />
        </>
      )}
    </>
  );
}

/** A port of a network; of which one is asked where it is not said. */
export function PortForm({ networkId, close }: { readonly networkId?: string; readonly close: () => void }) {
  const { t } = useTranslation();
  const networks = useQuery(networksQuery);
  const [network, setNetwork] = useState(networkId ?? '');
  const [form, setForm] = useState(NEW_PORT);
  const set = (change: Partial<PortFormValues>): void => setForm((before) => ({ ...before, ...change }));
  return (
    <CreateDialog
      title={t('ports.create')}
      confirm={t('create')}
      ready={network !== '' && faultsOfPort(form).size === 0}
      send={() => create('ports', 'port', portBody(network, form))}
      touches={TOUCHES}
      close={close}
    >
      <QuotaUse of="port" />
      {networkId === undefined && (
        <ChoiceField
          label={t('kinds.network')}
          value={network}
          set={setNetwork}
          choices={networks.data?.map((each) => ({ value: each.id, label: called(each) }))}
          placeholder={t('launch.choose')}
        />
      )}
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <Addresses form={form} set={set} />
      <Security form={form} set={set} />
      <ExpandableSection headerText={t('ports.more')}>
        <SpaceBetween size="m">
          <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
          <TextField label={t('ports.mac')} help={t('ports.macHelp')} value={form.mac} set={(mac) => set({ mac })} placeholder="fa:16:3e:00:00:01" />
          <FlagField label={t('net.up')} value={form.up} set={(up) => set({ up })} />
          <ChoiceField label={t('ports.vnic')} value={form.vnic} set={(vnic) => set({ vnic })} choices={VNIC_TYPES.map((value) => ({ value, label: value }))} />
          <QosField value={form.qos} set={(qos) => set({ qos })} />
        </SpaceBetween>
      </ExpandableSection>
    </CreateDialog>
  );
}

export function EditPort({ port, close }: { readonly port: Port; readonly close: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState(() => formOfPort(port));
  const set = (change: Partial<PortFormValues>): void => setForm((before) => ({ ...before, ...change }));
  const changes = portChanges(useAtFirst(port), form);
  return (
    <CreateDialog
      title={t('net.edit')}
      confirm={t('save')}
      ready={faultsOfPort(form).size === 0 && Object.keys(changes).length > 0}
      send={() => update('ports', 'port', port.id, changes)}
      touches={TOUCHES}
      close={close}
    >
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
      <Addresses form={form} set={set} />
      <FlagField label={t('net.up')} help={t('ports.upHelp')} value={form.up} set={(up) => set({ up })} />
      <Security form={form} set={set} />
      <QosField value={form.qos} set={(qos) => set({ qos })} />
    </CreateDialog>
  );
}
