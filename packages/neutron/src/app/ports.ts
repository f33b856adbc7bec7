import type { Context } from '@cairn/kit/context/context';
import { isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { authorizeChange, type PolicyTarget } from '../attributes/authorize.ts';
import type { NotSpecified } from '../attributes/attribute.ts';
import { isSet } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { deviceIdNotOwned, networkNotFound, portNotFound, servicePortInUse } from '../errors.ts';
import type { ListInput } from '../listing/query.ts';
import { PORT } from '../resources/port.ts';
import { findFloatingIp } from '../store/floatingips.ts';
import { findNetwork, networkLists } from '../store/networks.ts';
import { portLists, portPages, ROUTER_INTERFACE_OWNERS } from '../store/ports.ts';
import { sharedAmong } from '../store/rbac.ts';
import { findRouter } from '../store/routers.ts';
import { selectOne, selectPage } from '../store/select.ts';
import type { NetworkRow, PortRow } from '../store/tables.ts';
import { authorizeDelete, checkRevision, type Loaded, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { type AddressPair, type DhcpOption, makePort, type NewPort } from './port-creation.ts';
import type { FixedIpRequest } from './port-addresses.ts';
import { removePort } from './port-removal.ts';
import { listedPorts, portViews } from './port-view.ts';
import { requireNoLocalIp } from './local-ip-ports.ts';
import { requireNoTrunk } from './trunk-ports.ts';
import { checkQuotas } from './quota.ts';

/** Ports of routers and floating IPs are theirs to delete. */
const L3_OWNERS = [...ROUTER_INTERFACE_OWNERS, 'network:router_gateway', 'network:floatingip'];

/** A network that a project may use, with what policy rules of its ports ask. */
export interface UsableNetwork {
  readonly row: NetworkRow;
  readonly shared: boolean;
}

/** Looks a port's network up as upstream's policy does: one that the project cannot see does not exist for it. */
export async function networkForPort(db: Db, ctx: Context, networkId: string, projectId: string): Promise<UsableNetwork> {
  const row = await findNetwork(db, networkId);
  if (!row) throw networkNotFound(networkId);
  const free = scopeOf(ctx).projectId === undefined || row.project_id === ctx.projectId;
  if (!free && !(await selectOne<NetworkRow>(db, networkLists, networkId, { projectId }))) throw networkNotFound(networkId);
  return { row, shared: (await sharedAmong(db, [networkId], projectId)).has(networkId) };
}

export const portTarget = (values: Values, network: UsableNetwork): PolicyTarget => ({
  ...values,
  'network:project_id': network.row.project_id,
  shared: network.shared,
});

export function createPorts(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  return app.env.store.write(async (tx) => {
    const networks = new Map<string, UsableNetwork>();
    for (const values of items) {
      const networkId = String(values.network_id);
      const key = `${networkId} ${values.project_id}`;
      const network = networks.get(key) ?? (await networkForPort(tx, ctx, networkId, String(values.project_id)));
      networks.set(key, network);
      authorizeChange(app.policy, ctx, PORT, 'create', values, portTarget(values, network));
    }
    await checkQuotas(
      app,
      tx,
      'port',
      items.map((values) => String(values.project_id)),
    );
    const made: Loaded[] = [];
    for (const values of items) {
      await requireOwnDevice(tx, ctx, String(values.device_owner), String(values.device_id), String(values.project_id));
      const network = networks.get(`${values.network_id} ${values.project_id}`) as UsableNetwork;
      made.push((await makePort(app, tx, ctx, network.row, newPortOf(values))).loaded);
    }
    return made;
  });
}

function newPortOf(values: Values): NewPort {
  const host = values['binding:host_id'];
  const profile = values['binding:profile'];
  return {
    projectId: String(values.project_id),
    name: String(values.name),
    description: String(values.description),
    adminUp: values.admin_state_up === true,
    mac: values.mac_address as string | null | NotSpecified,
    fixedIps: values.fixed_ips as readonly FixedIpRequest[] | NotSpecified,
    deviceId: String(values.device_id),
    deviceOwner: String(values.device_owner),
    securityGroups: values.security_groups as readonly string[] | NotSpecified,
    portSecurity: values.port_security_enabled as boolean | NotSpecified,
    addressPairs: values.allowed_address_pairs as readonly AddressPair[] | NotSpecified,
    dhcpOptions: values.extra_dhcp_opts as readonly DhcpOption[] | null,
    dnsName: String(values.dns_name),
    dnsDomain: String(values.dns_domain),
    propagateUplink: values.propagate_uplink_status === true,
    trusted: values.trusted as boolean | NotSpecified,
    host: isSet(host) ? String(host) : '',
    vnicType: String(values['binding:vnic_type']),
    profile: isSet(profile) ? (profile as object) : {},
    tags: values.tags as readonly string[],
    qosPolicyId: values.qos_policy_id as string | null,
  };
}

/** Nobody may pose as another project's router (db_base_plugin_v2._enforce_device_owner_not_router_intf_or_device_id). */
export async function requireOwnDevice(db: Db, ctx: Context, deviceOwner: string, deviceId: string, projectId: string): Promise<void> {
  if (!ROUTER_INTERFACE_OWNERS.includes(deviceOwner) || isAdmin(ctx) || deviceId === '') return;
  const router = await findRouter(db, deviceId);
  if (router && router.project_id !== projectId) throw deviceIdNotOwned(deviceId);
}

export async function listPorts(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  const db = app.env.store.read;
  return listedPorts(app, db, await selectPage(db, portPages, input, scopeOf(ctx)));
}

export async function getPort(app: NeutronApp, ctx: Context, id: string): Promise<Loaded> {
  return (await loadPort(app, app.env.store.read, ctx, id)).loaded;
}

/** A port that the caller may see. */
export async function loadPort(app: NeutronApp, db: Db, ctx: Context, id: string): Promise<{ row: PortRow; loaded: Loaded }> {
  const row = await selectOne<PortRow>(db, portLists, id, scopeOf(ctx));
  if (!row) throw portNotFound(id);
  const [loaded] = await portViews(app, db, [row]);
  return { row, loaded: loaded as Loaded };
}

export function deletePortById(app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined): Promise<void> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadPort(app, tx, ctx, id);
    authorizeDelete(app, ctx, PORT, loaded);
    checkRevision(row, ifMatch);
    if (L3_OWNERS.includes(row.device_owner) && (await ownerExists(tx, row))) throw servicePortInUse(id, row.device_owner);
    await requireNoTrunk(tx, row);
    await requireNoLocalIp(tx, row);
    await removePort(app, tx, ctx, row);
  });
}

async function ownerExists(tx: Tx, row: PortRow): Promise<boolean> {
  return (row.device_owner === 'network:floatingip' ? await findFloatingIp(tx, row.device_id) : await findRouter(tx, row.device_id)) !== undefined;
}
