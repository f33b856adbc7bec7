import type { Context } from '@cairn/kit/context/context';
import { isAdmin, systemContext } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { authorizeChange } from '../attributes/authorize.ts';
import { isSet } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import {
  badRequest,
  externalAddressesExhausted,
  externalGatewayNotFound,
  floatingIpNotFound,
  networkNotFound,
  portAlreadyAssociated,
  portNotFound,
} from '../errors.ts';
import { routerKey } from '../fabric/keys.ts';
import type { ListInput } from '../listing/query.ts';
import { canonicalIp, ipVersionOf } from '../net/ip.ts';
import { FLOATINGIP } from '../resources/router.ts';
import { deleteFloatingIpRow, disassociatedOf, floatingIpLists, floatingIpOf, insertFloatingIp, updateFloatingIp } from '../store/floatingips.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { networkLists } from '../store/networks.ts';
import { findPort, portLists } from '../store/ports.ts';
import { selectOne, selectPage } from '../store/select.ts';
import { subnetsOfNetwork } from '../store/subnets.ts';
import type { FloatingIpRow, NetworkRow, PortRow } from '../store/tables.ts';
import { dropTags } from '../store/tags.ts';
import { authorizeDelete, authorizeUpdate, changed, checkRevision, type Loaded, newRow, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { servingRouterOf } from './floatingip-routers.ts';
import { floatingIpViews } from './floatingip-view.ts';
import { makePort } from './port-creation.ts';
import { requireNoForwarding } from './port-forwardings.ts';
import { removePort } from './port-removal.ts';
import { chosenPolicy } from './qos-policies.ts';
import { checkQuotas } from './quota.ts';

export function createFloatingIps(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  for (const values of items) authorizeChange(app.policy, ctx, FLOATINGIP, 'create', values, values);
  return app.env.store.write(async (tx) => {
    await checkQuotas(
      app,
      tx,
      'floatingip',
      items.map((values) => String(values.project_id)),
    );
    const made: Loaded[] = [];
    for (const values of items) made.push(await createFloatingIp(app, tx, ctx, values));
    return made;
  });
}

async function createFloatingIp(app: NeutronApp, tx: Tx, ctx: Context, values: Values): Promise<Loaded> {
  const networkId = String(values.floating_network_id);
  const network = await selectOne<NetworkRow>(tx, networkLists, networkId, scopeOf(ctx));
  if (!network) throw networkNotFound(networkId);
  if (network.external !== 1) throw badRequest('floatingip', `Network ${networkId} is not a valid external network`);
  if (!(await subnetsOfNetwork(tx, networkId)).some((subnet) => subnet.ip_version === 4)) {
    throw badRequest('floatingip', `Network ${networkId} does not contain any IPv4 subnet`);
  }
  const id = app.env.ids.uuid();
  const fixed = {
    ...(values.subnet_id !== null && { subnet_id: String(values.subnet_id) }),
    ...(values.floating_ip_address !== null && { ip_address: String(values.floating_ip_address) }),
  };
  const { row: port, addresses } = await makePort(app, tx, systemContext(ctx.requestId), network, {
    projectId: '',
    status: 'N/A',
    deviceId: id,
    deviceOwner: 'network:floatingip',
    ...(Object.keys(fixed).length > 0 && { fixedIps: [fixed] }),
  });
  const address = addresses.find((candidate) => ipVersionOf(candidate.ipAddress) === 4);
  if (!address) throw externalAddressesExhausted(networkId);
  const row: FloatingIpRow = {
    ...newRow(app, values, id),
    floating_network_id: networkId,
    floating_ip_address: address.ipAddress,
    floating_port_id: port.id,
    fixed_port_id: null,
    fixed_ip_address: null,
    router_id: null,
    status: 'DOWN',
    dns_name: String(values.dns_name),
    dns_domain: String(values.dns_domain),
    tags_json: '[]',
    qos_policy_id: await chosenPolicy(tx, ctx, values.qos_policy_id as string | null, null),
    network_qos_policy_id: network.qos_policy_id,
  };
  Object.assign(row, await association(tx, ctx, row, values));
  await insertFloatingIp(tx, row);
  const [loaded] = await floatingIpViews(tx, [row]);
  await notify(app, tx, ctx, 'floatingip', 'create', loaded as Loaded);
  if (row.router_id !== null) app.pusher.touch(tx, [routerKey(row.router_id)]);
  return loaded as Loaded;
}

type Association = Pick<FloatingIpRow, 'fixed_port_id' | 'fixed_ip_address' | 'router_id'>;

/** Where a floating IP leads to after `values` (l3_db._check_and_get_fip_assoc). */
async function association(tx: Tx, ctx: Context, row: FloatingIpRow, values: Values): Promise<Association> {
  const portId = 'port_id' in values ? (values.port_id as string | null) : row.fixed_port_id;
  const wanted = (values.fixed_ip_address as string | null | undefined) ?? undefined;
  if (wanted !== undefined && !('port_id' in values && values.port_id !== null)) {
    throw badRequest('floatingip', 'fixed_ip_address cannot be specified without a port_id');
  }
  if (portId === null) return { fixed_port_id: null, fixed_ip_address: null, router_id: null };
  const port = await selectOne<PortRow>(tx, portLists, portId, scopeOf(ctx));
  if (!port) throw portNotFound(portId);
  if (port.project_id !== row.project_id && !isAdmin(ctx)) {
    throw badRequest('floatingip', `Cannot process floating IP association with Port ${portId}, since that port is owned by a different project`);
  }
  const { ip, subnetId } = await insideAddress(tx, port, wanted);
  const router_id = await servingRouterOf(tx, port, subnetId, row.floating_network_id);
  if (router_id === undefined) throw externalGatewayNotFound(row.floating_network_id, subnetId, port.id);
  if (portId !== row.fixed_port_id || ip !== row.fixed_ip_address) {
    const other = await floatingIpOf(tx, portId, ip, row.floating_network_id);
    if (other && other.id !== row.id) throw portAlreadyAssociated(row.floating_ip_address, row.id, portId, ip, row.floating_network_id);
  }
  return { fixed_port_id: portId, fixed_ip_address: ip, router_id };
}

async function insideAddress(tx: Tx, port: PortRow, wanted: string | undefined): Promise<{ ip: string; subnetId: string }> {
  const addresses = await allocationsOfPorts(tx, [port.id]);
  if (wanted !== undefined) {
    if (ipVersionOf(wanted) !== 4) throw badRequest('floatingip', `Cannot process floating IP association with ${wanted}, since that is not an IPv4 address`);
    const found = addresses.find((address) => address.ip_address === canonicalIp(wanted));
    if (!found) throw badRequest('floatingip', `Port ${port.id} does not have fixed ip ${wanted}`);
    return { ip: found.ip_address, subnetId: found.subnet_id };
  }
  const v4 = addresses.filter((address) => address.ip_key.length === 8);
  if (v4.length === 0) throw badRequest('floatingip', `Cannot add floating IP to port ${port.id} that has no fixed IPv4 addresses`);
  if (v4.length > 1) {
    throw badRequest('floatingip', `Port ${port.id} has multiple fixed IPv4 addresses.  Must provide a specific IPv4 address when assigning a floating IP`);
  }
  return { ip: v4[0]?.ip_address as string, subnetId: v4[0]?.subnet_id as string };
}

export async function listFloatingIps(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  const db = app.env.store.read;
  return floatingIpViews(db, await selectPage(db, floatingIpLists, input, scopeOf(ctx)));
}

export async function getFloatingIp(app: NeutronApp, ctx: Context, id: string): Promise<Loaded> {
  return (await loadFloatingIp(app.env.store.read, ctx, id)).loaded;
}

/** A floating IP that the caller may see. */
export async function loadFloatingIp(db: Db, ctx: Context, id: string): Promise<{ row: FloatingIpRow; loaded: Loaded }> {
  const row = await selectOne<FloatingIpRow>(db, floatingIpLists, id, scopeOf(ctx));
  if (!row) throw floatingIpNotFound(id);
  const [loaded] = await floatingIpViews(db, [row]);
  return { row, loaded: loaded as Loaded };
}

export function updateFloatingIpById(app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadFloatingIp(tx, ctx, id);
    authorizeUpdate(app, ctx, FLOATINGIP, loaded, values);
    checkRevision(row, ifMatch);
    if (isSet(values.port_id)) await requireNoForwarding(tx, row);
    const forwards = row.fixed_port_id === null && row.router_id !== null;
    const goal = forwards ? { fixed_port_id: null, fixed_ip_address: null, router_id: row.router_id } : await association(tx, ctx, row, values);
    await updateFloatingIp(tx, id, {
      ...changed(app, row),
      ...goal,
      ...(goal.fixed_port_id === null && !forwards && { status: 'DOWN' }),
      ...('description' in values && { description: String(values.description) }),
      ...('qos_policy_id' in values && { qos_policy_id: await chosenPolicy(tx, ctx, values.qos_policy_id as string | null, row.qos_policy_id) }),
    });
    const after = await loadFloatingIp(tx, ctx, id);
    await notify(app, tx, ctx, 'floatingip', 'update', after.loaded);
    app.pusher.touch(
      tx,
      [row.router_id, goal.router_id].flatMap((routerId) => (routerId === null ? [] : [routerKey(routerId)])),
    );
    return after.loaded;
  });
}

export function deleteFloatingIpById(app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined): Promise<void> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadFloatingIp(tx, ctx, id);
    authorizeDelete(app, ctx, FLOATINGIP, loaded);
    checkRevision(row, ifMatch);
    await requireNoForwarding(tx, row);
    await removeFloatingIp(app, tx, ctx, row);
  });
}

async function removeFloatingIp(app: NeutronApp, tx: Tx, ctx: Context, row: FloatingIpRow): Promise<void> {
  const [loaded] = await floatingIpViews(tx, [row]);
  await deleteFloatingIpRow(tx, row.id);
  if (row.tags_json !== '[]') await dropTags(tx, row.id);
  const port = await findPort(tx, row.floating_port_id);
  if (port) await removePort(app, tx, systemContext(ctx.requestId), port);
  await notify(app, tx, ctx, 'floatingip', 'delete', loaded as Loaded);
  if (row.router_id !== null) app.pusher.touch(tx, [routerKey(row.router_id)]);
}

/** Floating IPs that lead nowhere go with their network. */
export async function removeDisassociatedFloatingIps(app: NeutronApp, tx: Tx, ctx: Context, networkId: string): Promise<void> {
  for (const row of await disassociatedOf(tx, networkId)) await removeFloatingIp(app, tx, ctx, row);
}
