import { systemContext } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { fromJson } from '@cairn/kit/store/values';
import { loadDistributions } from '../fabric/distribution.ts';
import { networkKey, routerKey } from '../fabric/keys.ts';
import { deactivateFloatingIps } from '../store/floatingips.ts';
import { networksByIds } from '../store/networks.ts';
import { portsOfDevices, ROUTER_INTERFACE_OWNERS } from '../store/ports.ts';
import { updateRouter } from '../store/routers.ts';
import { activeHostOf, deleteRouterHost, hostsOfRouters, insertRouterHost, setRouterActive } from '../store/service-hosts.ts';
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
  const rows = await hostsOfRouters(tx, [router.id]);
  const there = rows.find((row) => row.active === 1)?.host ?? (await takeOver(app, tx, router));
  if (there !== undefined) return there;
  if (router.l3_away === 1) return '';
  const except = new Set(rows.map((row) => row.host));
  const [host] = await app.scheduler.choose(tx, 'l3', await wantedOf(tx, router, except, joined));
  if (host === undefined) return '';
  await putRouterOn(app, tx, router, host);
  await settleStandbys(app, tx, router, joined);
  return host;
}

async function wantedOf(tx: Tx, router: RouterRow, except: ReadonlySet<string>, joined?: NetworkRow): Promise<Wanted> {
  const outside = router.gw_network_id === null ? [] : await networksByIds(tx, [router.gw_network_id]);
  const networks = joined?.external === 1 ? [...outside, joined] : outside;
  return {
    zones: fromJson<string[]>(router.az_hints_json),
    physicalNetworks: networks.flatMap((network) => (network.segment_count < 2 && network.physical_network !== '' ? [network.physical_network] : [])),
    except,
  };
}

/**
 * A highly available router that is on a host has others that stand by, up to the number of the settings; any other router has none. To be
 * called when the router comes to a host, and when it becomes one of these or ceases to be.
 */
export async function settleStandbys(app: NeutronApp, tx: Tx, router: RouterRow, joined?: NetworkRow): Promise<void> {
  const rows = await hostsOfRouters(tx, [router.id]);
  if (rows.length === 0) return;
  if (router.ha === 1) {
    const limit = app.settings.l3AgentsPerRouter || Number.MAX_SAFE_INTEGER;
    const except = new Set(rows.map((row) => row.host));
    const more = await app.scheduler.choose(tx, 'l3', await wantedOf(tx, router, except, joined), Math.max(0, limit - rows.length));
    for (const host of more) await insertRouterHost(tx, { router_id: router.id, host, active: 0 });
  } else for (const row of rows) if (row.active === 0) await deleteRouterHost(tx, router.id, row.host);
  await touchAround(app, tx, router);
}

/** Puts a router that works nowhere on a host. */
export async function putRouterOn(app: NeutronApp, tx: Tx, router: RouterRow, host: string): Promise<void> {
  await insertRouterHost(tx, { router_id: router.id, host, active: 1 });
  if (router.l3_away === 1) await updateRouter(tx, router.id, { l3_away: 0 });
  router.l3_away = 0;
  await bindRouterPorts(app, tx, router, host);
}

/** Has one more host stand by for a router. */
export async function addStandby(app: NeutronApp, tx: Tx, router: RouterRow, host: string): Promise<void> {
  await insertRouterHost(tx, { router_id: router.id, host, active: 0 });
  await touchAround(app, tx, router);
}

/** Takes a router off a host. Where one stands by it goes on there; else its floating IPs are DOWN until it is on a host again. */
export async function takeRouterOff(app: NeutronApp, tx: Tx, router: RouterRow, host: string): Promise<void> {
  const wasActive = (await activeHostOf(tx, router.id)) === host;
  await deleteRouterHost(tx, router.id, host);
  if (!wasActive) await touchAround(app, tx, router);
  else if ((await takeOver(app, tx, router)) === undefined) {
    await deactivate(app, tx, router);
    await bindRouterPorts(app, tx, router, '');
  }
}

/** Moves a router away from a host that is gone, to one that stands by if it can. False where no other host can have it: then it stays where it is. */
export async function moveRouter(app: NeutronApp, tx: Tx, router: RouterRow, from: string): Promise<boolean> {
  const rows = await hostsOfRouters(tx, [router.id]);
  // who stood by there does so again when the host is back
  if (!rows.some((row) => row.host === from && row.active === 1)) return true;
  await setRouterActive(tx, router.id, from, 0);
  if ((await takeOver(app, tx, router)) !== undefined) return true;
  const [to] = await app.scheduler.choose(tx, 'l3', await wantedOf(tx, router, new Set(rows.map((row) => row.host))));
  if (to === undefined) {
    await setRouterActive(tx, router.id, from, 1);
    return false;
  }
  if (router.ha === 0) await deleteRouterHost(tx, router.id, from);
  await deactivate(app, tx, router);
  await putRouterOn(app, tx, router, to);
  return true;
}

/** One of the hosts that stand by and are there has the router from now on; undefined where there is none. */
async function takeOver(app: NeutronApp, tx: Tx, router: RouterRow): Promise<string | undefined> {
  const alive = new Set(app.hosts.names());
  const next = (await hostsOfRouters(tx, [router.id])).find((row) => alive.has(row.host));
  if (!next) return undefined;
  await setRouterActive(tx, router.id, next.host, 1);
  await deactivate(app, tx, router);
  await bindRouterPorts(app, tx, router, next.host);
  return next.host;
}

/** Its floating IPs are down until it is at work again; those that parts of it answer for go on. */
async function deactivate(app: NeutronApp, tx: Tx, router: RouterRow): Promise<void> {
  const homes = (await loadDistributions(tx, app.settings, [router.id])).get(router.id)?.homeOf ?? NO_HOMES;
  await deactivateFloatingIps(tx, router.id, homes, app.env.clock.nowMs());
}

const NO_HOMES: ReadonlyMap<string, string> = new Map();

async function bindRouterPorts(app: NeutronApp, tx: Tx, router: RouterRow, host: string): Promise<void> {
  for (const port of await routerPorts(tx, router.id)) await changePort(app, tx, systemContext('req-l3'), port, { 'binding:host_id': host });
  await touchAround(app, tx, router);
}

/** Hosts hear of the router and of the networks that it is on. */
async function touchAround(app: NeutronApp, tx: Tx, router: RouterRow): Promise<void> {
  const ports = await routerPorts(tx, router.id);
  app.pusher.touch(tx, [routerKey(router.id), ...new Set(ports.map((port) => networkKey(port.network_id)))]);
}

const routerPorts = async (db: Db, routerId: string): Promise<PortRow[]> =>
  (await portsOfDevices(db, [routerId])).filter((port) => OWNERS.includes(port.device_owner));
