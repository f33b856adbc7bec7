import Toggle from '@cloudscape-design/components/toggle';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { api } from '../../api/client.ts';
import { networksQuery, portsQuery } from '../../networks/queries.ts';
import { CreateDialog } from '../../parts/create-dialog.tsx';
import { ChoiceField, TextField } from '../../parts/fields.tsx';
import { attachmentsQuery, interfacesQuery, useVolumes } from '../devices.ts';
import { type DialogProps, pathOf, touchesOf } from './parts.tsx';

export function AttachVolume({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const volumes = useVolumes();
  const [volumeId, setVolumeId] = useState('');
  const [goes, setGoes] = useState(false);
  const free = (volumes.data ?? []).filter(({ status }) => status === 'available');
  return (
    <CreateDialog
      title={t('actions.attachVolume')}
      confirm={t('dialogs.attach')}
      ready={volumeId !== ''}
      send={() =>
        api('compute', pathOf(server, '/os-volume_attachments'), { method: 'POST', body: { volumeAttachment: { volumeId, delete_on_termination: goes } } })
      }
      touches={[...touchesOf(server), ['volumes']]}
      close={close}
    >
      <ChoiceField
        label={t('dialogs.volume')}
        value={volumeId}
        set={setVolumeId}
        empty={t('dialogs.noVolumes')}
        choices={volumes.isPending ? undefined : free.map(({ id, name, size }) => ({ value: id, label: name || id, description: t('dialogs.gib', { size }) }))}
      />
      <Toggle checked={goes} onChange={({ detail }) => setGoes(detail.checked)}>
        {t('dialogs.goesWithServer')}
      </Toggle>
    </CreateDialog>
  );
}

export function DetachVolume({ server, close, volumeId: given }: DialogProps & { readonly volumeId?: string }) {
  const { t } = useTranslation();
  const volumes = useVolumes();
  const attachments = useQuery(attachmentsQuery(server.id));
  const [chosen, setChosen] = useState(given ?? '');
  return (
    <CreateDialog
      title={t('actions.detachVolume')}
      confirm={t('dialogs.detach')}
      ready={chosen !== ''}
      send={() => api('compute', pathOf(server, `/os-volume_attachments/${encodeURIComponent(chosen)}`), { method: 'DELETE' })}
      touches={[...touchesOf(server), ['volumes']]}
      close={close}
    >
      <ChoiceField
        label={t('dialogs.volume')}
        help={t('dialogs.detachVolumeHelp')}
        value={chosen}
        set={setChosen}
        choices={
          attachments.isPending
            ? undefined
            : (attachments.data ?? []).map(({ volumeId, device }) => ({
                value: volumeId,
                label: volumes.data?.find(({ id }) => id === volumeId)?.name || volumeId,
                description: device ?? '',
              }))
        }
      />
    </CreateDialog>
  );
}

export function AttachInterface({ server, close }: DialogProps) {
  const { t } = useTranslation();
  const networks = useQuery(networksQuery);
  const ports = useQuery(portsQuery);
  const [networkId, setNetworkId] = useState('');
  const [portId, setPortId] = useState('');
  const [address, setAddress] = useState('');
  const names = new Map((networks.data ?? []).map(({ id, name }) => [id, name]));
  const free = (ports.data ?? []).filter((port) => port.device_id === '' && (networkId === '' || port.network_id === networkId));
  const attachment = portId !== '' ? { port_id: portId } : { net_id: networkId, ...(address.trim() !== '' && { fixed_ips: [{ ip_address: address.trim() }] }) };
  return (
    <CreateDialog
      title={t('actions.attachInterface')}
      confirm={t('dialogs.attach')}
      ready={networkId !== '' || portId !== ''}
      send={() => api('compute', pathOf(server, '/os-interface'), { method: 'POST', body: { interfaceAttachment: attachment } })}
      touches={[...touchesOf(server), ['ports']]}
      close={close}
    >
      <ChoiceField
        label={t('kinds.network')}
        value={networkId}
        set={(value) => {
          setNetworkId(value);
          setPortId('');
        }}
        choices={
          networks.isPending
            ? undefined
            : (networks.data ?? []).filter((network) => !network['router:external']).map(({ id, name }) => ({ value: id, label: name || id, description: id }))
        }
      />
      <ChoiceField
        label={t('dialogs.port')}
        help={t('dialogs.portHelp')}
        value={portId}
        set={setPortId}
        choices={
          ports.isPending
            ? undefined
            : [
                { value: '', label: t('dialogs.newPort') },
                ...free.map(({ id, name, network_id, fixed_ips }) => ({
                  value: id,
                  label: name || id,
                  description: `${names.get(network_id) ?? network_id} ${fixed_ips.map(({ ip_address }) => ip_address).join(' ')}`,
                })),
              ]
        }
      />
      {portId === '' && <TextField label={t('dialogs.address')} help={t('dialogs.addressHelp')} value={address} set={setAddress} />}
    </CreateDialog>
  );
}

export function DetachInterface({ server, close, portId: given }: DialogProps & { readonly portId?: string }) {
  const { t } = useTranslation();
  const interfaces = useQuery(interfacesQuery(server.id));
  const [chosen, setChosen] = useState(given ?? '');
  return (
    <CreateDialog
      title={t('actions.detachInterface')}
      confirm={t('dialogs.detach')}
      ready={chosen !== ''}
      send={() => api('compute', pathOf(server, `/os-interface/${encodeURIComponent(chosen)}`), { method: 'DELETE' })}
      touches={[...touchesOf(server), ['ports']]}
      close={close}
    >
      <ChoiceField
        label={t('dialogs.port')}
        value={chosen}
        set={setChosen}
        choices={
          interfaces.isPending
            ? undefined
            : (interfaces.data ?? []).map(({ port_id, mac_addr, fixed_ips }) => ({
                value: port_id,
                label: fixed_ips.map(({ ip_address }) => ip_address).join(', ') || port_id,
                description: mac_addr,
              }))
        }
      />
    </CreateDialog>
  );
}
