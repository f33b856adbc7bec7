import type { Db, Tx } from '@cairn/kit/store/store';
import { isSet } from '../attributes/attribute.ts';
import type { Values } from '../attributes/resource.ts';
import { gatewayInUseByNdpProxy, interfaceInUseByNdpProxy, ipv6GatewayInUse, routerGatewayNotValid } from '../errors-data-plane.ts';
import { routerKey } from '../fabric/keys.ts';
import { ipVersionOf } from '../net/ip.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { ipv6Scopes, proxiesOfPorts, proxiesOfRouters, proxyingRouters, setProxying } from '../store/ndp-proxies.ts';
import { deleteRow } from '../store/rows.ts';
import { subnetsByIds } from '../store/subnets.ts';
import type { PortRow, RouterRow, SubnetRow } from '../store/tables.ts';
import type { NeutronApp } from './deps.ts';
import type { GatewayInfo } from './router-gateway.ts';

/** What routers have to do with NDP proxies, for those who know routers alone (neutron/services/ndp_proxy/plugin.py). */

/** What a request says of `enable_ndp_proxy`; undefined where it says nothing. */
const asked = (values: Values): boolean | undefined => (isSet(values.enable_ndp_proxy) ? values.enable_ndp_proxy === true : undefined);

/** Proxies answer on external networks with IPv6 and an address scope. */
const supportsProxies = async (db: Db, networkId: string): Promise<boolean> => isSet((await ipv6Scopes(db, [networkId])).get(networkId));

/** A new router proxies where it is asked to; without a word it does not (enable_ndp_proxy_by_default). */
export async function startProxying(tx: Tx, row: RouterRow, values: Values): Promise<void> {
  if (asked(values) !== true) return;
  if (row.gw_network_id === null) throw routerGatewayNotValid(row.id, 'The request body not contain external gateway information');
  if (!(await supportsProxies(tx, row.gw_network_id))) {
    throw routerGatewayNotValid(
      row.id,
      `The external network ${row.gw_network_id} don't support IPv6 ndp proxy, the network has no IPv6 subnets or has no IPv6 address scope`,
    );
  }
  await setProxying(tx, row.id, true);
}

/** Before a gateway is changed to `gateway`: a router that proxies keeps its IPv6 address outside. */
export async function checkGatewayChange(tx: Tx, row: RouterRow, gateway: GatewayInfo | null, values: Values): Promise<void> {
  if (gateway === null && row.gw_port_id !== null && asked(values) === true) throw routerGatewayNotValid(row.id, "The router's external gateway will be unset");
  const wanted = gateway?.external_fixed_ips ?? [];
  if (wanted.length === 0 || row.gw_port_id === null || !(await proxyingRouters(tx, [row.id])).has(row.id)) return;
  if (wanted.some(({ ip_address: ip }) => ip !== undefined && ipVersionOf(ip) === 6)) return;
  const subnets = await subnetsByIds(
    tx,
    wanted.flatMap((fixed) => fixed.subnet_id ?? []),
  );
  if (!subnets.some((subnet) => subnet.ip_version === 6)) throw ipv6GatewayInUse(row.id);
}

/** After a router was changed: what was asked for, and without a word whether it can (as upstream has it). */
export async function followChange(tx: Tx, row: RouterRow, values: Values): Promise<void> {
  const wanted = asked(values);
  const can = wanted === false ? false : await gatewayCan(tx, row);
  if (wanted === true && !can) {
    throw routerGatewayNotValid(row.id, 'The router has no external gateway or the external gateway port has no IPv6 address or IPv6 address scope');
  }
  await setProxying(tx, row.id, wanted ?? can);
}

async function gatewayCan(tx: Tx, row: RouterRow): Promise<boolean> {
  if (row.gw_port_id === null || row.gw_network_id === null || !(await supportsProxies(tx, row.gw_network_id))) return false;
  return (await allocationsOfPorts(tx, [row.gw_port_id])).some((address) => ipVersionOf(address.ip_address) === 6);
}

/** Before a gateway goes: no proxy may need it; and without it there is none to be. */
export async function stopProxying(tx: Tx, row: RouterRow): Promise<void> {
  if ((await proxiesOfRouters(tx, [row.id])).length > 0) throw gatewayInUseByNdpProxy(row.id);
  await setProxying(tx, row.id, false);
}

/** Before an interface goes: no proxy may need its subnet. */
export async function requireNoProxyOn(tx: Tx, router: RouterRow, subnet: SubnetRow): Promise<void> {
  const proxies = await proxiesOfRouters(tx, [router.id]);
  const addresses = await allocationsOfPorts(
    tx,
    proxies.map((proxy) => proxy.port_id),
  );
  const isNeeded = proxies.some((proxy) =>
    addresses.some((address) => address.port_id === proxy.port_id && address.ip_address === proxy.ip_address && address.subnet_id === subnet.id),
  );
  if (isNeeded) throw interfaceInUseByNdpProxy(router.id, subnet.id);
}

/** Proxies go with the port that has the address. */
export async function dropProxiesOf(app: NeutronApp, tx: Tx, port: PortRow): Promise<void> {
  for (const proxy of await proxiesOfPorts(tx, [port.id])) {
    await deleteRow(tx, 'neutron_ndp_proxy', proxy.id);
    app.pusher.touch(tx, [routerKey(proxy.router_id)]);
  }
}
