import type { Context } from '@cairn/kit/context/context';
import type { Db } from '@cairn/kit/store/store';
import { toBit } from '@cairn/kit/store/values';
import { plainTime } from '../attributes/times.ts';
import type { Values } from '../attributes/resource.ts';
import { agentNotFound, badRequest } from '../errors.ts';
import type { ListInput } from '../listing/query.ts';
import { uuid5 } from '../net/uuid5.ts';
import { AGENT } from '../resources/agent.ts';
import { agentLists, agentsOfHosts, deleteAgent, findAgent, insertAgents, setTunnelEnd, touchAgents, updateAgent } from '../store/agents.ts';
import { EVERYTHING, selectPage } from '../store/select.ts';
import type { AgentRow } from '../store/tables.ts';
import { authorizeChange } from '../attributes/authorize.ts';
import { authorizeDelete, authorizeUpdate, type Loaded } from './common.ts';
import type { NeutronApp } from './deps.ts';
import { zoneOf } from './zones.ts';

/** What the agent of each host does, by upstream's names for it. */
const KINDS = [
  { agent_type: 'Open vSwitch agent', binary: 'cairn-host' },
  { agent_type: 'DHCP agent', binary: 'cairn-host' },
  { agent_type: 'L3 agent', binary: 'cairn-host' },
] as const;

const SEEN_EVERY_MS = 60_000;

/** Keeps the list of hosts that were ever there. Agents are no processes of their own here: they are what a host does. */
export class AgentKeeper {
  readonly #app: NeutronApp;
  #stops: (() => void)[] = [];

  constructor(app: NeutronApp) {
    this.#app = app;
  }

  start(): void {
    const { hosts, env } = this.#app;
    // hosts that come together are written together
    let soon: { cancel(): void } | undefined;
    const note = (): void => {
      soon?.cancel();
      soon = env.clock.after(0, () => void this.#note());
    };
    const every = (): void => {
      void this.#note();
      timer = env.clock.after(SEEN_EVERY_MS, every);
    };
    let timer = env.clock.after(SEEN_EVERY_MS, every);
    this.#stops.push(
      hosts.onHost(note),
      () => timer.cancel(),
      () => soon?.cancel(),
    );
  }

  stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }

  async #note(): Promise<void> {
    const { hosts, env } = this.#app;
    const names = hosts.names();
    if (names.length === 0) return;
    const nowMs = env.clock.nowMs();
    await env.store
      .write(async (tx) => {
        const known = new Set((await agentsOfHosts(tx, names)).map((row) => row.id));
        const missing = names.flatMap((host) => KINDS.map((kind) => newAgent(host, kind, nowMs))).filter((row) => !known.has(row.id));
        for (let at = 0; at < missing.length; at += 500) await insertAgents(tx, missing.slice(at, at + 500));
        await touchAgents(tx, names, nowMs);
        for (const host of names) {
          const tunnelIp = tunnelIpOf(hosts, host);
          if (tunnelIp !== '') await setTunnelEnd(tx, host, tunnelIp);
        }
      })
      .catch((err: unknown) => env.log.warn({ err }, 'the list of agents could not be kept'));
  }
}

const newAgent = (host: string, kind: (typeof KINDS)[number], nowMs: number): AgentRow => ({
  id: uuid5(`${kind.agent_type} ${host}`),
  ...kind,
  host,
  admin_state_up: 1,
  description: null,
  created_at_ms: nowMs,
  started_at_ms: nowMs,
  heartbeat_ms: nowMs,
  tunnel_ip: '',
});

/** Empty for a host that is away, or that no tunnel reaches. */
function tunnelIpOf(hosts: NeutronApp['hosts'], host: string): string {
  try {
    return hosts.get(host).tunnelIp ?? '';
  } catch {
    return '';
  }
}

/** An agent as the API shows it. */
export function agentView(app: NeutronApp, row: AgentRow, alive: boolean): Loaded {
  return {
    view: {
      id: row.id,
      agent_type: row.agent_type,
      binary: row.binary,
      topic: 'N/A',
      host: row.host,
      admin_state_up: row.admin_state_up === 1,
      created_at: plainTime(row.created_at_ms),
      started_at: plainTime(row.started_at_ms),
      heartbeat_timestamp: plainTime(alive ? app.env.clock.nowMs() : row.heartbeat_ms),
      alive,
      configurations: row.tunnel_ip === '' ? {} : { tunnel_types: ['vxlan'], tunneling_ip: row.tunnel_ip },
      description: row.description,
      availability_zone: zoneOf(app.settings, row.host),
      resources_synced: null,
    },
  };
}

export async function listAgents(app: NeutronApp, _ctx: Context, input: ListInput): Promise<Loaded[]> {
  const names = app.hosts.names();
  const alive = new Set(names);
  const rows = await selectPage(app.env.store.read, agentLists(names, app.settings), input, EVERYTHING);
  return rows.map((row) => agentView(app, row, alive.has(row.host)));
}

async function load(app: NeutronApp, db: Db, id: string): Promise<Loaded> {
  const row = await findAgent(db, id);
  if (!row) throw agentNotFound(id);
  return agentView(app, row, app.hosts.names().includes(row.host));
}

export const getAgent = (app: NeutronApp, _ctx: Context, id: string): Promise<Loaded> => load(app, app.env.store.read, id);

export function updateAgentById(app: NeutronApp, ctx: Context, id: string, values: Values): Promise<Loaded> {
  return app.env.store.write(async (tx) => {
    authorizeUpdate(app, ctx, AGENT, await load(app, tx, id), values);
    const columns = {
      ...('admin_state_up' in values && { admin_state_up: toBit(values.admin_state_up === true) }),
      ...('description' in values && { description: values.description as string | null }),
    };
    if (Object.keys(columns).length > 0) await updateAgent(tx, id, columns);
    // what waited for an agent that is in service gets one now
    if ('admin_state_up' in values) tx.afterCommit(() => app.keeper.look());
    return load(app, tx, id);
  });
}

export function deleteAgentById(app: NeutronApp, ctx: Context, id: string): Promise<void> {
  return app.env.store.write(async (tx) => {
    authorizeDelete(app, ctx, AGENT, await load(app, tx, id));
    await deleteAgent(tx, id);
    app.scheduler.forget();
  });
}

/** Agents are what hosts do, so nobody makes one (neutron/extensions/agent.py). */
export async function createAgents(app: NeutronApp, ctx: Context, items: readonly Values[]): Promise<Loaded[]> {
  for (const values of items) authorizeChange(app.policy, ctx, AGENT, 'create', values, values);
  throw badRequest('agents', 'Agent creation using API is not supported.');
}
