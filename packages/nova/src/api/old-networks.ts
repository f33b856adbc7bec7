import { isAdmin } from '@cairn/kit/context/context';
import type { AnyBody, Request } from '@cairn/kit/http/operation';
import { Networks, OneNetwork, OneTenantNetwork, TenantNetworks } from './answers/others.ts';
import { op } from './op.ts';

const UNTIL = '2.35';
const FIELDS = ['cidr', 'netmask', 'gateway', 'broadcast', 'dns1', 'dns2', 'cidr_v6', 'gateway_v6', 'netmask_v6'];
const ADMIN_FIELDS = [
  ...[
    'created_at',
    'updated_at',
    'deleted_at',
    'deleted',
    'injected',
    'bridge',
    'vlan',
    'vpn_public_address',
    'vpn_public_port',
    'vpn_private_address',
    'dhcp_start',
  ],
  ...['project_id', 'host', 'bridge_interface', 'multi_host', 'priority', 'rxtx_base', 'mtu', 'dhcp_server', 'enable_dhcp', 'share_address'],
];

interface Network {
  readonly id: string;
  readonly name: string;
}

/** Of nova-network's thirty fields neutron knows two; the rest is null, as upstream has it. */
const view = (req: Request<AnyBody>, { id, name }: Network): object => ({
  id,
  label: name,
  ...Object.fromEntries([...FIELDS, ...(isAdmin(req.ctx) ? ADMIN_FIELDS : [])].map((field) => [field, null])),
});
/** upstream's text for no cidr. */
const tenantView = ({ id, name }: Network): object => ({ id, cidr: 'None', label: name });
const idOf = (req: Request<AnyBody>): string => req.params.id as string;

export const oldNetworkOperations = [
  op({
    id: 'nova.network.list',
    method: 'GET',
    path: '/v2.1/os-networks',
    summary: 'List networks',
    until: UNTIL,
    policy: 'os_compute_api:os-networks:list',
    answer: Networks,
    handle: async (app, req) => ({ networks: (await app.floatingIps.networks(req.ctx)).map((network) => view(req, network)) }),
  }),
  op({
    id: 'nova.network.show',
    method: 'GET',
    path: '/v2.1/os-networks/{id}',
    summary: 'Show a network',
    until: UNTIL,
    policy: 'os_compute_api:os-networks:show',
    answer: OneNetwork,
    handle: async (app, req) => ({ network: view(req, await app.floatingIps.network(req.ctx, idOf(req))) }),
  }),
  op({
    id: 'nova.tenant-network.list',
    method: 'GET',
    path: '/v2.1/os-tenant-networks',
    summary: "List the project's networks",
    until: UNTIL,
    policy: 'os_compute_api:os-tenant-networks:list',
    answer: TenantNetworks,
    handle: async (app, req) => ({ networks: (await app.floatingIps.networks(req.ctx)).map(tenantView) }),
  }),
  op({
    id: 'nova.tenant-network.show',
    method: 'GET',
    path: '/v2.1/os-tenant-networks/{id}',
    summary: 'Show a network of the project',
    until: UNTIL,
    policy: 'os_compute_api:os-tenant-networks:show',
    answer: OneTenantNetwork,
    handle: async (app, req) => ({ network: tenantView(await app.floatingIps.network(req.ctx, idOf(req))) }),
  }),
];
