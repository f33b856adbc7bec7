import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson, toJson } from '@cairn/kit/store/values';
import { hostRoutesExhausted } from '../errors.ts';
import { networkKey } from '../fabric/keys.ts';
import { covers, mustCidr, networkText } from '../net/cidr.ts';
import { MAX_HOST_ROUTES } from '../options.ts';
import { subnetsOfNetwork, updateSubnet } from '../store/subnets.ts';
import type { SubnetRow } from '../store/tables.ts';
import { changed, notify } from './common.ts';
import type { NeutronApp } from './deps.ts';
import type { Route } from './routers.ts';
import { subnetViews } from './subnet-view.ts';

/**
 * On a network whose segments are routed, each subnet has host routes to those on other segments, by its own gateway, so that guests with a default
 * route elsewhere reach them (neutron/services/segments/plugin.py: SegmentHostRoutes; extension `segments-peer-subnet-host-routes`).
 */

/** What a subnet has to say for itself. */
type Own = Pick<SubnetRow, 'ip_version' | 'segment_id' | 'gateway_ip'> & { readonly id?: string };

/** What is no more: the gateway that its routes to others led by, or another subnet. */
interface Gone {
  readonly gatewayIp?: string | null;
  readonly cidr?: string;
}

/** Host routes of a subnet with those to its peers. A route of the user's to a peer, or to more than it, stands as it is. */
export function withPeerRoutes(routes: readonly Route[], own: Own, subnets: readonly SubnetRow[], gone: Gone = {}): readonly Route[] {
  const all = routes.filter((route) => route.destination !== gone.cidr || route.nexthop !== own.gateway_ip);
  const covered = all.map(({ destination }) => mustCidr(destination));
  for (const peer of subnets) {
    if (peer.id === own.id || peer.segment_id === own.segment_id || peer.ip_version !== own.ip_version) continue;
    const cidr = mustCidr(peer.cidr);
    const old = gone.gatewayIp ? all.findIndex(({ destination, nexthop }) => destination === peer.cidr && nexthop === gone.gatewayIp) : -1;
    if (old >= 0) {
      all.splice(old, 1);
      const at = covered.findIndex((each) => networkText(each) === peer.cidr);
      if (at >= 0) covered.splice(at, 1);
    }
    if (own.gateway_ip && !covered.some((outer) => covers(outer, cidr))) all.push({ destination: peer.cidr, nexthop: own.gateway_ip });
  }
  return all;
}

/** The routes that a subnet on a segment gets as it is made or changed; too many are an error. `others`: the subnets of its network. */
export function checkedPeerRoutes(routes: readonly Route[], own: Own, others: readonly SubnetRow[], gone?: Gone): readonly Route[] {
  const all = withPeerRoutes(routes, own, others, gone);
  if (all.length > MAX_HOST_ROUTES) throw hostRoutesExhausted(own.id ?? 'new subnet', MAX_HOST_ROUTES);
  return all;
}

const routesOf = (subnet: SubnetRow): readonly Route[] => fromJson<Route[]>(subnet.host_routes_json);
const textOf = (routes: readonly Route[]): string => toJson(routes.map(({ destination, nexthop }) => `${destination} ${nexthop}`).toSorted());

/** The routes of a subnet that is changed: those given or its own, with peers' where they or the gateway change. */
export async function routesOfChanged(db: Db, row: SubnetRow, after: Own, given: readonly Route[] | undefined): Promise<readonly Route[]> {
  const routes = given ?? routesOf(row);
  const isSame = textOf(routes) === textOf(routesOf(row)) && after.gateway_ip === row.gateway_ip;
  if (after.segment_id === null || isSame) return routes;
  const gone = after.gateway_ip === row.gateway_ip ? {} : { gatewayIp: row.gateway_ip };
  return checkedPeerRoutes(routes, after, await subnetsOfNetwork(db, row.network_id), gone);
}

/**
 * Sees to it that the subnets of a network lead to each other after one came, or went (`goneCidr`). One that cannot have as many routes stays as it
 * is: what its owner asked for is done, and it is not his subnet that fails.
 */
export async function settlePeerRoutes(app: NeutronApp, tx: Tx, ctx: Context, networkId: string, goneCidr?: string): Promise<void> {
  const subnets = await subnetsOfNetwork(tx, networkId);
  const done: SubnetRow[] = [];
  for (const subnet of subnets) {
    const routes = withPeerRoutes(routesOf(subnet), subnet, subnets, goneCidr === undefined ? {} : { cidr: goneCidr });
    if (textOf(routes) === textOf(routesOf(subnet)) || routes.length > MAX_HOST_ROUTES) continue;
    const columns = { ...changed(app, subnet), host_routes_json: toJson(routes) };
    await updateSubnet(tx, subnet.id, columns);
    done.push({ ...subnet, ...columns });
  }
  if (done.length === 0) return;
  for (const loaded of await subnetViews(tx, done, ctx.projectId)) await notify(app, tx, ctx, 'subnet', 'update', loaded);
  app.pusher.touch(tx, [networkKey(networkId)]);
}
