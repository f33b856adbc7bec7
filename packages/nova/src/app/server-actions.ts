import { isAdmin } from '@cairn/kit/context/context';
import { conflict } from '@cairn/kit/errors/errors';
import type { NovaSagas } from '../sagas/index.ts';
import type { PowerSagas } from '../sagas/server-power.ts';
import { finishAction, insertActions } from '../store/action.ts';
import { patchServer, type ServerPatch } from '../store/server.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { serverEvent } from './server-events.ts';
import type { ServerSoftDeleteApp } from './server-soft-delete.ts';
import { ACTION_RULES, type ActionName, checkAction, type TaskState, TASK_DEADLINE_MS } from './server-states.ts';
import { beginAction, storedContext, visibleServer } from './servers.ts';

/** One change of power: which rule it obeys, which policy it asks, what it says of itself. */
interface PowerRequest {
  readonly rule: ActionName;
  readonly policy: string;
  readonly action: string;
  readonly taskState: TaskState;
  readonly event: string;
  readonly saga: keyof PowerSagas;
}

const POWER_REQUESTS = {
  start: { rule: 'start', policy: 'servers:start', action: 'start', taskState: 'powering-on', event: 'power_on.start', saga: 'start' },
  stop: { rule: 'stop', policy: 'servers:stop', action: 'stop', taskState: 'powering-off', event: 'power_off.start', saga: 'stop' },
  softReboot: { rule: 'softReboot', policy: 'servers:reboot', action: 'reboot', taskState: 'rebooting', event: 'reboot.start', saga: 'soft_reboot' },
  hardReboot: { rule: 'hardReboot', policy: 'servers:reboot', action: 'reboot', taskState: 'rebooting_hard', event: 'reboot.start', saga: 'hard_reboot' },
  pause: { rule: 'pause', policy: 'os-pause-server:pause', action: 'pause', taskState: 'pausing', event: 'pause.start', saga: 'pause' },
  unpause: { rule: 'unpause', policy: 'os-pause-server:unpause', action: 'unpause', taskState: 'unpausing', event: 'unpause.start', saga: 'unpause' },
  suspend: { rule: 'suspend', policy: 'os-suspend-server:suspend', action: 'suspend', taskState: 'suspending', event: 'suspend.start', saga: 'suspend' },
  resume: { rule: 'resume', policy: 'os-suspend-server:resume', action: 'resume', taskState: 'resuming', event: 'resume.start', saga: 'resume' },
} as const satisfies Readonly<Record<string, PowerRequest>>;
export type PowerName = keyof typeof POWER_REQUESTS;

/** What can be done to a server. */
export interface ServerActionsApp {
  power(caller: Caller, serverId: string, name: PowerName): Promise<void>;
  remove(caller: Caller, serverId: string, force: boolean): Promise<void>;
  lock(caller: Caller, serverId: string, reason: string | undefined): Promise<void>;
  unlock(caller: Caller, serverId: string): Promise<void>;
  resetState(caller: Caller, serverId: string, state: 'active' | 'error'): Promise<void>;
  crashDump(caller: Caller, serverId: string): Promise<void>;
  /** Brings a server's ports on its host in line with what neutron says of them. */
  refreshNetwork(caller: Caller, serverId: string): Promise<void>;
}

export function createServerActionsApp(deps: NovaDeps, sagas: NovaSagas, softDelete: ServerSoftDeleteApp): ServerActionsApp {
  const { env, options } = deps;

  /** An action that is over as soon as its rows are written. */
  const atOnce = async (
    caller: Caller,
    serverId: string,
    policy: string,
    action: string,
    event: string,
    patchOf: (row: Awaited<ReturnType<typeof visibleServer>>) => ServerPatch | undefined,
  ): Promise<void> => {
    await env.store.write(async (tx) => {
      const row = await visibleServer(tx, caller, serverId);
      caller.authorize(policy, targetOf(row));
      const patch = patchOf(row);
      if (patch === undefined) return;
      const nowMs = env.clock.nowMs();
      await patchServer(tx, row.id, { ...patch, updated_at_ms: nowMs });
      await insertActions(tx, [
        { serverId: row.id, requestId: caller.requestId, action, userId: caller.ctx.userId, projectId: caller.ctx.projectId ?? row.project_id, atMs: nowMs },
      ]);
      await finishAction(tx, row.id, caller.requestId, null, nowMs);
      await env.events.emit(tx, serverEvent(event, { ...row, ...(patch as Partial<typeof row>) }, caller.requestId));
    });
  };

  return {
    async power(caller, serverId, name) {
      const request = POWER_REQUESTS[name];
      await beginAction(deps, caller, {
        serverId,
        policy: `os_compute_api:${request.policy}`,
        rule: ACTION_RULES[request.rule],
        action: request.action,
        taskState: request.taskState,
        event: request.event,
        saga: sagas.power[request.saga],
        params: (row) => ({ serverId: row.id, ctx: storedContext(caller) }),
      });
    },

    async remove(caller, serverId, force) {
      if (!force && options.reclaimServerMs > 0) {
        const row = await visibleServer(env.store.read, caller, serverId);
        if (softDelete.applies(row)) return await softDelete.softDelete(caller, serverId);
      }
      await env.store.write(async (tx) => {
        const row = await visibleServer(tx, caller, serverId);
        caller.authorize(force ? 'os_compute_api:os-deferred-delete:force' : 'os_compute_api:servers:delete', targetOf(row));
        checkAction(row, force ? ACTION_RULES.forceDelete : ACTION_RULES.delete, isAdmin(caller.ctx));
        if (row.task_state === 'deleting') return;
        const nowMs = env.clock.nowMs();
        const task = { task_state: 'deleting', task_deadline_at_ms: nowMs + TASK_DEADLINE_MS.deleting };
        // the mark comes first: sagas that the next call ends here see it, and leave the server's state to the deletion
        await patchServer(tx, row.id, { ...task, updated_at_ms: nowMs });
        const subject = `server:${row.id}`;
        await env.sagas.cancel(tx, subject);
        await insertActions(tx, [
          {
            serverId: row.id,
            requestId: caller.requestId,
            action: 'delete',
            userId: caller.ctx.userId,
            projectId: caller.ctx.projectId ?? row.project_id,
            atMs: nowMs,
          },
        ]);
        await env.events.emit(tx, serverEvent('delete.start', { ...row, ...task }, caller.requestId));
        await env.sagas.start(
          tx,
          sagas.remove,
          { serverId: row.id, ctx: storedContext(caller) },
          { subject, requestId: caller.requestId, userId: caller.ctx.userId, projectId: row.project_id },
        );
      });
    },

    lock: (caller, serverId, reason) =>
      atOnce(caller, serverId, 'os_compute_api:os-lock-server:lock', 'lock', 'lock', (row) => {
        const owner = row.project_id === caller.ctx.projectId;
        // an owner's second lock changes nothing; an administrator's takes the first over
        if (row.locked === 1 && owner) return undefined;
        return { locked: 1, locked_by: owner ? 'owner' : 'admin', ...(reason === undefined ? {} : { locked_reason: reason }) };
      }),

    unlock: (caller, serverId) =>
      atOnce(caller, serverId, 'os_compute_api:os-lock-server:unlock', 'unlock', 'unlock', (row) => {
        const expected = row.project_id === caller.ctx.projectId ? 'owner' : 'admin';
        if (row.locked_by !== null && row.locked_by !== expected) caller.authorize('os_compute_api:os-lock-server:unlock:unlock_override', targetOf(row));
        return { locked: 0, locked_by: null, locked_reason: null };
      }),

    resetState: (caller, serverId, state) =>
      atOnce(caller, serverId, 'os_compute_api:os-admin-actions:reset_state', 'resetState', 'update', () => ({
        vm_state: state,
        task_state: null,
        task_deadline_at_ms: null,
      })),

    async refreshNetwork(caller, serverId) {
      const row = await visibleServer(env.store.read, caller, serverId);
      caller.authorize('os_compute_api:os-admin-actions:inject_network_info', targetOf(row));
      if (row.locked === 1 && !isAdmin(caller.ctx)) throw conflict(`Instance ${row.id} is locked`);
      const ports = await deps.faces.neutron.portsOfDevice(env.store.read, row.id);
      if (row.host !== null && ports.length > 0) await deps.faces.neutron.makeLive(ports.map((port) => port.id));
    },

    async crashDump(caller, serverId) {
      const row = await visibleServer(env.store.read, caller, serverId);
      caller.authorize('os_compute_api:servers:trigger_crash_dump', targetOf(row));
      checkAction(row, ACTION_RULES.triggerCrashDump, isAdmin(caller.ctx));
      await deps.hosts.get(row.host as string).guests.interrupt(row.id);
      await atOnce(caller, serverId, 'os_compute_api:servers:trigger_crash_dump', 'trigger_crash_dump', 'trigger_crash_dump.end', () => ({}));
    },
  };
}
