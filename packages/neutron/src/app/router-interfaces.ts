import type { Context } from '@cairn/kit/context/context';
import { isAdmin, systemContext } from '@cairn/kit/context/context';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import {
  badRequest,
  interfaceInUseByFloatingIp,
  interfaceInUseByRoute,
  networkNotFound,
  portInUse,
  portNotFound,
  routerInterfaceNotFound,
  routerInterfaceNotFoundForSubnet,
  subnetMismatchForPort,
  subnetNotFound,
} from '../errors.ts';
import { networkKey, routerKey } from '../fabric/keys.ts';
import { contains, mustCidr } from '../net/cidr.ts';
import { isDelegated } from '../net/delegated.ts';
import { mustIp } from '../net/ip.ts';
import { ROUTER } from '../resources/router.ts';
import { floatingIpsOfRouters } from '../store/floatingips.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { forwardingsOfFloatingIps } from '../store/port-forwardings.ts';
import { findNetwork } from '../store/networks.ts';
import { findPort, portLists } from '../store/ports.ts';
import { sharedAmong } from '../store/rbac.ts';
import { selectOne } from '../store/select.ts';
import { subnetLists, subnetsByIds } from '../store/subnets.ts';
import type { PortRow, RouterRow, SubnetRow } from '../store/tables.ts';
import { updateRouter } from '../store/routers.ts';
import { authorizeDelete, changed, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { requireNoProxyOn } from './ndp-state.ts';
import { makePort } from './port-creation.ts';
import { poolsOf } from './port-addresses.ts';
import { removePort } from './port-removal.ts';
import { changePort } from './port-update.ts';
import { checkQuota } from './quota.ts';
import { yieldPrefix } from './delegated-prefixes.ts';
import { hostForRouter } from './router-hosts.ts';
import { interfaceOwner, portsOfRouter, requireNoOverlap } from './router-subnets.ts';
import type { Route } from './routers.ts';
import { loadRouter } from './routers.ts';

/** What add_router_interface and remove_router_interface answer. */
export interface InterfaceInfo {
  readonly id: string;
  readonly tenant_id: string;
  readonly project_id: string;
  readonly port_id: string;
  readonly network_id: string;
  readonly subnet_id: string | undefined;
  readonly subnet_ids: readonly string[];
}

interface Asked {
  readonly portId?: string;
  readonly subnetId?: string;
}

function readBody(body: unknown, removal: boolean): Asked {
  const info = (body !== null && typeof body === 'object' ? body : {}) as Record<string, unknown>;
  const [hasPort, hasSubnet] = ['port_id', 'subnet_id'].map((key) => Object.hasOwn(info, key)) as [boolean, boolean];
  if (!hasPort && !hasSubnet) throw badRequest('router', 'Either subnet_id or port_id must be specified');
  for (const key of ['port_id', 'subnet_id']) {
    if (Object.hasOwn(info, key) && !isUuidLike(info[key])) throw badRequest('router', `'${info[key]}' is not a valid UUID`);
  }
  if (!removal && hasPort && hasSubnet) throw badRequest('router', 'Cannot specify both subnet-id and port-id');
  return { ...(hasPort && { portId: String(info.port_id) }), ...(hasSubnet && { subnetId: String(info.subnet_id) }) };
}

/** A change of a router's interfaces: policy, then the work, then what follows from it. */
function change(
  app: NeutronApp,
  ctx: Context,
  routerId: string,
  verb: 'add' | 'remove',
  work: (tx: Tx, router: RouterRow) => Promise<{ port: PortRow; subnets: readonly SubnetRow[] }>,
): Promise<InterfaceInfo> {
  return app.env.store.write(async (tx) => {
    const { row: router, loaded } = await loadRouter(app, tx, ctx, routerId);
    authorizeDelete(app, ctx, ROUTER, loaded, `${verb}_router_interface`);
    const { port, subnets } = await work(tx, router);
    await updateRouter(tx, routerId, changed(app, router));
    if (verb === 'remove') for (const subnet of subnets) await yieldPrefix(app, tx, ctx, routerId, subnet);
    const info: InterfaceInfo = {
      id: routerId,
      tenant_id: port.project_id,
      project_id: port.project_id,
      port_id: port.id,
      network_id: port.network_id,
      subnet_id: (verb === 'add' ? subnets.at(-1) : subnets[0])?.id,
      subnet_ids: subnets.map((subnet) => subnet.id),
    };
    await app.env.events.emit(tx, {
      type: `router.interface.${verb === 'add' ? 'create' : 'delete'}`,
      projectId: router.project_id,
      userId: ctx.userId,
      requestId: ctx.requestId,
      resource: 'router',
      resourceId: routerId,
      payload: { router_interface: info },
    });
    app.pusher.touch(tx, [routerKey(routerId), networkKey(port.network_id)]);
    return info;
  });
}

export function addInterface(app: NeutronApp, ctx: Context, routerId: string, body: unknown): Promise<InterfaceInfo> {
  const asked = readBody(body, false);
  return change(app, ctx, routerId, 'add', (tx, router) =>
    asked.portId === undefined ? addBySubnet(app, tx, ctx, router, String(asked.subnetId)) : addByPort(app, tx, ctx, router, asked.portId),
  );
}

async function addByPort(app: NeutronApp, tx: Tx, ctx: Context, router: RouterRow, portId: string): Promise<{ port: PortRow; subnets: SubnetRow[] }> {
  const port = await selectOne<PortRow>(tx, portLists, portId, scopeOf(ctx));
  if (!port) throw portNotFound(portId);
  if (port.device_id !== '') throw portInUse(port.id, port.network_id, port.device_id);
  const addresses = await allocationsOfPorts(tx, [portId]);
  if (addresses.length === 0) throw badRequest('router', 'Router port must have at least one fixed IP');
  const subnets = await subnetsByIds(tx, [...new Set(addresses.map((address) => address.subnet_id))]);
  subnets.forEach(refuseForeignAdvertisements);
  await requireOneIpv6Port(tx, router, port, subnets);
  await requireNoOverlap(tx, router, subnets, portId);
  if (subnets.filter((subnet) => subnet.ip_version === 4).length > 1) throw badRequest('router', 'Cannot have multiple IPv4 subnets on router port');
  if (!isAdmin(ctx)) {
    for (const address of addresses) {
      const subnet = subnets.find((candidate) => candidate.id === address.subnet_id) as SubnetRow;
      const value = mustIp(address.ip_address).value;
      if (subnet.project_id !== ctx.projectId && !poolsOf(subnet).some((pool) => pool.first <= value && value <= pool.last)) {
        throw badRequest(
          'router',
          `Cannot add interface to router because specified port ${portId} has an IP address out of the allocation pool of subnet ${subnet.id}, which is not owned by the project making the request`,
        );
      }
    }
  }
  await changePort(app, tx, systemContext(ctx.requestId), port, {
    device_id: router.id,
    device_owner: interfaceOwner(router),
    'binding:host_id': await hostForRouter(app, tx, router),
  });
  return { port, subnets };
}

function refuseForeignAdvertisements(subnet: SubnetRow): void {
  if (subnet.ip_version === 6 && subnet.ipv6_ra_mode === null && subnet.ipv6_address_mode !== null) {
    throw badRequest('router', `IPv6 subnet ${subnet.id} configured to receive RAs from an external router cannot be added to Neutron Router.`);
  }
}

/** IPv6 subnets of one network share one port of a router. */
async function requireOneIpv6Port(tx: Tx, router: RouterRow, port: PortRow, subnets: readonly SubnetRow[]): Promise<void> {
  if (!subnets.some((subnet) => subnet.ip_version === 6)) return;
  const other = await ipv6PortOn(tx, router, port.network_id);
  if (!other || other.id === port.id) return;
  throw badRequest(
    'router',
    `Router already contains IPv6 port ${other.id} belonging to network id ${other.network_id}. Only one IPv6 port from the same network subnet can be connected to a router.`,
  );
}

async function ipv6PortOn(tx: Tx, router: RouterRow, networkId: string): Promise<PortRow | undefined> {
  const { ports, addresses } = await portsOfRouter(tx, router.id);
  const owner = interfaceOwner(router);
  return ports.find(
    (port) =>
      port.network_id === networkId && port.device_owner === owner && addresses.some((address) => address.port_id === port.id && address.ip_key.length === 32),
  );
}

async function addBySubnet(app: NeutronApp, tx: Tx, ctx: Context, router: RouterRow, subnetId: string): Promise<{ port: PortRow; subnets: SubnetRow[] }> {
  const subnet = await selectOne<SubnetRow>(tx, subnetLists, subnetId, scopeOf(ctx));
  if (!subnet) throw subnetNotFound(subnetId);
  if (!subnet.gateway_ip) throw badRequest('router', 'Subnet for router interface must have a gateway IP');
  if (subnet.project_id !== ctx.projectId && !isAdmin(ctx) && !(await sharedAmong(tx, [subnet.network_id], ctx.projectId)).has(subnet.network_id)) {
    throw badRequest('router', `Cannot add interface to router because subnet ${subnetId} is not owned by project making the request`);
  }
  refuseForeignAdvertisements(subnet);
  await requireNoOverlap(tx, router, [subnet]);
  const fixed = { ip_address: subnet.gateway_ip, subnet_id: subnet.id };
  // a subnet whose prefix comes and goes has a port of its own, as upstream has it
  const existing = subnet.ip_version === 6 && !isDelegated(subnet) ? await ipv6PortOn(tx, router, subnet.network_id) : undefined;
  if (existing) {
    const held = await allocationsOfPorts(tx, [existing.id]);
    const kept = held.map((address) => ({ ip_address: address.ip_address, subnet_id: address.subnet_id }));
    await changePort(app, tx, systemContext(ctx.requestId), existing, { fixed_ips: [...kept, fixed] });
    return { port: existing, subnets: [subnet] };
  }
  const network = await findNetwork(tx, subnet.network_id);
  if (!network) throw networkNotFound(subnet.network_id);
  await checkQuota(app, tx, 'port', router.project_id);
  const { row } = await makePort(app, tx, systemContext(ctx.requestId), network, {
    projectId: router.project_id,
    deviceId: router.id,
    deviceOwner: interfaceOwner(router),
    host: await hostForRouter(app, tx, router),
    fixedIps: [fixed],
  });
  return { port: row, subnets: [subnet] };
}

export function removeInterface(app: NeutronApp, ctx: Context, routerId: string, body: unknown): Promise<InterfaceInfo> {
  const asked = readBody(body, true);
  return change(app, ctx, routerId, 'remove', (tx, router) =>
    asked.portId === undefined
      ? removeBySubnet(app, tx, ctx, router, String(asked.subnetId))
      : removeByPort(app, tx, ctx, router, asked.portId, asked.subnetId),
  );
}

async function removeByPort(
  app: NeutronApp,
  tx: Tx,
  ctx: Context,
  router: RouterRow,
  portId: string,
  subnetId: string | undefined,
): Promise<{ port: PortRow; subnets: SubnetRow[] }> {
  const port = await findPort(tx, portId);
  if (!port || port.device_id !== router.id || port.device_owner !== interfaceOwner(router)) throw routerInterfaceNotFound(router.id, portId);
  const addresses = await allocationsOfPorts(tx, [portId]);
  if (subnetId !== undefined && !addresses.some((address) => address.subnet_id === subnetId)) throw subnetMismatchForPort(portId, subnetId);
  const subnets = await subnetsByIds(tx, [...new Set(addresses.map((address) => address.subnet_id))]);
  for (const subnet of subnets) await requireUnused(tx, router, subnet);
  await removePort(app, tx, systemContext(ctx.requestId), port);
  return { port, subnets };
}

async function removeBySubnet(app: NeutronApp, tx: Tx, ctx: Context, router: RouterRow, subnetId: string): Promise<{ port: PortRow; subnets: SubnetRow[] }> {
  const subnet = await selectOne<SubnetRow>(tx, subnetLists, subnetId, scopeOf(ctx));
  if (!subnet) throw subnetNotFound(subnetId);
  const { ports, addresses } = await portsOfRouter(tx, router.id);
  const owner = interfaceOwner(router);
  const port = ports.find(
    (candidate) => candidate.device_owner === owner && addresses.some((address) => address.port_id === candidate.id && address.subnet_id === subnetId),
  );
  if (!port) throw routerInterfaceNotFoundForSubnet(router.id, subnetId);
  await requireUnused(tx, router, subnet);
  const held = addresses.filter((address) => address.port_id === port.id);
  if (held.length > 1) {
    const kept = held.filter((address) => address.subnet_id !== subnetId).map((address) => ({ ip_address: address.ip_address, subnet_id: address.subnet_id }));
    await changePort(app, tx, systemContext(ctx.requestId), port, { fixed_ips: kept });
  } else await removePort(app, tx, systemContext(ctx.requestId), port);
  return { port, subnets: [subnet] };
}

/** Neither a floating IP, a route nor an NDP proxy may need the interface. */
async function requireUnused(tx: Tx, router: RouterRow, subnet: SubnetRow): Promise<void> {
  await requireNoProxyOn(tx, router, subnet);
  const cidr = mustCidr(subnet.cidr);
  const routes = fromJson<Route[]>(router.routes_json);
  if (routes.some((route) => contains(cidr, mustIp(route.nexthop)))) throw interfaceInUseByRoute(router.id, subnet.id);
  const floating = await floatingIpsOfRouters(tx, [router.id]);
  const forwarded = await forwardingsOfFloatingIps(
    tx,
    floating.filter((row) => row.fixed_port_id === null).map((row) => row.id),
  );
  if (forwarded.some((row) => contains(cidr, mustIp(row.internal_ip_address)))) throw interfaceInUseByFloatingIp(router.id, subnet.id);
  const inside = floating.filter((row) => row.fixed_ip_address !== null && contains(cidr, mustIp(row.fixed_ip_address)));
  const addresses = await allocationsOfPorts(
    tx,
    inside.flatMap((row) => (row.fixed_port_id === null ? [] : [row.fixed_port_id])),
  );
  if (addresses.some((address) => address.subnet_id === subnet.id)) throw interfaceInUseByFloatingIp(router.id, subnet.id);
}
