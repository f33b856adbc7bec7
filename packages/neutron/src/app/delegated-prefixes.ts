import { type Context, systemContext } from '@cairn/kit/context/context';
import type { Tx } from '@cairn/kit/store/store';
import { toJson } from '@cairn/kit/store/values';
import { networkKey, portKey, routerKey } from '../fabric/keys.ts';
import { mustCidr } from '../net/cidr.ts';
import { isDelegated, keyOnSubnet, PROVISIONAL_PREFIX } from '../net/delegated.ts';
import { formatIp, keyOfValue, mustIp } from '../net/ip.ts';
import { delegationsOfSubnets, dropDelegation } from '../store/delegated-prefixes.ts';
import { allocationsOfPorts, allocationsOfSubnet, moveAllocation, replacePools } from '../store/ipam.ts';
import { portsByIds, ROUTER_INTERFACE_OWNERS, updatePort } from '../store/ports.ts';
import { subnetsByIds, updateSubnet } from '../store/subnets.ts';
import type { SubnetRow } from '../store/tables.ts';
import { changed, notify } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { dropProxiesOf } from './ndp-state.ts';
import { portViews } from './port-view.ts';
import { portsOfRouter } from './router-subnets.ts';
import { defaultPools, poolTexts } from './subnet-rules.ts';
import { subnetViews } from './subnet-view.ts';

/** Subnets whose prefix the provider delegates: what becomes of them and their ports when it comes and goes. See docs/design/0028-prefix-delegation.md. */

const HOST_BITS = (1n << 64n) - 1n;

/**
 * Gives a subnet another prefix. Its gateway is the first address of it, the pools are all the rest, and each port's address keeps its last 64
 * bits: those made from MACs are then what guests make of what is announced (db_base_plugin_v2._update_subnet_postcommit).
 */
export async function setPrefix(app: NeutronApp, tx: Tx, ctx: Context, row: SubnetRow, prefix: string): Promise<void> {
  if (row.cidr === prefix) return;
  const cidr = mustCidr(prefix);
  const gatewayIp = formatIp(6, cidr.first + 1n);
  const pools = defaultPools(cidr, gatewayIp);
  const after: SubnetRow = {
    ...row,
    ...changed(app, row),
    cidr: prefix,
    first_key: keyOfValue(6, cidr.first),
    last_key: keyOfValue(6, cidr.last),
    next_key: keyOfValue(6, cidr.first),
    gateway_ip: gatewayIp,
    allocation_pools_json: toJson(poolTexts(pools)),
  };
  const { updated_at_ms, revision_number, first_key, last_key, next_key, allocation_pools_json } = after;
  await updateSubnet(tx, row.id, { updated_at_ms, revision_number, cidr: prefix, first_key, last_key, next_key, gateway_ip: gatewayIp, allocation_pools_json });
  const portIds = await moveAddresses(tx, row, after, gatewayIp);
  await replacePools(tx, row.id, 6, pools);
  const ports = await portsByIds(tx, portIds);
  for (const port of ports) {
    const bumped = changed(app, port);
    await updatePort(tx, port.id, bumped);
    Object.assign(port, bumped);
    // the address that a proxy answered for is somebody else's now
    await dropProxiesOf(app, tx, port);
  }
  for (const loaded of await portViews(app, tx, ports)) await notify(app, tx, ctx, 'port', 'update', loaded);
  const [loaded] = await subnetViews(tx, [after], undefined);
  if (loaded) await notify(app, tx, ctx, 'subnet', 'update', loaded);
  const routers = ports.filter((port) => ROUTER_INTERFACE_OWNERS.includes(port.device_owner)).map((port) => routerKey(port.device_id));
  app.pusher.touch(tx, [networkKey(row.network_id), ...portIds.map(portKey), ...routers]);
}

/** Gives the ports that have them. */
async function moveAddresses(tx: Tx, row: SubnetRow, after: SubnetRow, gatewayIp: string): Promise<string[]> {
  const { first } = mustCidr(after.cidr);
  const allocations = await allocationsOfSubnet(tx, row.id, Number.MAX_SAFE_INTEGER);
  const gateway = allocations.find((allocation) => allocation.ip_address === row.gateway_ip);
  const taken = new Set<bigint>(gateway ? [mustIp(gatewayIp).value] : []);
  for (const allocation of allocations) {
    let value = first | (mustIp(allocation.ip_address).value & HOST_BITS);
    // another router may have had the address that is the gateway's from now on
    if (allocation === gateway) value = first + 1n;
    else while (taken.has(value)) value++;
    taken.add(value);
    const ipAddress = formatIp(6, value);
    await moveAllocation(tx, allocation, { ip_key: keyOnSubnet(after, ipAddress), ip_address: ipAddress });
  }
  return [...new Set(allocations.map((allocation) => allocation.port_id))];
}

/** A router has left a subnet. What was delegated for it there goes back, and the subnet waits again (upstream's PrefixDelegation.disable_subnet). */
export async function yieldPrefix(app: NeutronApp, tx: Tx, ctx: Context, routerId: string, subnet: SubnetRow): Promise<void> {
  if (!isDelegated(subnet)) return;
  const [known] = await delegationsOfSubnets(tx, [subnet.id]);
  const [row] = await subnetsByIds(tx, [subnet.id]);
  const stays = (await delegatedSubnetsOf(tx, routerId)).some(({ id }) => id === subnet.id);
  if (row && known?.router_id === routerId && !stays) await losePrefix(app, tx, ctx, row);
}

/** The subnet has its prefix no longer. */
export async function losePrefix(app: NeutronApp, tx: Tx, ctx: Context, row: SubnetRow): Promise<void> {
  await dropDelegation(tx, row.id);
  await setPrefix(app, tx, ctx, row, PROVISIONAL_PREFIX);
}

/** A router has lost its gateway, and with it the provider of all that was delegated by it. */
export async function yieldPrefixes(app: NeutronApp, tx: Tx, ctx: Context, routerId: string): Promise<void> {
  for (const row of await delegatedSubnetsOf(tx, routerId)) await losePrefix(app, tx, systemContext(ctx.requestId), row);
}

/** The subnets for which a router asks its provider: those whose gateway it is, and those for which it has been given something (`delegationSpecs`). */
export async function delegatedSubnetsOf(tx: Tx, routerId: string): Promise<SubnetRow[]> {
  const { ports } = await portsOfRouter(tx, routerId);
  const inside = ports.filter((port) => ROUTER_INTERFACE_OWNERS.includes(port.device_owner)).map((port) => port.id);
  const addresses = await allocationsOfPorts(tx, inside);
  const subnets = await subnetsByIds(tx, [...new Set(addresses.map((address) => address.subnet_id))]);
  const delegated = subnets.filter(isDelegated);
  const known = await delegationsOfSubnets(
    tx,
    delegated.map((subnet) => subnet.id),
  );
  const held = new Set(known.flatMap((row) => (row.router_id === routerId ? [row.id] : [])));
  return delegated.filter(
    (subnet) => held.has(subnet.id) || addresses.some((address) => address.subnet_id === subnet.id && address.ip_address === subnet.gateway_ip),
  );
}
