import { systemContext } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { networkKey, routerKey } from '../fabric/keys.ts';
import { deactivateFloatingIps } from '../store/floatingips.ts';
import { networksByIds } from '../store/networks.ts';
import { portsOfDevices, ROUTER_INTERFACE_OWNERS } from '../store/ports.ts';
import { updateRouter } from '../store/routers.ts';
import { activeHostOf, deleteRouterHost, hostsOfRouters, insertRouterHost } from '../store/service-hosts.ts';
import type { NetworkRow, PortRow, RouterRow } from '../store/tables.ts';
import type { NeutronApp } from './deps.ts';
import { changePort } from './port-update.ts';
import type { Wanted } from './service-scheduler.ts';

/** Which host has which router (neutron/db/l3_agentschedulers_db.py, neutron/scheduler/l3_agent_scheduler.py). A router's ports are where it is. */

const OWNERS = [...ROUTER_INTERFACE_OWNERS, 'network:router_gateway'];

/**
 * The host that a router works on, which it is given now if it has none; empty where none can have it, or it was taken off its agent.
 * `joined`: a network that it is about to be on.
 */
export async function hostForRouter(app: NeutronApp, tx: Tx, router: RouterRow, joined?: NetworkRow): Promise<string> {
  const there = await activeHostOf(tx, router.id);
  if (there !== undefined) return there;
  if (router.l3_away === 1) return '';
  const [host] = await app.scheduler.choose(tx, 'l3', await wantedOf(tx, router, new Set(), joined));
  if (host !== undefined) await putRouterOn(app, tx, router, host);
  return host ?? '';
}

async function wantedOf(tx: Tx, router: RouterRow, except: ReadonlySet<string>, joined: NetworkRow | undefined): Promise<Wanted> {
  const outside = router.gw_network_id === null ? [] : await networksByIds(tx, [router.gw_network_id]);
  const networks = joined?.external === 1 ? [...outside, joined] : outside;
  return {
    zones: fromJson<string[]>(router.az_hints_json),
    physicalNetworks: networks.flatMap((network) => (network.segment_count < 2 && network.physical_network !== '' ? [network.physical_network] : [])),
    except,
  };
}

/** Puts a router that is on no host on one. */
export async function putRouterOn(app: NeutronApp, tx: Tx, router: RouterRow, host: string): Promise<void> {
  await insertRouterHost(tx, { router_id: router.id, host, active: 1 });
  if (router.l3_away === 1) await updateRouter(tx, router.id, { l3_away: 0 });
  router.l3_away = 0;
  await bindRouterPorts(app, tx, router, host);
}

/** Takes a router off a host. Until it is on another one its floating IPs are DOWN. */
export async function takeRouterOff(app: NeutronApp, tx: Tx, router: RouterRow, host: string): Promise<void> {
  await deleteRouterHost(tx, router.id, host);
  await deactivateFloatingIps(tx, router.id, app.env.clock.nowMs());
  await bindRouterPorts(app, tx, router, '');
}

/** Moves a router away from a host that is gone. False where no other host can have it: then it stays where it is. */
export async function moveRouter(app: NeutronApp, tx: Tx, router: RouterRow, from: string): Promise<boolean> {
  const rows = await hostsOfRouters(tx, [router.id]);
  if (!rows.some((row) => row.host === from)) return true;
  const [to] = await app.scheduler.choose(tx, 'l3', await wantedOf(tx, router, new Set(rows.map((row) => row.host)), undefined));
  if (to === undefined) return false;
  await deleteRouterHost(tx, router.id, from);
  await deactivateFloatingIps(tx, router.id, app.env.clock.nowMs());
  await putRouterOn(app, tx, router, to);
  return true;
}

async function bindRouterPorts(app: NeutronApp, tx: Tx, router: RouterRow, host: string): Promise<void> {
  const ports = await routerPorts(tx, router.id);
  for (const port of ports) await changePort(app, tx, systemContext('req-l3'), port, { 'binding:host_id': host });
  app.pusher.touch(tx, [routerKey(router.id), ...new Set(ports.map((port) => networkKey(port.network_id)))]);
}

const routerPorts = async (db: Db, routerId: string): Promise<PortRow[]> =>
  (await portsOfDevices(db, [routerId])).filter((port) => OWNERS.includes(port.device_owner));
