import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
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
import { networkKey, routerKey } from '../fabric/keys.ts';
import { findAgent, agentsOfHosts, networksWithDhcp, servedRouters } from '../store/agents.ts';
import { findNetwork, updateNetwork } from '../store/networks.ts';
import { findRouter, updateRouter } from '../store/routers.ts';
import type { AgentRow, NetworkRow, RouterRow } from '../store/tables.ts';
import { agentView } from './agents.ts';
import { chassisOf } from './binding.ts';
import { changed } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { networkViews } from './network-view.ts';
import { routerViews } from './router-view.ts';

/**
 * Which agent serves what (neutron/db/agentschedulers_db.py). Everything is on the agents of one host; to take something off its agent switches it off, and to
 * give it back switches it on again.
 */

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

/** The agent of a kind that serves everything, as the API shows it. */
async function servingAgents(app: NeutronApp, kind: string): Promise<Record<string, unknown>[]> {
  const host = chassisOf(app);
  if (host === undefined) return [];
  const rows = await agentsOfHosts(app.env.store.read, [host]);
  return rows.filter((row) => row.agent_type === kind).map((row) => agentView(app, row, true).view);
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
  const rows = agent.agent_type === DHCP ? await networksWithDhcp(db, agent.host) : [];
  return { networks: await networkViews(app, db, rows, ctx.projectId) };
}

export async function listDhcpAgents(app: NeutronApp, ctx: Context, networkId: string): Promise<object> {
  ask(app, ctx, 'get_dhcp-agents');
  const hosted = (await networksWithDhcp(app.env.store.read, chassisOf(app) ?? '', networkId)).length > 0;
  return { agents: hosted ? await servingAgents(app, DHCP) : [] };
}

export async function addDhcpNetwork(app: NeutronApp, ctx: Context, agentId: string, body: unknown): Promise<void> {
  ask(app, ctx, 'create_dhcp-network');
  const networkId = idOf(body, 'network_id');
  await app.env.store.write(async (tx) => {
    const network = await findNetwork(tx, networkId);
    if (!network) throw networkNotFound(networkId);
    const agent = await agentOf(tx, agentId);
    if (agent.agent_type !== DHCP || agent.admin_state_up === 0) throw invalidDhcpAgent(agentId);
    if (agent.host !== chassisOf(app)) throw schedulingFailed('network', networkId, agent.host);
    if (network.dhcp_away === 0 && (await networksWithDhcp(tx, agent.host, networkId)).length > 0) throw networkHosted(networkId, agentId);
    await updateNetwork(tx, networkId, { dhcp_away: 0, dhcp_host: agent.host, ...changed(app, network) });
    app.pusher.touch(tx, [networkKey(networkId)]);
  });
}

export async function removeDhcpNetwork(app: NeutronApp, ctx: Context, agentId: string, networkId: string): Promise<void> {
  ask(app, ctx, 'delete_dhcp-network');
  await app.env.store.write(async (tx) => {
    const agent = await agentOf(tx, agentId);
    const network: NetworkRow | undefined = await findNetwork(tx, networkId);
    const hosted = agent.agent_type === DHCP && network && (await networksWithDhcp(tx, agent.host, networkId)).length > 0;
    if (!hosted) throw networkNotHosted(networkId, agentId);
    await updateNetwork(tx, networkId, { dhcp_away: 1, dhcp_host: null, ...changed(app, network) });
    app.pusher.touch(tx, [networkKey(networkId)]);
  });
}

export async function listL3Routers(app: NeutronApp, ctx: Context, agentId: string): Promise<object> {
  ask(app, ctx, 'get_l3-routers');
  const db = app.env.store.read;
  const agent = await agentOf(db, agentId);
  const rows = agent.agent_type === L3 && agent.host === chassisOf(app) ? await servedRouters(db) : [];
  return { routers: (await routerViews(app, db, rows)).map((loaded) => loaded.view) };
}

export async function listL3Agents(app: NeutronApp, ctx: Context, routerId: string): Promise<object> {
  ask(app, ctx, 'get_l3-agents');
  const hosted = (await servedRouters(app.env.store.read, routerId)).length > 0;
  return { agents: hosted ? (await servingAgents(app, L3)).map((agent) => ({ ...agent, ha_state: null })) : [] };
}

export async function addL3Router(app: NeutronApp, ctx: Context, agentId: string, body: unknown): Promise<void> {
  ask(app, ctx, 'create_l3-router');
  const routerId = idOf(body, 'router_id');
  await app.env.store.write(async (tx) => {
    const router = await findRouter(tx, routerId);
    if (!router) throw routerNotFound(routerId);
    const agent = await agentOf(tx, agentId);
    if (agent.agent_type !== L3 || agent.admin_state_up === 0) throw invalidL3Agent(agentId);
    const hosted = (await servedRouters(tx, routerId)).length > 0;
    if (agent.host !== chassisOf(app))
      throw hosted ? routerHosted(routerId, String((await servingAgents(app, L3))[0]?.id)) : schedulingFailed('router', routerId, agent.host);
    await setAway(app, router, 0, tx);
  });
}

export async function removeL3Router(app: NeutronApp, ctx: Context, agentId: string, routerId: string): Promise<void> {
  ask(app, ctx, 'delete_l3-router');
  await app.env.store.write(async (tx) => {
    const agent = await agentOf(tx, agentId);
    const [router] = agent.agent_type === L3 && agent.host === chassisOf(app) ? await servedRouters(tx, routerId) : [];
    if (!router) throw routerNotHosted(routerId, agentId);
    await setAway(app, router, 1, tx);
  });
}

async function setAway(app: NeutronApp, router: RouterRow, away: 0 | 1, tx: Parameters<typeof updateRouter>[0]): Promise<void> {
  if (router.l3_away === away) return;
  await updateRouter(tx, router.id, { l3_away: away, ...changed(app, router) });
  app.pusher.touch(tx, [routerKey(router.id)]);
}
