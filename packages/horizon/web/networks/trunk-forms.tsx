import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAtFirst } from '../parts/at-first.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, FlagField, TextField } from '../parts/fields.tsx';
import { portLabel, userOf } from '../ports/model.ts';
import { useServers } from '../servers/queries.ts';
import { changesOf } from './lines.ts';
import { portsQuery, type Trunk, trunksQuery } from './queries.ts';
import { QuotaUse } from './quota.tsx';
import { create, tell, update } from './write.ts';

export const TRUNK_TOUCHES = [trunksQuery.queryKey, portsQuery.queryKey];

/** Ports that are neither of a trunk already nor part of a router or of DHCP; subports are those that nobody uses. */
function usePorts(freeOnly: boolean) {
  const ports = useQuery(portsQuery);
  const trunks = useQuery(trunksQuery);
  const servers = useServers();
  const taken = new Set(trunks.data?.flatMap((trunk) => [trunk.port_id, ...trunk.sub_ports.map(({ port_id }) => port_id)]));
  return ports.data
    ?.filter((port) => !taken.has(port.id) && (freeOnly ? ['nobody'] : ['nobody', 'server']).includes(userOf(port)))
    .map((port) => ({ value: port.id, label: portLabel(port, servers.data ?? []) }));
}

export function CreateTrunk({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const ports = usePorts(false);
  const [form, setForm] = useState({ name: '', port: '' });
  return (
    <CreateDialog
      title={t('trunks.create')}
      confirm={t('create')}
      ready={form.port !== ''}
      send={() => create('trunks', 'trunk', { name: form.name, port_id: form.port })}
      touches={TRUNK_TOUCHES}
      close={close}
    >
      <QuotaUse of="trunk" />
      <TextField label={t('fields.name')} value={form.name} set={(name) => setForm((before) => ({ ...before, name }))} autoFocus />
      <ChoiceField
        label={t('trunks.port')}
        help={t('trunks.portHelp')}
        value={form.port}
        set={(port) => setForm((before) => ({ ...before, port }))}
        choices={ports}
        placeholder={t('launch.choose')}
      />
    </CreateDialog>
  );
}

export function EditTrunk({ trunk, close }: { readonly trunk: Trunk; readonly close: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState({ name: trunk.name, description: trunk.description, admin_state_up: trunk.admin_state_up });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const changes = changesOf(useAtFirst(trunk), form);
  return (
    <CreateDialog
      title={t('net.edit')}
      confirm={t('save')}
      ready={Object.keys(changes).length > 0}
      send={() => update('trunks', 'trunk', trunk.id, changes)}
      touches={TRUNK_TOUCHES}
      close={close}
    >
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
      <FlagField label={t('net.up')} help={t('trunks.upHelp')} value={form.admin_state_up} set={(up) => set({ admin_state_up: up })} />
    </CreateDialog>
  );
}

export function AddSubport({ trunk, close }: { readonly trunk: Trunk; readonly close: () => void }) {
  const { t } = useTranslation();
  const ports = usePorts(true);
  const [form, setForm] = useState({ port: '', vlan: '' });
  const vlan = Number(form.vlan);
  const isVlan = /^\d{1,4}$/.test(form.vlan) && vlan >= 1 && vlan <= 4094;
  return (
    <CreateDialog
      title={t('trunks.addSubport')}
      confirm={t('add')}
      ready={form.port !== '' && isVlan}
      send={() => tell('trunks', trunk.id, 'add_subports', { sub_ports: [{ port_id: form.port, segmentation_type: 'vlan', segmentation_id: vlan }] })}
      touches={TRUNK_TOUCHES}
      close={close}
    >
      <ChoiceField
        label={t('net.port')}
        error={ports?.length === 0 ? t('trunks.noFreePort') : undefined}
        value={form.port}
        set={(port) => setForm((before) => ({ ...before, port }))}
        choices={ports}
        placeholder={t('launch.choose')}
      />
      <TextField
        label={t('trunks.vlan')}
        error={form.vlan !== '' && !isVlan ? t('trunks.badVlan') : undefined}
        value={form.vlan}
        set={(text) => setForm((before) => ({ ...before, vlan: text }))}
        type="number"
        placeholder="100"
      />
    </CreateDialog>
  );
}
