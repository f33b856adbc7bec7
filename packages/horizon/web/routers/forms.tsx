import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { changesOf, routesIn } from '../networks/lines.ts';
import { useIsAdmin } from '../networks/owner.ts';
import { called, networksQuery, type Port, portsQuery, type Router, routersQuery, subnetsQuery } from '../networks/queries.ts';
import { QuotaUse } from '../networks/quota.tsx';
import { create, remove, tell, update } from '../networks/write.ts';
import { useAtFirst } from '../parts/at-first.ts';
import { CreateDialog } from '../parts/create-dialog.tsx';
import { ChoiceField, FlagField, LinesField, TextField } from '../parts/fields.tsx';
import { subnetChoices } from './model.ts';

export const TOUCHES = [routersQuery.queryKey, portsQuery.queryKey];

/** The networks that lead outside. */
function useOuter() {
  const networks = useQuery(networksQuery);
  return networks.data?.filter((network) => network['router:external']).map((network) => ({ value: network.id, label: called(network) }));
}

export function CreateRouter({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const outer = useOuter();
  const [form, setForm] = useState({ name: '', description: '', network: '', snat: true, up: true });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const gateway = { network_id: form.network, ...(!form.snat && { enable_snat: false }) };
  return (
    <CreateDialog
      title={t('routers.create')}
      confirm={t('create')}
      ready={form.name.trim() !== ''}
      send={() =>
        create('routers', 'router', {
          name: form.name,
          ...(form.description !== '' && { description: form.description }),
          ...(!form.up && { admin_state_up: false }),
          ...(form.network !== '' && { external_gateway_info: gateway }),
        })
      }
      touches={TOUCHES}
      close={close}
    >
      <QuotaUse of="router" />
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <ChoiceField
        label={t('routers.gateway')}
        help={t('routers.gatewayHelp')}
        value={form.network}
        set={(network) => set({ network })}
        choices={outer && [{ value: '', label: t('routers.noGateway') }, ...outer]}
      />
      {isAdmin && form.network !== '' && <FlagField label={t('routers.snat')} help={t('routers.snatHelp')} value={form.snat} set={(snat) => set({ snat })} />}
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
      <FlagField label={t('net.up')} value={form.up} set={(up) => set({ up })} />
    </CreateDialog>
  );
}

export function EditRouter({ router, close }: { readonly router: Router; readonly close: () => void }) {
  const { t } = useTranslation();
  const [form, setForm] = useState({ name: router.name, description: router.description, admin_state_up: router.admin_state_up });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const changes = changesOf(useAtFirst(router), form);
  return (
    <CreateDialog
      title={t('net.edit')}
      confirm={t('save')}
      ready={Object.keys(changes).length > 0}
      send={() => update('routers', 'router', router.id, changes)}
      touches={TOUCHES}
      close={close}
    >
      <TextField label={t('fields.name')} value={form.name} set={(name) => set({ name })} autoFocus />
      <TextField label={t('fields.description')} value={form.description} set={(description) => set({ description })} />
      <FlagField label={t('net.up')} help={t('routers.upHelp')} value={form.admin_state_up} set={(up) => set({ admin_state_up: up })} />
    </CreateDialog>
  );
}

/** The way out of a router; admins also choose its address and whether what is inside is hidden behind it. */
export function SetGateway({ router, close }: { readonly router: Router; readonly close: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const outer = useOuter();
  const before = router.external_gateway_info;
  const [form, setForm] = useState({ network: before?.network_id ?? '', snat: before?.enable_snat ?? true, address: '' });
  const set = (change: Partial<typeof form>): void => setForm((old) => ({ ...old, ...change }));
  const network = form.network || outer?.[0]?.value || '';
  return (
    <CreateDialog
      title={t('routers.setGateway')}
      confirm={t('save')}
      ready={network !== ''}
      send={() =>
        update('routers', 'router', router.id, {
          external_gateway_info: {
            network_id: network,
            ...(isAdmin && { enable_snat: form.snat }),
            ...(form.address.trim() !== '' && { external_fixed_ips: [{ ip_address: form.address.trim() }] }),
          },
        })
      }
      touches={TOUCHES}
      close={close}
    >
      <ChoiceField
        label={t('routers.gateway')}
        error={outer?.length === 0 ? t('floatingIps.noNetwork') : undefined}
        value={network}
        set={(value) => set({ network: value })}
        choices={outer}
      />
      {isAdmin && (
        <>
          <FlagField label={t('routers.snat')} help={t('routers.snatHelp')} value={form.snat} set={(snat) => set({ snat })} />
          <TextField label={t('routers.outerAddress')} help={t('floatingIps.addressHelp')} value={form.address} set={(address) => set({ address })} />
        </>
      )}
    </CreateDialog>
  );
}

/** One more way out of a router. */
export function AddGateway({ router, close }: { readonly router: Router; readonly close: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const outer = useOuter();
  const [form, setForm] = useState({ network: '', address: '' });
  const set = (change: Partial<typeof form>): void => setForm((before) => ({ ...before, ...change }));
  const address = form.address.trim();
  const gateway = { network_id: form.network, ...(address !== '' && { external_fixed_ips: [{ ip_address: address }] }) };
  return (
    <CreateDialog
      title={t('routers.addGateway')}
      confirm={t('add')}
      ready={form.network !== ''}
      send={() => tell('routers', router.id, 'add_external_gateways', { router: { external_gateways: [gateway] } })}
      touches={TOUCHES}
      close={close}
    >
      <ChoiceField
        label={t('routers.gateway')}
        error={outer?.length === 0 ? t('floatingIps.noNetwork') : undefined}
        value={form.network}
        set={(network) => set({ network })}
        choices={outer}
        placeholder={t('launch.choose')}
      />
      {isAdmin && (
        <TextField label={t('routers.outerAddress')} help={t('floatingIps.addressHelp')} value={form.address} set={(value) => set({ address: value })} />
      )}
    </CreateDialog>
  );
}

/** Puts a router on a subnet, as its gateway or at another address. */
export function AddInterface({ router, interfaces, close }: { readonly router: Router; readonly interfaces: readonly Port[]; readonly close: () => void }) {
  const { t } = useTranslation();
  const networks = useQuery(networksQuery);
  const subnets = useQuery(subnetsQuery);
  const [form, setForm] = useState({ subnet: '', address: '' });
  const choices = networks.data && subnets.data && subnetChoices(networks.data, subnets.data, interfaces);
  const subnet = subnets.data?.find(({ id }) => id === form.subnet);
  const send = async (): Promise<unknown> => {
    if (form.address.trim() === '') return tell('routers', router.id, 'add_router_interface', { subnet_id: form.subnet });
    const port = await create<'neutron.port.create'>('ports', 'port', {
      network_id: subnet?.network_id,
      fixed_ips: [{ subnet_id: form.subnet, ip_address: form.address.trim() }],
    });
    try {
      return await tell('routers', router.id, 'add_router_interface', { port_id: port.id });
    } catch (error) {
      await remove('ports', port.id).catch(() => undefined);
      throw error;
    }
  };
  return (
    <CreateDialog title={t('routers.addInterface')} confirm={t('add')} ready={form.subnet !== ''} send={send} touches={TOUCHES} close={close}>
      <ChoiceField
        label={t('net.subnet')}
        error={choices?.length === 0 ? t('routers.noSubnet') : undefined}
        value={form.subnet}
        set={(value) => setForm((before) => ({ ...before, subnet: value }))}
        choices={choices}
        placeholder={t('launch.choose')}
      />
      <TextField
        label={t('net.address')}
        help={t('routers.addressHelp')}
        value={form.address}
        set={(address) => setForm((before) => ({ ...before, address }))}
        placeholder={subnet?.gateway_ip ?? ''}
      />
    </CreateDialog>
  );
}

/** Further routes of a router. */
export function AddRoutes({ router, close }: { readonly router: Router; readonly close: () => void }) {
  const { t } = useTranslation();
  const [text, setText] = useState('');
  const routes = routesIn(text);
  return (
    <CreateDialog
      title={t('routers.addRoute')}
      confirm={t('add')}
      ready={routes !== undefined && routes.length > 0}
      send={() => tell('routers', router.id, 'add_extraroutes', { router: { routes } })}
      touches={TOUCHES}
      close={close}
    >
      <LinesField
        label={t('routers.routes')}
        help={t('net.routesHelp')}
        error={routes === undefined ? t('net.badRoutes') : undefined}
        value={text}
        set={setText}
        placeholder="192.168.0.0/16, 10.0.0.254"
      />
    </CreateDialog>
  );
}
