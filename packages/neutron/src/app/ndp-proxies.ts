import { standardView } from '../attributes/times.ts';
import { badRequest, portNotFound, routerNotFound } from '../errors.ts';
import { addressScopesDiffer, invalidNdpAddress, ndpProxyExists, ndpProxyNotFound, portUnreachableByRouter, routerDoesNotProxy } from '../errors-data-plane.ts';
import { routerKey } from '../fabric/keys.ts';
import { canonicalIp, ipVersionOf } from '../net/ip.ts';
import { NDP_PROXY } from '../resources/ndp-proxy.ts';
import { allocationsOfPorts } from '../store/ipam.ts';
import { ipv6Scopes, ndpProxyLists, proxiesOfRouters, proxyingRouters } from '../store/ndp-proxies.ts';
import { portLists, portsOfDevices } from '../store/ports.ts';
import { routerLists } from '../store/routers.ts';
import { selectOne } from '../store/select.ts';
import type { IpAllocationRow, PortRow, RouterRow } from '../store/tables.ts';
import type { NdpProxyRow } from '../store/tables-data-plane.ts';
import { newRow, scopeOf } from './common.ts';
import { type Kind, sameNamed, verbsOf, type Work } from './kinds.ts';

const KIND: Kind<NdpProxyRow> = {
  resource: NDP_PROXY,
  lists: ndpProxyLists,
  notFound: ndpProxyNotFound,
  views: (_app, _db, rows) =>
    rows.map((row) => {
      const { name, router_id, port_id, ip_address } = row;
      return { view: { ...standardView(row), name, router_id, port_id, ip_address } };
    }),
  async create(work, values) {
    const row: NdpProxyRow = {
      ...newRow(work.app, values),
      name: String(values.name),
      router_id: String(values.router_id),
      port_id: String(values.port_id),
      ip_address: values.ip_address === null ? '' : canonicalIp(String(values.ip_address)),
    };
    return { ...row, ip_address: await checkedAddress(work, row) };
  },
  update: (_work, _row, values) => sameNamed<NdpProxyRow>(values, ['name', 'description']),
  settle({ app, tx }, after, before) {
    if (!after || !before) app.pusher.touch(tx, [routerKey(String((after ?? before)?.router_id))]);
  },
};

export const ndpProxyVerbs = verbsOf(KIND);

/** neutron/services/ndp_proxy/plugin.py: gives the address. */
async function checkedAddress({ tx, ctx }: Work, row: NdpProxyRow): Promise<string> {
  const port = await selectOne<PortRow>(tx, portLists, row.port_id, scopeOf(ctx));
  if (!port) throw portNotFound(row.port_id);
  const router = await selectOne<RouterRow>(tx, routerLists, row.router_id, scopeOf(ctx));
  const near = router ? (await portsOfDevices(tx, [row.router_id])).filter((other) => other.network_id === port.network_id) : [];
  if (near.length === 0) throw portUnreachableByRouter(row.port_id, row.router_id);
  if (!router) throw routerNotFound(row.router_id);
  if (router.gw_network_id === null || !(await proxyingRouters(tx, [router.id])).has(router.id)) throw routerDoesNotProxy(router.id);
  const addresses = (await allocationsOfPorts(tx, [port.id, ...near.map((other) => other.id)])).filter((one) => ipVersionOf(one.ip_address) === 6);
  const ip = addressOf(
    row,
    addresses.filter((one) => one.port_id === port.id),
    new Set(addresses.filter((one) => one.port_id !== port.id).map((one) => one.subnet_id)),
  );
  const scopes = await ipv6Scopes(tx, [router.gw_network_id, port.network_id]);
  const [outside, inside] = [scopes.get(router.gw_network_id) ?? null, scopes.get(port.network_id) ?? null];
  if (outside !== inside) throw addressScopesDiffer(outside, inside);
  if ((await proxiesOfRouters(tx, [router.id])).some((other) => other.ip_address === ip)) throw ndpProxyExists(router.id, ip);
  return ip;
}

function addressOf(row: NdpProxyRow, held: readonly IpAllocationRow[], reached: ReadonlySet<string>): string {
  if (held.length === 0) throw badRequest('ndp_proxy', `Requested port ${row.port_id} must allocate one IPv6 address at least`);
  if (row.ip_address === '') {
    const first = held.find((one) => reached.has(one.subnet_id));
    if (!first) throw portUnreachableByRouter(row.port_id, row.router_id);
    return first.ip_address;
  }
  const own = held.find((one) => one.ip_address === row.ip_address);
  if (!own) throw invalidNdpAddress(row.ip_address, `This address not belong to the port ${row.port_id}`);
  if (!reached.has(own.subnet_id)) throw invalidNdpAddress(row.ip_address, `This address cannot reach the router ${row.router_id}`);
  return own.ip_address;
}
