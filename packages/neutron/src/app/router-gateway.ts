import type { Context } from '@cairn/kit/context/context';
import { systemContext } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { toBit } from '@cairn/kit/store/values';
import { isSet, type NotSpecified } from '../attributes/attribute.ts';
import { badRequest, gatewayInUseByFloatingIp, networkNotFound } from '../errors.ts';
import { routerKey } from '../fabric/keys.ts';
import { canonicalIp } from '../net/ip.ts';
import { routerHasFloatingIps } from '../store/floatingips.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { networkLists } from '../store/networks.ts';
import { findPort } from '../store/ports.ts';
import { gatewayPortsOf, routersByGateway, updateRouter } from '../store/routers.ts';
import { selectOne } from '../store/select.ts';
import { subnetsOfNetwork } from '../store/subnets.ts';
import type { NetworkRow, PortRow, RouterRow, SubnetRow } from '../store/tables.ts';
import { scopeOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { yieldPrefixes } from './delegated-prefixes.ts';
import { stopProxying } from './ndp-state.ts';
import { makePort } from './port-creation.ts';
import { type FixedIpRequest, isAutoAddress } from './port-addresses.ts';
import { removePort } from './port-removal.ts';
import { chosenPolicy } from './qos-policies.ts';
import { changePort } from './port-update.ts';
import { hostForRouter } from './router-hosts.ts';
import { requireNoOverlap } from './router-subnets.ts';

/** `external_gateway_info` as a client gives it. */
export interface GatewayInfo {
  readonly network_id?: string;
  readonly enable_snat?: boolean;
  readonly external_fixed_ips?: readonly FixedIpRequest[];
  readonly qos_policy_id?: string | null;
}

/** Sets, changes or (null) takes away a router's gateway. Changes `row` to what is then true. */
export async function setGateway(app: NeutronApp, tx: Tx, ctx: Context, row: RouterRow, info: GatewayInfo | null): Promise<void> {
  row.enable_snat = toBit(info?.enable_snat ?? true);
  row.qos_policy_id = await gatewayPolicyOf(tx, ctx, row, info);
  await updateRouter(tx, row.id, { enable_snat: row.enable_snat, qos_policy_id: row.qos_policy_id });
  const wanted = info?.external_fixed_ips ?? [];
  const networkId = info?.network_id ?? null;
  const network = networkId === null ? undefined : await externalNetwork(tx, ctx, networkId, wanted);
  const port = row.gw_port_id === null ? undefined : await findPort(tx, row.gw_port_id);
  app.pusher.touch(tx, [routerKey(row.id)]);
  if (port && port.network_id === networkId) {
    if (await addressesDiffer(tx, port, wanted)) await changePort(app, tx, agent(ctx), port, { fixed_ips: wanted });
    return;
  }
  if (port) await removeGateway(app, tx, ctx, row, port);
  const first = network ? await addGatewayPort(app, tx, ctx, row, network, wanted) : (await gatewayPortsOf(tx, row.id))[0];
  if (!first) return;
  // without a gateway of its own, a further one takes its place
  row.gw_port_id = first.id;
  row.gw_network_id = first.network_id;
  await updateRouter(tx, row.id, { gw_port_id: first.id, gw_network_id: first.network_id });
}

/** A gateway keeps its policy until another one is named, or none, or the gateway goes. */
async function gatewayPolicyOf(tx: Tx, ctx: Context, row: RouterRow, info: GatewayInfo | null): Promise<string | null> {
  if (!info?.network_id) return null;
  return info.qos_policy_id === undefined ? row.qos_policy_id : chosenPolicy(tx, ctx, info.qos_policy_id, row.qos_policy_id);
}

const agent = (ctx: Context): Context => systemContext(ctx.requestId);

/** An external network that the caller sees, without the addresses that belong to its gateways. */
export async function externalNetwork(tx: Tx, ctx: Context, networkId: string, wanted: readonly FixedIpRequest[]): Promise<NetworkRow> {
  const network = await selectOne<NetworkRow>(tx, networkLists, networkId, scopeOf(ctx));
  if (!network) throw networkNotFound(networkId);
  if (network.external !== 1) throw badRequest('router', `Network ${networkId} is not an external network`);
  const gateways = new Set((await subnetsOfNetwork(tx, networkId)).flatMap((subnet) => (subnet.gateway_ip === null ? [] : [subnet.gateway_ip])));
  for (const { ip_address } of wanted) {
    if (ip_address !== undefined && gateways.has(canonicalIp(ip_address)))
      throw badRequest('router', `External IP ${ip_address} is the same as the gateway IP`);
  }
  return network;
}

async function addressesDiffer(tx: Tx, port: PortRow, wanted: readonly FixedIpRequest[]): Promise<boolean> {
  if (wanted.length === 0) return false;
  const held = await allocationsOfPorts(tx, [port.id]);
  const differ = (a: readonly (string | undefined)[], b: readonly string[]): boolean => {
    const [left, right] = [new Set(a.filter((text) => text !== undefined)), new Set(b)];
    return left.size !== right.size || [...left].some((text) => !right.has(text));
  };
  return (
    differ(
      wanted.map((fixed) => fixed.subnet_id),
      held.map((allocation) => allocation.subnet_id),
    ) ||
    differ(
      wanted.map((fixed) => fixed.ip_address && canonicalIp(fixed.ip_address)),
      held.map((allocation) => allocation.ip_address),
    )
  );
}

/** Takes a router's gateway away. Refused while floating IPs need it. */
export async function removeGateway(app: NeutronApp, tx: Tx, ctx: Context, row: RouterRow, port: PortRow): Promise<void> {
  if (await routerHasFloatingIps(tx, row.id)) throw gatewayInUseByFloatingIp(row.id, port.network_id);
  await stopProxying(tx, row);
  row.gw_port_id = null;
  row.gw_network_id = null;
  await updateRouter(tx, row.id, { gw_port_id: null, gw_network_id: null });
  await yieldPrefixes(app, tx, ctx, row.id);
  await removePort(app, tx, agent(ctx), port);
}

/** Makes the port of one more gateway. */
export async function addGatewayPort(
  app: NeutronApp,
  tx: Tx,
  ctx: Context,
  row: RouterRow,
  network: NetworkRow,
  wanted: readonly FixedIpRequest[],
): Promise<PortRow> {
  // a router may be on one external network several times
  const there = (await gatewayPortsOf(tx, row.id)).some((port) => port.network_id === network.id);
  if (!there) await requireNoOverlap(tx, row, await subnetsOfNetwork(tx, network.id));
  const { row: port } = await makePort(app, tx, agent(ctx), network, {
    // it belongs to nobody, so that it neither counts nor shows in the project
    projectId: '',
    deviceId: row.id,
    deviceOwner: 'network:router_gateway',
    host: await hostForRouter(app, tx, row, network),
    ...(wanted.length > 0 && { fixedIps: wanted }),
  });
  return port;
}

/** Routers on an external network get an address of a new subnet of the other IP version (l3_db._update_router_gw_port). */
export async function extendGateways(app: NeutronApp, tx: Tx, ctx: Context, network: NetworkRow, subnet: SubnetRow): Promise<void> {
  const subnets = new Map((await subnetsOfNetwork(tx, network.id)).map((other) => [other.id, other]));
  for (const router of await routersByGateway(tx, network.id)) {
    const port = router.gw_port_id === null ? undefined : await findPort(tx, router.gw_port_id);
    if (!port) continue;
    const held = await allocationsOfPorts(tx, [port.id]);
    const chosen = held.filter((allocation) => {
      const home = subnets.get(allocation.subnet_id);
      return home !== undefined && !isAutoAddress(home);
    });
    if (chosen.length > 1 || chosen.some((allocation) => subnets.get(allocation.subnet_id)?.ip_version === subnet.ip_version)) continue;
    await changePort(app, tx, agent(ctx), port, {
      fixed_ips: [...held.map((allocation) => ({ subnet_id: allocation.subnet_id, ip_address: allocation.ip_address })), { subnet_id: subnet.id }],
    });
    app.pusher.touch(tx, [routerKey(router.id)]);
  }
}

/** The gateway that a PUT or POST asks for; undefined where it says nothing. */
export const gatewayOf = (value: unknown): GatewayInfo | null | undefined =>
  value === undefined
    ? undefined
    : isSet(value as GatewayInfo | NotSpecified | null) && Object.keys(value as object).length > 0
      ? (value as GatewayInfo)
      : null;
