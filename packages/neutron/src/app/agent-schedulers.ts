import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';
import { authorizeAction } from '../attributes/authorize.ts';
import {
  agentNotFound,
  badRequest,
  invalidDhcpAgent,
  invalidL3Agent,
  networkHosted,
  networkNotFound,
  networkNotHosted,
  refusedByPolicy,
  routerHosted,
  routerNotFound,
  routerNotHosted,
  schedulingFailed,
} from '../errors.ts';
import { findAgent, agentsOfHosts } from '../store/agents.ts';
import { findNetwork, updateNetwork } from '../store/networks.ts';
import { findRouter, updateRouter } from '../store/routers.ts';
import { deleteDhcpHost, dhcpHostsOf, hostsOfRouters, insertDhcpHost, networksOfDhcpHost, routersOfHost } from '../store/service-hosts.ts';
import type { AgentRow, NetworkRow } from '../store/tables.ts';
import { agentView } from './agents.ts';
import { changed } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { settleDhcpPort } from './dhcp-ports.ts';
import { networkViews } from './network-view.ts';
import { addStandby, putRouterOn, takeRouterOff } from './router-hosts.ts';
import { routerViews } from './router-view.ts';

/** Which agent serves what, and who says otherwise (neutron/db/agentschedulers_db.py, neutron/db/l3_agentschedulers_db.py). */

const DHCP = 'DHCP agent';
const L3 = 'L3 agent';

function ask(app: NeutronApp, ctx: Context, rule: string): void {
  try {
    authorizeAction(app.policy, ctx, rule, {});
  } catch (error) {
    // who may not list hears that there is no such thing
    throw rule.startsWith('get_') && !isAdmin(ctx) ? refusedByPolicy() : error;
  }
}

async function agentOf(db: Db, id: string): Promise<AgentRow> {
  const row = await findAgent(db, id);
  if (!row) throw agentNotFound(id);
  return row;
}

/** The agents of a kind on some hosts, as the API shows them, in the order of the hosts. */
async function agentsAt(app: NeutronApp, kind: string, hosts: readonly string[]): Promise<Record<string, unknown>[]> {
  const rows = await agentsOfHosts(app.env.store.read, hosts);
  const alive = new Set(app.hosts.names());
  return hosts
    .flatMap((host) => rows.filter((row) => row.host === host && row.agent_type === kind))
    .map((row) => agentView(app, row, alive.has(row.host)).view);
}

/** A host that is away serves nothing that is given to it now. */
function requireThere(app: NeutronApp, agent: AgentRow, kind: 'router' | 'network', id: string): void {
  if (!app.hosts.names().includes(agent.host)) throw schedulingFailed(kind, id, agent.id);
}

const idOf = (body: unknown, key: string): string => {
  const id = (body as Record<string, unknown> | null | undefined)?.[key];
  if (typeof id !== 'string') throw badRequest('agent', `'${key}' is missing`);
  return id;
};

export async function listDhcpNetworks(app: NeutronApp, ctx: Context, agentId: string): Promise<object> {
  ask(app, ctx, 'get_dhcp-networks');
  const db = app.env.store.read;
  const agent = await agentOf(db, agentId);
  const rows = agent.agent_type === DHCP ? await networksOfDhcpHost(db, agent.host) : [];
  return { networks: await networkViews(app, db, rows, ctx.projectId) };
}

export async function listDhcpAgents(app: NeutronApp, ctx: Context, networkId: string): Promise<object> {
  ask(app, ctx, 'get_dhcp-agents');
  const hosts = (await dhcpHostsOf(app.env.store.read, [networkId])).map((row) => row.host);
  return { agents: await agentsAt(app, DHCP, hosts) };
}

/** A network may be on several agents: each has a DHCP port of its own. */
export async function addDhcpNetwork(app: NeutronApp, ctx: Context, agentId: string, body: unknown): Promise<void> {
  ask(app, ctx, 'create_dhcp-network');
  const networkId = idOf(body, 'network_id');
  await app.env.store.write(async (tx) => {
    const network = await findNetwork(tx, networkId);
    if (!network) throw networkNotFound(networkId);
    const agent = await agentOf(tx, agentId);
    if (agent.agent_type !== DHCP || agent.admin_state_up === 0) throw invalidDhcpAgent(agentId);
    if ((await dhcpHostsOf(tx, [networkId])).some((row) => row.host === agent.host)) throw networkHosted(networkId, agentId);
    requireThere(app, agent, 'network', networkId);
    await insertDhcpHost(tx, { network_id: networkId, host: agent.host });
    await settleAfter(app, tx, ctx, network, 0);
  });
}

export async function removeDhcpNetwork(app: NeutronApp, ctx: Context, agentId: string, networkId: string): Promise<void> {
  ask(app, ctx, 'delete_dhcp-network');
  await app.env.store.write(async (tx) => {
    const agent = await agentOf(tx, agentId);
    const network = await findNetwork(tx, networkId);
    const hosts = agent.agent_type === DHCP && network ? (await dhcpHostsOf(tx, [networkId])).map((row) => row.host) : [];
    if (!network || !hosts.includes(agent.host)) throw networkNotHosted(networkId, agentId);
    await deleteDhcpHost(tx, networkId, agent.host);
    await settleAfter(app, tx, ctx, network, hosts.length === 1 ? 1 : 0);
  });
}

async function settleAfter(app: NeutronApp, tx: Tx, ctx: Context, network: NetworkRow, away: 0 | 1): Promise<void> {
  const columns = { dhcp_away: away, ...changed(app, network) };
  await updateNetwork(tx, network.id, columns);
  await settleDhcpPort(app, tx, ctx, { ...network, ...columns });
  app.scheduler.forget();
}

export async function listL3Routers(app: NeutronApp, ctx: Context, agentId: string): Promise<object> {
  ask(app, ctx, 'get_l3-routers');
  const db = app.env.store.read;
  const agent = await agentOf(db, agentId);
  const rows = agent.agent_type === L3 ? await routersOfHost(db, agent.host) : [];
  return { routers: (await routerViews(app, db, rows)).map((loaded) => loaded.view) };
}

export async function listL3Agents(app: NeutronApp, ctx: Context, routerId: string): Promise<object> {
  ask(app, ctx, 'get_l3-agents');
  const db = app.env.store.read;
  const [router, rows] = [await findRouter(db, routerId), await hostsOfRouters(db, [routerId])];
  const active = rows.find((row) => row.active === 1)?.host;
  const agents = await agentsAt(
    app,
    L3,
    rows.map((row) => row.host),
  );
  const stateOf = ({ alive, host }: Record<string, unknown>): string => (alive !== true ? 'unknown' : host === active ? 'active' : 'standby');
  return { agents: agents.map((agent) => ({ ...agent, ha_state: router?.ha === 1 ? stateOf(agent) : null })) };
}

export async function addL3Router(app: NeutronApp, ctx: Context, agentId: string, body: unknown): Promise<void> {
  ask(app, ctx, 'create_l3-router');
  const routerId = idOf(body, 'router_id');
  await app.env.store.write(async (tx) => {
    const router = await findRouter(tx, routerId);
    if (!router) throw routerNotFound(routerId);
    const agent = await agentOf(tx, agentId);
    if (agent.agent_type !== L3 || agent.admin_state_up === 0) throw invalidL3Agent(agentId);
    const hosts = (await hostsOfRouters(tx, [routerId])).map((row) => row.host);
    // it is there already, as was asked
    if (hosts.includes(agent.host)) return;
    const [other] = await agentsAt(app, L3, hosts);
    if (other && router.ha === 0) throw routerHosted(routerId, String(other.id));
    requireThere(app, agent, 'router', routerId);
    await (hosts.length > 0 ? addStandby : putRouterOn)(app, tx, router, agent.host);
    await updateRouter(tx, routerId, changed(app, router));
    app.scheduler.forget();
  });
}

/** Taken off its last agent a router is on no host until somebody gives it one. */
export async function removeL3Router(app: NeutronApp, ctx: Context, agentId: string, routerId: string): Promise<void> {
  ask(app, ctx, 'delete_l3-router');
  await app.env.store.write(async (tx) => {
    const agent = await agentOf(tx, agentId);
    const router = await findRouter(tx, routerId);
    const hosts = agent.agent_type === L3 ? (await hostsOfRouters(tx, [routerId])).map((row) => row.host) : [];
    if (!router || !hosts.includes(agent.host)) throw routerNotHosted(routerId, agentId);
    // a router that is on no agent has no parts either, and so nobody who answers for its floating IPs
    await updateRouter(tx, routerId, { l3_away: hosts.length === 1 ? 1 : 0, ...changed(app, router) });
    await takeRouterOff(app, tx, router, agent.host);
    app.scheduler.forget();
  });
}
