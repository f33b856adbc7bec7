import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toBit, toJson } from '@cairn/kit/store/values';
import { authorizeChange } from '../attributes/authorize.ts';
import { isSet, NOT_SPECIFIED } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { badRequest, invalidRoutes, overQuota, routerInUse, routerNotFound } from '../errors.ts';
import { routerKey } from '../fabric/keys.ts';
import type { ListInput } from '../listing/query.ts';
import { contains, mustCidr } from '../net/cidr.ts';
import { mustIp } from '../net/ip.ts';
import { pyStr } from '../net/python-text.ts';
import { MAX_ROUTES } from '../options.ts';
import { ROUTER } from '../resources/router.ts';
import { ROUTER_INTERFACE_OWNERS, updatePort } from '../store/ports.ts';
import { deleteRouterRow, insertRouter, routerLists, updateRouter } from '../store/routers.ts';
import { deleteRowsOf } from '../store/rows.ts';
import { selectOne, selectPage } from '../store/select.ts';
import { fullSubnetsOfNetworks, subnetsByIds } from '../store/subnets.ts';
import type { RouterRow } from '../store/tables.ts';
import { dropTags } from '../store/tags.ts';
import { authorizeDelete, authorizeUpdate, changed, checkRevision, type Loaded, newRow, notify, scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { checkRouterFlavor } from './flavors.ts';
import { checkGatewayChange, followChange, startProxying } from './ndp-state.ts';
import { checkQuotas } from './quota.ts';
import { gatewayOf, setGateway } from './router-gateway.ts';
import { changeGatewayPorts, gatewayRules, gatewaysOfBody, type GatewayVerb, removeAllGateways } from './router-gateways.ts';
import { settleStandbys } from './router-hosts.ts';
import { interfaceOwner, portsOfRouter } from './router-subnets.ts';
import { routerViews } from './router-view.ts';
import { requireZones } from './zones.ts';

export interface Route {
  readonly destination: string;
  readonly nexthop: string;
}

export async function createRouters(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  for (const values of items) {
    authorizeChange(app.policy, ctx, ROUTER, 'create', values, values);
    requireZones(app, values.availability_zone_hints as readonly string[]);
  }
  return app.env.store.write(async (tx) => {
    await checkQuotas(
      app,
      tx,
      'router',
      items.map((values) => String(values.project_id)),
    );
    const rows: RouterRow[] = [];
    for (const values of items) {
      const row: RouterRow = {
        ...newRow(app, values),
        name: String(values.name),
        admin_state_up: toBit(values.admin_state_up === true),
        status: 'ACTIVE',
        enable_snat: 1,
        distributed: toBit(isSet(values.distributed) && values.distributed === true),
        ha: toBit(isSet(values.ha) && values.ha === true),
        gw_port_id: null,
        gw_network_id: null,
        routes_json: '[]',
        az_hints_json: toJson(values.availability_zone_hints),
        tags_json: '[]',
        qos_policy_id: null,
        l3_away: 0,
        default_route_ecmp: toBit(values.enable_default_route_ecmp === true),
        default_route_bfd: toBit(values.enable_default_route_bfd === true),
        flavor_id: await flavorOf(tx, values),
      };
      await insertRouter(tx, row);
      const gateway = gatewayOf(values.external_gateway_info);
      if (gateway) await setGateway(app, tx, ctx, row, gateway);
      await startProxying(tx, row, values);
      rows.push(row);
    }
    const made = await routerViews(app, tx, rows);
    for (const loaded of made) await notify(app, tx, ctx, 'router', 'create', loaded);
    app.pusher.touch(
      tx,
      rows.map((row) => routerKey(row.id)),
    );
    return made;
  });
}

/** The flavor that a new router is to have; it must lead to somebody who makes such routers. */
async function flavorOf(tx: Tx, values: Values): Promise<string | null> {
  if (values.flavor_id === NOT_SPECIFIED || values.flavor_id === undefined) return null;
  const id = pyStr(values.flavor_id);
  await checkRouterFlavor(tx, id, values);
  return id;
}

export async function listRouters(app: NeutronApp, ctx: Context, input: ListInput): Promise<Loaded[]> {
  const db = app.env.store.read;
  return routerViews(app, db, await selectPage(db, routerLists, input, scopeOf(ctx)));
}

export async function getRouter(app: NeutronApp, ctx: Context, id: string): Promise<Loaded> {
  return (await loadRouter(app, app.env.store.read, ctx, id)).loaded;
}

/** A router that the caller may see. */
export async function loadRouter(app: NeutronApp, db: Db, ctx: Context, id: string): Promise<{ row: RouterRow; loaded: Loaded }> {
  const row = await selectOne<RouterRow>(db, routerLists, id, scopeOf(ctx));
  if (!row) throw routerNotFound(id);
  const [loaded] = await routerViews(app, db, [row]);
  return { row, loaded: loaded as Loaded };
}

export function updateRouterById(app: NeutronApp, ctx: Context, id: string, values: Values, ifMatch: number | undefined): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadRouter(app, tx, ctx, id);
    authorizeUpdate(app, ctx, ROUTER, loaded, values);
    checkRevision(row, ifMatch);
    return changeRouter(app, tx, ctx, row, values);
  });
}

/** Changes a router as `values` (attributes of the API) say. */
export async function changeRouter(app: NeutronApp, tx: Tx, ctx: Context, row: RouterRow, values: Values): Promise<Loaded> {
  const distributed = isSet(values.distributed) ? toBit(values.distributed === true) : row.distributed;
  const ha = isSet(values.ha) ? toBit(values.ha === true) : row.ha;
  // down before the change and after it (router-admin-state-down-before-update)
  if (distributed !== row.distributed && (row.admin_state_up === 1 || values.admin_state_up === true)) {
    throw badRequest('router', "Cannot change the 'distributed' attribute of active routers. Please set router admin_state_up to False prior to upgrade");
  }
  if (ha !== row.ha && ('admin_state_up' in values ? values.admin_state_up === true : row.admin_state_up === 1)) {
    throw badRequest('router', 'Cannot change HA attribute of active routers. Please set router admin_state_up to False prior to upgrade');
  }
  const routes = 'routes' in values ? (values.routes as readonly Route[]) : undefined;
  if (routes) await checkRoutes(tx, row, routes);
  const gateway = gatewayOf(values.external_gateway_info);
  if (gateway !== undefined) {
    await checkGatewayChange(tx, row, gateway, values);
    await setGateway(app, tx, ctx, row, gateway);
    const kept = routes ?? fromJson<Route[]>(row.routes_json);
    if (kept.length > 0) await checkRoutes(tx, row, kept);
  }
  await updateRouter(tx, row.id, {
    ...changed(app, row),
    distributed,
    ...('name' in values && { name: String(values.name) }),
    ...('description' in values && { description: String(values.description) }),
    ...('admin_state_up' in values && { admin_state_up: toBit(values.admin_state_up === true) }),
    ha,
    ...(isSet(values.enable_default_route_ecmp) && { default_route_ecmp: toBit(values.enable_default_route_ecmp === true) }),
    ...(isSet(values.enable_default_route_bfd) && { default_route_bfd: toBit(values.enable_default_route_bfd === true) }),
    ...(routes && { routes_json: toJson(routes) }),
  });
  if (ha !== row.ha || distributed !== row.distributed) await changeOwners(app, tx, row.id, interfaceOwner({ ha, distributed }));
  if (ha !== row.ha) await settleStandbys(app, tx, { ...row, ha });
  await followChange(tx, row, values);
  const after = await loadRouter(app, tx, ctx, row.id);
  await notify(app, tx, ctx, 'router', 'update', after.loaded);
  app.pusher.touch(tx, [routerKey(row.id)]);
  return after.loaded;
}

/** A router that becomes one of another kind shows it in its interfaces (l3_db._migrate_router_ports). */
async function changeOwners(app: NeutronApp, tx: Tx, routerId: string, owner: string): Promise<void> {
  const { ports } = await portsOfRouter(tx, routerId);
  for (const port of ports)
    if (ROUTER_INTERFACE_OWNERS.includes(port.device_owner) && port.device_owner !== owner)
      await updatePort(tx, port.id, { device_owner: owner, ...changed(app, port) });
}

/** Routes lead to neighbours: an address of a network that the router is on, and none of its own (extraroute_db.py). */
async function checkRoutes(tx: Tx, row: RouterRow, routes: readonly Route[]): Promise<void> {
  if (routes.length > MAX_ROUTES) throw overQuota(['router_route']);
  if (routes.length === 0) return;
  const { ports, addresses } = await portsOfRouter(tx, row.id);
  const gatewayNetworks = ports.filter((port) => port.device_owner === 'network:router_gateway').map((port) => port.network_id);
  const subnets = [
    ...(await subnetsByIds(tx, [...new Set(addresses.map((address) => address.subnet_id))])),
    ...(await fullSubnetsOfNetworks(tx, gatewayNetworks)),
  ];
  const cidrs = subnets.map((subnet) => mustCidr(subnet.cidr));
  const own = new Set(addresses.map((address) => address.ip_address));
  for (const route of routes) {
    if (!cidrs.some((cidr) => contains(cidr, mustIp(route.nexthop)))) throw invalidRoutes(routes, 'the nexthop is not connected with router');
    if (own.has(route.nexthop)) throw invalidRoutes(routes, 'the nexthop is used by router');
  }
}

export function deleteRouterById(app: NeutronApp, ctx: Context, id: string, ifMatch: number | undefined): Promise<void> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadRouter(app, tx, ctx, id);
    authorizeDelete(app, ctx, ROUTER, loaded);
    checkRevision(row, ifMatch);
    const { ports } = await portsOfRouter(tx, id);
    const attached = ports.filter((port) => ROUTER_INTERFACE_OWNERS.includes(port.device_owner));
    if (attached.length > 0) throw routerInUse(id, `has ports still attached: ${attached.map((port) => port.id).join(', ')}`);
    await removeAllGateways(app, tx, ctx, row);
    await deleteRowsOf(tx, 'neutron_conntrack_helper', 'router_id', id);
    await deleteRowsOf(tx, 'neutron_meter_reading', 'router_id', id);
    await deleteRowsOf(tx, 'neutron_router_host', 'router_id', id);
    await deleteRouterRow(tx, id);
    if (row.tags_json !== '[]') await dropTags(tx, id);
    await notify(app, tx, ctx, 'router', 'delete', loaded);
    app.pusher.touch(tx, [routerKey(id)]);
  });
}

/** add_extraroutes and remove_extraroutes: routes in, the router out. */
export function changeRoutes(app: NeutronApp, ctx: Context, id: string, body: unknown, change: 'add' | 'remove'): Promise<Loaded> {
  const rule = `${change}_extraroutes`;
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadRouter(app, tx, ctx, id);
    authorizeDelete(app, ctx, ROUTER, loaded, rule);
    const given = routesOfBody(body);
    const old = fromJson<Route[]>(row.routes_json);
    const same = (a: Route, b: Route): boolean => a.destination === b.destination && a.nexthop === b.nexthop;
    const routes =
      change === 'add'
        ? [...old, ...given.filter((route) => !old.some((known) => same(known, route)))]
        : old.filter((route) => !given.some((gone) => same(gone, route)));
    return changeRouter(app, tx, ctx, row, { routes });
  });
}

/** add_external_gateways, update_external_gateways and remove_external_gateways: gateways in, the router out. */
export function changeGateways(app: NeutronApp, ctx: Context, id: string, body: unknown, verb: GatewayVerb): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    const { row, loaded } = await loadRouter(app, tx, ctx, id);
    authorizeDelete(app, ctx, ROUTER, loaded, `${verb}_external_gateways`);
    const gateways = gatewaysOfBody(body);
    if (!gateways) return loaded;
    for (const rule of gatewayRules(gateways, verb)) authorizeDelete(app, ctx, ROUTER, loaded, rule);
    await changeGatewayPorts(app, tx, ctx, row, gateways, verb);
    const routes = fromJson<Route[]>(row.routes_json);
    if (routes.length > 0) await checkRoutes(tx, row, routes);
    return changeRouter(app, tx, ctx, row, {});
  });
}

function routesOfBody(body: unknown): Route[] {
  const routes = (body as { router?: { routes?: unknown } } | null | undefined)?.router?.routes;
  const reason = Array.isArray(routes) ? ROUTER.attributes.routes?.validate?.(routes) : `Invalid data format for hostroute: 'None'`;
  if (reason !== undefined) throw invalidRoutes(routes, reason);
  return routes as Route[];
}
