import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useIsAdmin } from '../networks/owner.ts';
import { called, type FloatingIp, floatingIpsQuery, networksQuery, portsQuery, type PortForwarding, subnetsQuery } from '../networks/queries.ts';
import { QuotaUse } from '../networks/quota.tsx';
import { create, update } from '../networks/write.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, TextField } from '../parts/fields.tsx';
import { addressChoices } from '../ports/model.ts';
import { useServers } from '../servers/queries.ts';
import { forwardingOf, type ForwardingForm, sideText } from './forwarding.ts';

const TOUCHES = [floatingIpsQuery.queryKey, portsQuery.queryKey];

/** The addresses that a floating IP may lead to; undefined while they are being asked for. */
function useAddresses(all: boolean) {
  const ports = useQuery(portsQuery);
  const servers = useServers();
  const floatingIps = useQuery(floatingIpsQuery);
  if (!ports.data || !floatingIps.data) return undefined;
  return addressChoices(ports.data, servers.data ?? [], all ? [] : floatingIps.data);
}

/** A public address for the project, led to a server at once where one is chosen. */
export function AllocateFloatingIp({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const networks = useQuery(networksQuery);
  const subnets = useQuery(subnetsQuery);
  const addresses = useAddresses(false);
  const outer = networks.data?.filter((network) => network['router:external']);
  const [form, setForm] = useState({ network: '', subnet: '', address: '', target: '', description: '' });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const network = form.network || outer?.[0]?.id || '';
  const ranges = (subnets.data ?? []).filter(({ network_id, ip_version }) => network_id === network && ip_version === 4);
  const target = addresses?.find(({ value }) => value === form.target);
  return (
    <CreateDialog
      title={t('floatingIps.create')}
      confirm={t('floatingIps.allocate')}
      ready={network !== ''}
      send={() =>
        create('floatingips', 'floatingip', {
          floating_network_id: network,
          ...(form.subnet !== '' && { subnet_id: form.subnet }),
          ...(form.address.trim() !== '' && { floating_ip_address: form.address.trim() }),
          ...(target && { port_id: target.portId, fixed_ip_address: target.address }),
          ...(form.description !== '' && { description: form.description }),
        })
      }
      touches={TOUCHES}
      close={close}
    >
      <QuotaUse of="floatingip" />
      <ChoiceField
        label={t('floatingIps.network')}
        error={outer?.length === 0 ? t('floatingIps.noNetwork') : undefined}
        value={network}
        set={(value) => set({ network: value, subnet: '' })}
        choices={outer?.map((each) => ({ value: each.id, label: called(each) }))}
      />
      {ranges.length > 1 && (
        <ChoiceField
          label={t('net.subnet')}
          value={form.subnet}
          set={(subnet) => set({ subnet })}
          choices={[{ value: '', label: t('net.any') }, ...ranges.map((each) => ({ value: each.id, label: `${called(each)}: ${each.cidr}` }))]}
        />
      )}
      {isAdmin && <TextField label={t('floatingIps.address')} help={t('floatingIps.addressHelp')} value={form.address} set={(address) => set({ address })} />}
      <ChoiceField
        label={t('floatingIps.target')}
        help={t('floatingIps.targetHelp')}
        value={form.target}
        set={(value) => set({ target: value })}
        choices={addresses && [{ value: '', label: t('floatingIps.later') }, ...addresses]}
      />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
    </CreateDialog>
  );
}

/** Leads a floating IP to an address of a port. */
export function AssociateFloatingIp({ floatingIp, close }: { readonly floatingIp: FloatingIp; readonly close: () => void }) {
  const { t } = useTranslation();
  const addresses = useAddresses(false);
  const [value, setValue] = useState('');
  const target = addresses?.find((each) => each.value === value);
  return (
    <CreateDialog
      title={t('floatingIps.associateTitle', { address: floatingIp.floating_ip_address })}
      confirm={t('floatingIps.associate')}
      ready={target !== undefined}
      send={() => update('floatingips', 'floatingip', floatingIp.id, { port_id: target?.portId, fixed_ip_address: target?.address })}
      touches={TOUCHES}
      close={close}
    >
      <ChoiceField
        label={t('floatingIps.target')}
        help={t('floatingIps.associateHelp')}
        error={addresses?.length === 0 ? t('floatingIps.noTarget') : undefined}
        value={value}
        set={setValue}
        choices={addresses}
        placeholder={t('launch.choose')}
      />
    </CreateDialog>
  );
}

export function EditFloatingIp({ floatingIp, close }: { readonly floatingIp: FloatingIp; readonly close: () => void }) {
  const { t } = useTranslation();
  const [description, setDescription] = useState(floatingIp.description);
  return (
    <CreateDialog
      title={t('net.edit')}
      confirm={t('save')}
      ready={description !== floatingIp.description}
      send={() => update('floatingips', 'floatingip', floatingIp.id, { description })}
      touches={[floatingIpsQuery.queryKey]}
      close={close}
    >
      <TextField label={t('fields.description')} value={description} set={setDescription} autoFocus />
    </CreateDialog>
  );
}

/** Some ports of a floating IP, led to an address inside; new, or `before` changed. */
export function ForwardPorts({ floatingIpId, before, close }: { readonly floatingIpId: string; readonly before?: PortForwarding; readonly close: () => void }) {
  const { t } = useTranslation();
  const addresses = useAddresses(true);
  const [form, setForm] = useState<ForwardingForm>({
    protocol: before?.protocol ?? 'tcp',
    outer: before ? sideText(before, 'external') : '',
    inner: before ? sideText(before, 'internal') : '',
    portId: before?.internal_port_id ?? '',
    address: before?.internal_ip_address ?? '',
    description: before?.description ?? '',
  });
  const set = (change: Partial<ForwardingForm>): void => setForm((old) => ({ ...old, ...change }));
  const body = forwardingOf(form);
  const path = `floatingips/${floatingIpId}/port_forwardings`;
  const bad = form.outer !== '' && form.portId !== '' && body === undefined ? t('floatingIps.badPorts') : undefined;
  return (
    <CreateDialog
      title={before ? t('floatingIps.editForwarding') : t('floatingIps.forward')}
      confirm={before ? t('save') : t('create')}
      ready={body !== undefined}
      send={() => (before ? update(path, 'port_forwarding', before.id, body ?? {}) : create(path, 'port_forwarding', body ?? {}))}
      touches={TOUCHES}
      close={close}
    >
      <ChoiceField
        label={t('fields.protocol')}
        value={form.protocol}
        set={(protocol) => set({ protocol })}
        choices={['tcp', 'udp', 'sctp'].map((value) => ({ value, label: value.toUpperCase() }))}
      />
      <TextField label={t('floatingIps.outerPorts')} help={t('floatingIps.outerHelp')} error={bad} value={form.outer} set={(outer) => set({ outer })} />
      <ChoiceField
        label={t('floatingIps.target')}
        value={`${form.portId} ${form.address}`}
        set={(value) => {
          const [portId = '', address = ''] = value.split(' ');
          set({ portId, address });
        }}
        choices={addresses}
        placeholder={t('launch.choose')}
      />
      <TextField label={t('floatingIps.innerPorts')} help={t('floatingIps.innerHelp')} value={form.inner} set={(inner) => set({ inner })} />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
    </CreateDialog>
  );
}
