import type { Context } from '@cairn/kit/context/context';
import { systemContext } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { orNoData } from '../attributes/validators.ts';
import { gatewayInUseByFloatingIp, httpBadRequest, unableToMatchGateways, unableToRemoveGateways } from '../errors.ts';
import { canonicalIp } from '../net/ip.ts';
import { ROUTER } from '../resources/router.ts';
import { routerUsesNetworkForFloating } from '../store/floatingips.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { gatewayPortsOf, updateRouter } from '../store/routers.ts';
import type { PortRow, RouterRow } from '../store/tables.ts';
import type { NeutronApp } from './deps.ts';
import { removePort } from './port-removal.ts';
import { changePort } from './port-update.ts';
import { addGatewayPort, externalNetwork, type GatewayInfo, setGateway } from './router-gateway.ts';

/**
 * Several gateways of a router (neutron/db/l3_extra_gws_db.py). The first is the one of `external_gateway_info`; each is a port of its own.
 * A gateway is named by its network and, where that is not enough, by an address.
 */

type NamedGateway = GatewayInfo & { readonly network_id: string };
export type GatewayVerb = 'add' | 'update' | 'remove';

/** Does what add_external_gateways, update_external_gateways or remove_external_gateways asks. Changes `row` to what is then true. */
export async function changeGatewayPorts(
  app: NeutronApp,
  tx: Tx,
  ctx: Context,
  row: RouterRow,
  gateways: readonly NamedGateway[],
  verb: GatewayVerb,
): Promise<void> {
  const change = { app, tx, ctx, row };
  if (verb === 'add') await add(change, gateways);
  else if (verb === 'remove') await remove(change, gateways);
  else await update(change, gateways);
}

/** The rules that a change asks (neutron/conf/policies/router.py). */
export function gatewayRules(gateways: readonly NamedGateway[], verb: GatewayVerb): readonly string[] {
  const rule = `${verb}_external_gateways:external_gateways`;
  const keys = verb === 'remove' ? [] : RULED.filter((key) => gateways.some((gateway) => key in gateway));
  return [rule, ...keys.map((key) => `${rule}:${key}`)];
}

const RULED = ['network_id', 'enable_snat', 'external_fixed_ips'] as const;

/** `{"router": {"external_gateways": [...]}}`; undefined where it says nothing of them. */
export function gatewaysOfBody(body: unknown): readonly NamedGateway[] | undefined {
  const router = (body as { router?: unknown } | null | undefined)?.router;
  if (router === undefined) throw httpBadRequest("Unable to find 'router' in request body");
  if (router === null || typeof router !== 'object' || Array.isArray(router)) throw httpBadRequest("Object 'router' contains invalid data");
  const unknown = Object.keys(router).filter((name) => !Object.hasOwn(ROUTER.attributes, name));
  if (unknown.length > 0) throw httpBadRequest(`Unrecognized attribute(s) '${unknown.join(', ')}'`);
  if (!('external_gateways' in router)) return undefined;
  const reason = orNoData(gatewayList)(router.external_gateways);
  if (reason !== undefined) throw httpBadRequest(`Invalid input for external_gateways. Reason: ${reason}.`);
  // `{}`, as the command line client says it, is none too
  return Array.isArray(router.external_gateways) ? (router.external_gateways as NamedGateway[]) : [];
}

function gatewayList(value: unknown): string | undefined {
  if (!Array.isArray(value)) return `'${typeof value}' is not a list`;
  for (const info of value) {
    const reason = info && Object.keys(info).length > 0 ? ROUTER.attributes.external_gateway_info?.validate?.(info) : 'A gateway has a network_id';
    if (reason !== undefined) return reason;
  }
  return undefined;
}

interface Change {
  readonly app: NeutronApp;
  readonly tx: Tx;
  readonly ctx: Context;
  readonly row: RouterRow;
}

async function add({ app, tx, ctx, row }: Change, gateways: readonly NamedGateway[]): Promise<void> {
  for (const gateway of gateways) {
    if (row.gw_port_id === null) await setGateway(app, tx, ctx, row, gateway);
    else {
      const wanted = gateway.external_fixed_ips ?? [];
      const network = await externalNetwork(tx, ctx, gateway.network_id, wanted);
      await addGatewayPort(app, tx, ctx, row, network, wanted);
    }
  }
}

async function remove(change: Change, gateways: readonly NamedGateway[]): Promise<void> {
  const { app, tx, ctx, row } = change;
  if (gateways.length === 0) return;
  if (row.gw_port_id === null) throw unableToRemoveGateways(row.id, 'the router does not have any external gateways');
  for (const gateway of gateways) await externalNetwork(tx, ctx, gateway.network_id, gateway.external_fixed_ips ?? []);
  const { matched, missing } = await match(tx, row, gateways, true);
  if (missing.length > 0) throw unableToMatchGateways(row.id, `there is none on the networks ${missing.map((gateway) => gateway.network_id).join(', ')}`);
  for (const port of matched.keys()) if (port.id !== row.gw_port_id) await removeFurther(change, port);
  // the first goes last: what is left of the others takes its place
  if ([...matched.keys()].some((port) => port.id === row.gw_port_id)) await setGateway(app, tx, ctx, row, null);
}

async function update(change: Change, gateways: readonly NamedGateway[]): Promise<void> {
  const { app, tx, ctx, row } = change;
  const [first, ...rest] = gateways;
  if (!first) {
    await removeAllGateways(app, tx, ctx, row);
    return;
  }
  for (const gateway of gateways) await externalNetwork(tx, ctx, gateway.network_id, gateway.external_fixed_ips ?? []);
  const [there] = (await match(tx, row, [first], false)).matched.keys();
  if (there && there.id !== row.gw_port_id) await makeFirst(tx, row, there);
  await setGateway(app, tx, ctx, row, first);
  const { matched, missing } = await match(tx, row, rest, false);
  for (const [port, gateway] of matched)
    if (gateway.external_fixed_ips?.length) await changePort(app, tx, systemContext(ctx.requestId), port, { fixed_ips: gateway.external_fixed_ips });
  const kept = new Set([...matched.keys()].map((port) => port.id));
  for (const port of await gatewayPortsOf(tx, row.id)) if (port.id !== row.gw_port_id && !kept.has(port.id)) await removeFurther(change, port);
  await add(change, missing);
}

/** Finds the ports that are meant: the only one on the network, or the one that has one of the addresses. */
async function match(
  tx: Tx,
  row: RouterRow,
  gateways: readonly NamedGateway[],
  strict: boolean,
): Promise<{ readonly matched: ReadonlyMap<PortRow, NamedGateway>; readonly missing: readonly NamedGateway[] }> {
  const ports = await gatewayPortsOf(tx, row.id);
  const addresses = await allocationsOfPorts(
    tx,
    ports.map((port) => port.id),
  );
  const matched = new Map<PortRow, NamedGateway>();
  const missing: NamedGateway[] = [];
  for (const gateway of gateways) {
    const there = ports.filter((port) => port.network_id === gateway.network_id);
    const asked = new Set((gateway.external_fixed_ips ?? []).flatMap((fixed) => (fixed.ip_address ? [canonicalIp(fixed.ip_address)] : [])));
    if (there.length === 0) missing.push(gateway);
    else if (!gateway.external_fixed_ips?.length) {
      if (there.length > 1) throw unableToMatchGateways(row.id, `there are several on the network ${gateway.network_id}, and no external_fixed_ips say which`);
      matched.set(there[0] as PortRow, gateway);
    } else {
      const port = there.find((each) => addresses.some((address) => address.port_id === each.id && asked.has(address.ip_address)));
      if (port) matched.set(port, gateway);
      else if (strict) throw unableToMatchGateways(row.id, `there is none on the network ${gateway.network_id} with the addresses ${[...asked].join(', ')}`);
      else missing.push(gateway);
    }
  }
  return { matched, missing };
}

/** Takes away a gateway that is not the first. Refused while floating IPs of its network need it. */
async function removeFurther({ app, tx, ctx, row }: Change, port: PortRow): Promise<void> {
  const others = (await gatewayPortsOf(tx, row.id)).filter((each) => each.network_id === port.network_id && each.id !== port.id);
  if (others.length === 0 && (await routerUsesNetworkForFloating(tx, row.id, port.network_id))) throw gatewayInUseByFloatingIp(row.id, port.network_id);
  await removePort(app, tx, systemContext(ctx.requestId), port);
}

/** Takes all gateways of a router away. */
export async function removeAllGateways(app: NeutronApp, tx: Tx, ctx: Context, row: RouterRow): Promise<void> {
  for (const port of await gatewayPortsOf(tx, row.id)) if (port.id !== row.gw_port_id) await removeFurther({ app, tx, ctx, row }, port);
  if (row.gw_port_id !== null) await setGateway(app, tx, ctx, row, null);
}

async function makeFirst(tx: Tx, row: RouterRow, port: PortRow): Promise<void> {
  row.gw_port_id = port.id;
  row.gw_network_id = port.network_id;
  await updateRouter(tx, row.id, { gw_port_id: port.id, gw_network_id: port.network_id });
}
