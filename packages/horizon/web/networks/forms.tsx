import ExpandableSection from '@cloudscape-design/components/expandable-section';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAtFirst } from '../parts/at-first.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, FlagField, TextField } from '../parts/fields.tsx';
import { changesOf } from './lines.ts';
import { useIsAdmin } from './owner.ts';
import { called, type Network, networksQuery, qosPoliciesQuery, subnetsQuery } from './queries.ts';
import { QuotaUse } from './quota.tsx';
import { SubnetMore, SubnetRange } from './subnet-fields.tsx';
import { faultsOf, NEW_SUBNET, subnetBody, type SubnetForm } from './subnet-request.ts';
import { create, remove, update } from './write.ts';

const TOUCHES = [networksQuery.queryKey, subnetsQuery.queryKey];
const NETWORK_TYPES = ['local', 'flat', 'vlan', 'vxlan', 'geneve', 'gre'];

/** Policies of quality of service to choose from. */
export function QosField({ value, set }: { readonly value: string; readonly set: (value: string) => void }) {
  const { t } = useTranslation();
  const policies = useQuery(qosPoliciesQuery);
  return (
    <ChoiceField
      label={t('net.qos')}
      value={value}
      set={set}
      choices={policies.data && [{ value: '', label: t('none') }, ...policies.data.map((policy) => ({ value: policy.id, label: called(policy) }))]}
    />
  );
}

/** A network, with addresses unless they are not wanted. */
export function CreateNetwork({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const [form, setForm] = useState({
    name: '',
    description: '',
    mtu: '',
    portSecurity: true,
    qos: '',
    shared: false,
    external: false,
    type: '',
    physical: '',
    segment: '',
  });
  const [withSubnet, setWithSubnet] = useState(true);
  const [subnet, setSubnet] = useState<SubnetForm>(NEW_SUBNET);
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const setOfSubnet = (change: Partial<SubnetForm>): void => setSubnet((before) => ({ ...before, ...change }));
  const send = async (): Promise<void> => {
    const network = await create<'neutron.network.create'>('networks', 'network', {
      name: form.name,
      ...(form.description !== '' && { description: form.description }),
      ...(form.mtu !== '' && { mtu: Number(form.mtu) }),
      ...(!form.portSecurity && { port_security_enabled: false }),
      ...(form.qos !== '' && { qos_policy_id: form.qos }),
      ...(form.shared && { shared: true }),
      ...(form.external && { 'router:external': true }),
      ...(form.type !== '' && { 'provider:network_type': form.type }),
      ...(form.physical !== '' && { 'provider:physical_network': form.physical }),
      ...(form.segment !== '' && { 'provider:segmentation_id': Number(form.segment) }),
    });
    if (!withSubnet) return;
    try {
      await create('subnets', 'subnet', { network_id: network.id, name: form.name, ...subnetBody(subnet) });
    } catch (error) {
      // half of what was asked for is not what was asked for
      await remove('networks', network.id).catch(() => undefined);
      throw error;
    }
  };
  return (
    <CreateDialog
      title={t('networks.create')}
      confirm={t('create')}
      ready={form.name.trim() !== '' && (!withSubnet || faultsOf(subnet).size === 0)}
      send={send}
      touches={TOUCHES}
      close={close}
    >
      <QuotaUse of="network" />
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <FlagField label={t('subnets.with')} help={t('subnets.withHelp')} value={withSubnet} set={setWithSubnet} />
      {withSubnet && (
        <>
          <SubnetRange form={subnet} set={setOfSubnet} />
          <SubnetMore form={subnet} set={setOfSubnet} />
        </>
      )}
      <ExpandableSection headerText={t('networks.more')}>
        <SpaceBetween size="m">
          <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
          <TextField label={t('fields.mtu')} help={t('networks.mtuHelp')} value={form.mtu} set={(mtu) => set({ mtu })} type="number" />
          <FlagField
            label={t('net.portSecurity')}
            help={t('networks.portSecurityHelp')}
            value={form.portSecurity}
            set={(value) => set({ portSecurity: value })}
          />
          <QosField value={form.qos} set={(qos) => set({ qos })} />
          {isAdmin && (
            <>
              <FlagField label={t('networks.shareAll')} value={form.shared} set={(shared) => set({ shared })} />
              <FlagField label={t('networks.leadsOutside')} value={form.external} set={(external) => set({ external })} />
              <ChoiceField
                label={t('networks.type')}
                value={form.type}
                set={(type) => set({ type })}
                choices={[{ value: '', label: t('networks.typeAny') }, ...NETWORK_TYPES.map((value) => ({ value, label: value }))]}
              />
              <TextField label={t('networks.physical')} value={form.physical} set={(physical) => set({ physical })} />
              <TextField label={t('networks.segment')} value={form.segment} set={(segment) => set({ segment })} type="number" />
            </>
          )}
        </SpaceBetween>
      </ExpandableSection>
    </CreateDialog>
  );
}

export function EditNetwork({ network, close }: { readonly network: Network; readonly close: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const [form, setForm] = useState({
    name: network.name,
    description: network.description,
    admin_state_up: network.admin_state_up,
    mtu: network.mtu,
    port_security_enabled: network.port_security_enabled,
    qos_policy_id: network.qos_policy_id,
    shared: network.shared,
    'router:external': network['router:external'],
  });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const changes = changesOf(useAtFirst(network), form);
  return (
    <CreateDialog
      title={t('net.edit')}
      confirm={t('save')}
      ready={Object.keys(changes).length > 0}
      send={() => update('networks', 'network', network.id, changes)}
      touches={TOUCHES}
      close={close}
    >
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
      <TextField label={t('fields.mtu')} value={String(form.mtu)} set={(mtu) => set({ mtu: Number(mtu) })} type="number" />
      <FlagField label={t('net.up')} help={t('networks.upHelp')} value={form.admin_state_up} set={(up) => set({ admin_state_up: up })} />
      <FlagField
        label={t('net.portSecurity')}
        help={t('networks.portSecurityHelp')}
        value={form.port_security_enabled}
        set={(value) => set({ port_security_enabled: value })}
      />
      <QosField value={form.qos_policy_id ?? ''} set={(qos) => set({ qos_policy_id: qos || null })} />
      {isAdmin && (
        <>
          <FlagField label={t('networks.shareAll')} value={form.shared} set={(shared) => set({ shared })} />
          <FlagField label={t('networks.leadsOutside')} value={form['router:external']} set={(external) => set({ 'router:external': external })} />
        </>
      )}
    </CreateDialog>
  );
}
