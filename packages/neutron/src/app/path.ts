import { type Flow, hasPorts, protocolOf } from '@cairn/host/fabric/path/flow';
import { tracePath, tracePathFromOutside } from '@cairn/host/fabric/path/trace';
import type { Context } from '@cairn/kit/context/context';
import { authorizeAction } from '../attributes/authorize.ts';
import { badRequest } from '../errors.ts';
import { ndpProxyNotFound } from '../errors-data-plane.ts';
import { loadNetworks } from '../fabric/load.ts';
import { pathWorld, portAsPlugged } from '../fabric/path-world.ts';
import { canonicalIp, ipVersionOf, parseIp } from '../net/ip.ts';
import { addressesOfPorts, type PortAddress } from '../store/ipam.ts';
import { ndpProxyLists } from '../store/ndp-proxies.ts';
import { findPort } from '../store/ports.ts';
import { findRouter } from '../store/routers.ts';
import { selectOne } from '../store/select.ts';
import type { PortRow } from '../store/tables.ts';
import type { NdpProxyRow } from '../store/tables-data-plane.ts';
import { scopeOf, targetOf } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { loadFloatingIp } from './floatingips.ts';
import { dhcpFacts } from './path-dhcp.ts';
import { pathView } from './path-view.ts';
import { loadPort } from './ports.ts';

const DEFAULT_SOURCE_PORT = 49_152;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** `GET /ports/{id}/path`: what becomes of a packet that the port sends. The port must be one that the caller may see, and of his own. */
export async function explainPath(app: NeutronApp, ctx: Context, portId: string, query: URLSearchParams): Promise<object> {
  const db = app.env.store.read;
  const { row, loaded } = await loadPort(app, db, ctx, portId);
  authorizeAction(app.policy, ctx, 'get_port_path', targetOf(loaded));
  const own = await addressesOfPorts(db, [row.id]);
  const asked = one(query, 'destination');
  if (asked === undefined) throw wrong('destination is missing: name an IP address or the id of a port');
  let destination = asked;
  if (UUID.test(asked)) {
    await loadPort(app, db, ctx, asked);
    destination = addressBoth(own, await addressesOfPorts(db, [asked]), asked);
  }
  const addresses = own.map((address) => address.ip_address);
  const flow = flowOf(query, destination, addresses);
  const source = await portAsPlugged(db, app.hosts, row);
  const path = await tracePath(pathWorld(db, app.hosts, app.pusher), source, flow);
  const arrived = path.arrivedAt === undefined || path.arrivedAt === row.id ? undefined : await findPort(db, path.arrivedAt);
  const ends: PortRow[] = [row, ...(arrived ? [arrived] : [])];
  return pathView(db, ctx, path, flow, row, await dhcpFacts(db, app.hosts, ends));
}

/** `GET /floatingips/{id}/path`: what becomes of a packet that somebody outside sends to a floating IP. */
export async function explainPathToFloatingIp(app: NeutronApp, ctx: Context, id: string, query: URLSearchParams): Promise<object> {
  const { row, loaded } = await loadFloatingIp(app.env.store.read, ctx, id);
  authorizeAction(app.policy, ctx, 'get_floatingip_path', targetOf(loaded));
  return fromOutside(app, ctx, row.floating_network_id, row.floating_ip_address, query);
}

/** `GET /ndp-proxies/{id}/path`: what becomes of a packet that somebody outside sends to an address that a router answers for there. */
export async function explainPathToNdpProxy(app: NeutronApp, ctx: Context, id: string, query: URLSearchParams): Promise<object> {
  const db = app.env.store.read;
  const row = await selectOne<NdpProxyRow>(db, ndpProxyLists, id, scopeOf(ctx));
  if (!row) throw ndpProxyNotFound(id);
  authorizeAction(app.policy, ctx, 'get_ndp_proxy_path', { project_id: row.project_id });
  const router = await findRouter(db, row.router_id);
  if (!router?.gw_network_id) throw wrong(`router ${row.router_id} has no external gateway`);
  return fromOutside(app, ctx, router.gw_network_id, row.ip_address, query);
}

/** Who asks from nowhere in particular is the neighbour that leads further out. */
async function fromOutside(app: NeutronApp, ctx: Context, networkId: string, destination: string, query: URLSearchParams): Promise<object> {
  const db = app.env.store.read;
  const network = (await loadNetworks(db, [networkId])).get(networkId)?.object;
  if (network?.kind !== 'network') throw new Error(`network ${networkId} has no object`);
  const gateways = network.subnets.flatMap((subnet) => subnet.gatewayIp ?? []);
  const flow = flowOf(query, destination, gateways);
  const path = await tracePathFromOutside(pathWorld(db, app.hosts, app.pusher), network, flow);
  const arrived = path.arrivedAt === undefined ? undefined : await findPort(db, path.arrivedAt);
  return pathView(db, ctx, path, flow, undefined, await dhcpFacts(db, app.hosts, arrived ? [arrived] : []));
}

const wrong = (text: string) => badRequest('path', text);

function one(query: URLSearchParams, name: string): string | undefined {
  const values = query.getAll(name);
  if (values.length > 1) throw wrong(`${name} is given ${values.length} times`);
  return values[0] === '' ? undefined : values[0];
}

/** The first address of the destination for which the source has one of the same version. */
function addressBoth(own: readonly PortAddress[], others: readonly PortAddress[], portId: string): string {
  const versions = new Set(own.map((address) => ipVersionOf(address.ip_address)));
  const found = others.find((address) => versions.has(ipVersionOf(address.ip_address))) ?? others[0];
  if (!found) throw wrong(`port ${portId} has no address; name an IP address as destination`);
  return found.ip_address;
}

function portNumber(query: URLSearchParams, name: string): number | undefined {
  const text = one(query, name);
  if (text === undefined) return undefined;
  if (!/^\d{1,5}$/.test(text) || Number(text) < 1 || Number(text) > 65_535) throw wrong(`${name} is not a number from 1 to 65535`);
  return Number(text);
}

/** The packet that is asked for; from one of `own` unless the query says otherwise. */
function flowOf(query: URLSearchParams, destination: string, own: readonly string[]): Flow {
  if (!parseIp(destination)) throw wrong('destination is neither an IP address nor the id of a port');
  const version = ipVersionOf(destination);
  const source = one(query, 'source_ip') ?? own.find((address) => ipVersionOf(address) === version);
  if (source === undefined) throw wrong(`no IPv${version} address is known to send to ${destination} from; name one as source_ip`);
  if (!parseIp(source) || ipVersionOf(source) !== version) throw wrong(`source_ip is not an IPv${version} address, as the destination is`);
  const name = one(query, 'protocol') ?? 'icmp';
  const protocol = protocolOf(name, version);
  if (protocol === undefined) throw wrong('protocol is none that security group rules know: tcp, udp, icmp, or a number from 0 to 255');
  const destinationPort = portNumber(query, 'destination_port');
  const sourcePort = portNumber(query, 'source_port');
  const ported = hasPorts(protocol);
  if (ported && destinationPort === undefined) throw wrong(`destination_port is missing: ${name} has ports`);
  if (!ported && (destinationPort ?? sourcePort) !== undefined) throw wrong(`${name} has no ports`);
  return {
    version,
    protocol,
    source: canonicalIp(source),
    destination: canonicalIp(destination),
    ...(ported && destinationPort !== undefined && { destinationPort, sourcePort: sourcePort ?? DEFAULT_SOURCE_PORT }),
    ...(protocol === 1 && { icmpType: 8 }),
    ...(protocol === 58 && { icmpType: 128 }),
  };
}
