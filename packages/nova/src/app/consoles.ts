import { createHash } from 'node:crypto';
import type { Duplex } from 'node:stream';
import { CairnError, conflict, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { findConsoleToken, insertConsoleToken, takeConsoleToken } from '../store/console-token.ts';
import { findServerBrief } from '../store/server.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { invalidState } from './server-states.ts';
import { visibleServer } from './servers.ts';

export type ConsoleProtocol = 'vnc' | 'serial' | 'spice' | 'mks' | 'rdp';

/** What a pass opens, for administrators. */
export interface ConsoleFacts {
  readonly serverId: string;
  readonly host: string;
}

/** Passes to consoles, and what they open. A pass is used once; its text is nowhere kept. */
export class Consoles {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  /** A new pass to a server's console; returns its text. The kinds of consoles that no host of this cloud has are refused as upstream refuses them. */
  async pass(caller: Caller, serverId: string, protocol: ConsoleProtocol, type: string): Promise<string> {
    const { env, options } = this.#deps;
    const server = await visibleServer(env.store.read, caller, serverId);
    caller.authorize('os_compute_api:os-remote-consoles', targetOf(server));
    if (protocol === 'rdp') throw invalidInput('Unavailable console type rdp.');
    if (server.host === null) throw conflict(`Instance ${server.id} is not ready`);
    if (server.task_state === 'deleting' || server.task_state === 'migrating')
      throw invalidState(`get_${protocol}_console`, server.id, 'task_state', server.task_state);
    if (protocol === 'spice' || protocol === 'mks') throw invalidInput(`Unavailable console type ${type}.`);
    if (type !== (protocol === 'vnc' ? 'novnc' : 'serial')) throw invalidInput(`Invalid console type ${type}`);
    const token = env.ids.uuid();
    const { host } = server;
    await env.store.write(async (tx) => {
      const nowMs = env.clock.nowMs();
      const row = { token_hash: hashOf(token), server_id: server.id, console_type: type, host, expires_at_ms: nowMs + options.consoleTokenMs };
      await insertConsoleToken(tx, row, nowMs);
    });
    return token;
  }

  /** What a pass opens that was not used yet. Throws NotFound. */
  async facts(token: string): Promise<ConsoleFacts> {
    const { env } = this.#deps;
    const row = await findConsoleToken(env.store.read, hashOf(token), env.clock.nowMs());
    if (row === undefined) throw notFound('Token not found');
    return { serverId: row.server_id, host: row.host };
  }

  /** Uses a pass up and opens its console. Throws Forbidden for a pass that is none, was used or has expired. */
  async open(token: string, kind: 'novnc' | 'serial'): Promise<{ readonly serverId: string; readonly stream: Duplex }> {
    const { env, hosts } = this.#deps;
    const row = await env.store.write((tx) => takeConsoleToken(tx, hashOf(token), env.clock.nowMs()));
    const server = row === undefined ? undefined : await findServerBrief(env.store.read, row.server_id);
    // a server that moved or went since is not what the pass was for
    if (row === undefined || row.console_type !== kind || server === undefined || server.deleted === 1 || server.host !== row.host)
      throw new CairnError('Forbidden', 'The token is invalid or has expired');
    return { serverId: server.id, stream: await hosts.get(row.host).guests.console(server.id, kind === 'novnc' ? 'vnc' : 'serial') };
  }
}

const hashOf = (token: string): string => createHash('sha256').update(token).digest('hex');
