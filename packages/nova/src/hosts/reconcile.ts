import type { HostEvent } from '@cairn/host/interface/agent';
import type { GuestInfo } from '@cairn/host/interface/guests';
import type { Timer } from '@cairn/kit/clock/clock';
import type { Logger } from '@cairn/kit/log/log';
import type { NovaDeps } from '../app/deps.ts';
import { serverEvent } from '../app/server-events.ts';
import { POWER } from '../app/server-states.ts';
import { keepAllocationOn } from '../sagas/server-evacuate.ts';
import type { NovaSagas } from '../sagas/index.ts';
import { insertActions } from '../store/action.ts';
import { leftoversOf, removeLeftover } from '../store/leftover.ts';
import { evacuationsFrom, findMigration, patchMigration, unconfirmedSince } from '../store/migration.ts';
import { findServer, findServerBrief, overdueServers, patchServer, type ServerBrief, serversOfHost } from '../store/server.ts';
import { hasEnded, powerOf } from './power.ts';
import { ownContext, takeUpWaiting } from './waiting-servers.ts';

/** How many overdue servers one round takes on. */
const ROUND = 100;

/**
 * Brings rows and guests together again: a guest that ended by itself stops its server, a guest that nobody owns is removed, a task that
 * outlived its deadline is settled (upstream: nova/compute/manager.py, _sync_power_states and _cleanup_running_deleted_instances).
 */
export class Reconciler {
  readonly #deps: NovaDeps;
  readonly #sagas: NovaSagas;
  readonly #log: Logger;
  #timer: Timer | undefined;
  #unlisten: (() => void) | undefined;
  #stopped = false;
  readonly #working = new Set<Promise<void>>();

  constructor(deps: NovaDeps, sagas: NovaSagas) {
    this.#deps = deps;
    this.#sagas = sagas;
    this.#log = deps.env.log.child({ part: 'nova.reconcile' });
  }

  start(): void {
    this.#unlisten = this.#deps.hosts.onEvent((host, event) => this.#track(this.#handle(host, event)));
    this.#deps.secondLooks.start((serverId) => this.#lookAgain(serverId));
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#unlisten?.();
    this.#timer?.cancel();
    this.#deps.secondLooks.stop();
    await Promise.all(this.#working);
  }

  /** Compares a host's guests with its servers; for a host that came (back), and every round. */
  async syncHost(host: string): Promise<void> {
    const { hosts, env } = this.#deps;
    const agent = hosts.get(host);
    await this.#clearLeftovers(host);
    await this.#endEvacuations(host);
    // guests first: a server that is made meanwhile has its row before its guest
    const guests = new Map((await agent.guests.list()).map((guest) => [guest.guestId, guest]));
    const servers = await serversOfHost(env.store.read, host);
    for (const server of servers) {
      if (isBusy(server)) continue;
      const state = guests.get(server.id)?.state ?? 'absent';
      if (differs(server, powerOf(state))) await this.#syncServer(server.id, powerOf(state), 'its host was asked');
    }
    const mine = new Set(servers.map((server) => server.id));
    for (const guest of guests.values()) if (!mine.has(guest.guestId)) await this.#removeOrphan(host, guest);
  }

  /** Everything once: all hosts, and servers whose task is overdue. */
  async round(): Promise<void> {
    for (const host of this.#deps.hosts.names()) {
      try {
        await this.syncHost(host);
      } catch (error) {
        this.#log.warn({ host, err: error }, 'a host could not be compared with its servers');
      }
    }
    await this.settleOverdue();
    await takeUpWaiting(this.#deps, this.#sagas);
    await this.confirmResizes();
  }

  /** Confirms resizes that nobody confirmed or reverted in time (upstream: _poll_unconfirmed_resizes). */
  async confirmResizes(): Promise<void> {
    const { env, options } = this.#deps;
    if (options.resizeConfirmMs <= 0) return;
    for (const migration of await unconfirmedSince(env.store.read, env.clock.nowMs() - options.resizeConfirmMs, ROUND)) {
      await env.store.write(async (tx) => {
        const [row, now] = [await findServer(tx, migration.server_id), await findMigration(tx, migration.id)];
        if (row === undefined || row.deleted === 1 || row.vm_state !== 'resized' || row.task_state !== null || now?.status !== 'finished') return;
        const requestId = `req-${env.ids.uuid()}`;
        const nowMs = env.clock.nowMs();
        await patchMigration(tx, migration.id, { status: 'confirming', updated_at_ms: nowMs });
        await insertActions(tx, [{ serverId: row.id, requestId, action: 'confirmResize', userId: row.user_id, projectId: row.project_id, atMs: nowMs }]);
        await env.sagas.start(
          tx,
          this.#sagas.confirmResize,
          { serverId: row.id, ctx: ownContext(row, requestId), migrationId: migration.id },
          { subject: `server:${row.id}`, requestId, projectId: row.project_id },
        );
      });
    }
  }

  /** A host is back whose servers were built anew elsewhere: the room that they held here is free again. */
  async #endEvacuations(host: string): Promise<void> {
    const { env } = this.#deps;
    for (const migration of await evacuationsFrom(env.store.read, host)) {
      await env.store.write(async (tx) => {
        await keepAllocationOn(this.#deps, tx, migration, 'dest');
        await patchMigration(tx, migration.id, { status: 'completed', updated_at_ms: env.clock.nowMs() });
      });
    }
  }

  /** Starts the settling of servers whose task has outlived its deadline. */
  async settleOverdue(): Promise<void> {
    const { env } = this.#deps;
    const overdue = await overdueServers(env.store.read, env.clock.nowMs(), ROUND);
    for (const server of overdue) {
      await env.store.write(async (tx) => {
        const row = await findServer(tx, server.id);
        if (row === undefined || row.task_state === null || row.task_deadline_at_ms === null || row.task_deadline_at_ms > env.clock.nowMs()) return;
        this.#log.warn({ serverId: row.id, taskState: row.task_state }, "a server's task has outlived its deadline");
        const requestId = `req-${env.ids.uuid()}`;
        await env.sagas.start(
          tx,
          this.#sagas.settle,
          { serverId: row.id, taskState: row.task_state, requestId },
          { subject: `server:${row.id}`, requestId, projectId: row.project_id },
        );
      });
    }
  }

  async #handle(host: string, event: HostEvent): Promise<void> {
    if (event.kind === 'trouble') {
      this.#log.warn({ host, subject: event.subject }, event.message);
      return;
    }
    if (event.kind !== 'guest') return;
    const server = await findServerBrief(this.#deps.env.store.read, event.guestId);
    if (server === undefined || server.deleted === 1) return;
    // while an action runs, changes of power may be its own; what it leaves is looked at when it is over
    if (isBusy(server)) this.#deps.secondLooks.add(server.id);
    else if (server.host === host) await this.#syncServer(server.id, powerOf(event.state), event.reason);
  }

  /** Compares one guest with its server, unless an action works on it. */
  async #lookAgain(serverId: string): Promise<'busy' | 'done'> {
    try {
      const server = await findServerBrief(this.#deps.env.store.read, serverId);
      if (server === undefined || server.deleted === 1) return 'done';
      if (isBusy(server)) return 'busy';
      if (server.host === null) return 'done';
      const power = powerOf((await this.#deps.hosts.get(server.host).guests.info(serverId)).state);
      if (differs(server, power)) await this.#syncServer(serverId, power, 'it did so while an action worked on it');
    } catch (error) {
      this.#log.warn({ serverId, err: error }, 'a guest could not be compared with its server; the next round does it');
    }
    return 'done';
  }

  /** Takes over what a guest does by itself. */
  async #syncServer(serverId: string, power: number, reason: string): Promise<void> {
    const { env } = this.#deps;
    await env.store.write(async (tx) => {
      const row = await findServer(tx, serverId);
      if (row === undefined || row.deleted === 1) return;
      if (isBusy(row)) {
        tx.afterCommit(() => this.#deps.secondLooks.add(serverId));
        return;
      }
      const nowMs = env.clock.nowMs();
      const gone = hasEnded(power);
      const requestId = `req-${env.ids.uuid()}`;
      if (gone && ['active', 'paused'].includes(row.vm_state)) {
        this.#log.warn({ serverId, power, reason }, 'a guest ended by itself; its server is stopped');
        const patch = { vm_state: 'stopped', power_state: POWER.shutdown, updated_at_ms: nowMs };
        await patchServer(tx, serverId, patch);
        await insertActions(tx, [{ serverId, requestId, action: 'stop', userId: row.user_id, projectId: row.project_id, atMs: nowMs }]);
        await env.events.emit(tx, serverEvent('power_off.end', { ...row, ...patch }, requestId, { reason }));
      } else if (power === POWER.running && row.vm_state === 'stopped') {
        this.#log.warn({ serverId, reason }, 'a stopped server has a running guest; it is stopped again');
        const task = { task_state: 'powering-off', task_deadline_at_ms: nowMs + 900_000, updated_at_ms: nowMs };
        await patchServer(tx, serverId, task);
        await insertActions(tx, [{ serverId, requestId, action: 'stop', userId: row.user_id, projectId: row.project_id, atMs: nowMs }]);
        await env.sagas.start(
          tx,
          this.#sagas.power.stop,
          { serverId, ctx: ownContext(row, requestId) },
          { subject: `server:${serverId}`, requestId, projectId: row.project_id },
        );
      } else if (differs(row, power)) {
        const vmState =
          power === POWER.running && row.vm_state === 'paused' ? 'active' : power === POWER.paused && row.vm_state === 'active' ? 'paused' : row.vm_state;
        const patch = { vm_state: vmState, power_state: shownPower(row, power), updated_at_ms: nowMs };
        await patchServer(tx, serverId, patch);
        await env.events.emit(tx, serverEvent('update', { ...row, ...patch }, requestId, { reason }));
      }
    });
  }

  async #removeOrphan(host: string, guest: GuestInfo): Promise<void> {
    const { env, hosts } = this.#deps;
    const server = await findServerBrief(env.store.read, guest.guestId);
    const owned = server !== undefined && server.deleted === 0 && (server.host === host || server.task_state !== null);
    if (owned) return;
    this.#log.warn({ host, guestId: guest.guestId, state: guest.state }, 'a guest belongs to no server; it is removed');
    await hosts.get(host).guests.remove(guest.guestId);
  }

  /** Removes what could not be removed while the host was away. */
  async #clearLeftovers(host: string): Promise<void> {
    const { env, hosts } = this.#deps;
    for (const leftover of await leftoversOf(env.store.read, host)) {
      const agent = hosts.get(host);
      // a server that came back here meanwhile has its guest here
      const server = leftover.kind === 'guest' ? await findServerBrief(env.store.read, leftover.id) : undefined;
      const isHere = server?.host === host && server.deleted === 0;
      if (isHere) this.#log.debug({ host, guestId: leftover.id }, 'a guest that was left behind is wanted again');
      else if (leftover.kind === 'guest') await agent.guests.remove(leftover.id);
      else await agent.disks.remove(leftover.id);
      await env.store.write((tx) => removeLeftover(tx, host, leftover));
    }
  }

  #track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.#log.error({ err: error }, 'an event of a host could not be handled'))
      .finally(() => this.#working.delete(tracked));
    this.#working.add(tracked);
  }

  #schedule(): void {
    if (this.#stopped) return;
    this.#timer = this.#deps.env.clock.after(this.#deps.options.reconcileMs, () => {
      this.#track(this.round().finally(() => this.#schedule()));
    });
  }
}

type Standing = Pick<ServerBrief, 'vm_state' | 'task_state' | 'power_state'>;

/** An action works on it, and says itself what came of it. */
const isBusy = (server: Standing): boolean => server.task_state !== null || server.vm_state === 'building';

/** Does a server's row say something else than its guest? */
function differs(server: Standing, power: number): boolean {
  if (server.vm_state === 'active') return power !== POWER.running;
  if (server.vm_state === 'paused') return power !== POWER.paused;
  if (server.vm_state === 'stopped') return power === POWER.running;
  return server.power_state !== shownPower(server, power);
}

/**
 * What a server shows of its guest. One that was rescued, or waits for its resize to be confirmed, keeps its state when its guest ends, for that
 * is left by its own action; that the guest is down is shown here. A guest that is off on purpose is not told from one that is not there.
 */
function shownPower({ vm_state: vmState, power_state: shown }: Standing, power: number): number {
  if (power === POWER.nostate) return shown === POWER.nostate ? shown : POWER.shutdown;
  const isOffOnPurpose = vmState === 'suspended' ? power === POWER.suspended : ['stopped', 'shelved', 'soft-delete'].includes(vmState) && hasEnded(power);
  return isOffOnPurpose ? POWER.shutdown : power;
}
