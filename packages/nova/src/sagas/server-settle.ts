import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { serverEvent } from '../app/server-events.ts';
import { POWER } from '../app/server-states.ts';
import { powerOf } from '../hosts/power.ts';
import { findServer, findServerBrief, patchServer, type ServerPatch, type ServerRow } from '../store/server.ts';

export interface SettleParams {
  readonly serverId: string;
  /** The task that the server was found in. */
  readonly taskState: string;
  readonly requestId: string;
}

/**
 * Ends a task that has outlived its deadline without a saga that would end it. It queues behind whatever still works on the server, so it
 * finds such a task only where that was lost. What the guest is in fact decides where the server stands; a server that never came up, or
 * never went, is in error.
 */
export function serverSettleSaga(deps: NovaDeps): SagaDefinition<SettleParams> {
  return defineSaga<SettleParams, unknown>({
    name: 'nova.server.settle',
    steps: [
      {
        name: 'settle',
        async do(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null || server.task_state !== step.params.taskState) return null;
          try {
            return powerOf((await deps.hosts.get(server.host).guests.info(server.id)).state);
          } catch (error) {
            step.log.warn({ serverId: server.id, err: error }, 'the guest of an overdue server cannot be asked for its state');
            return null;
          }
        },
      },
    ],
    async onDone(tx, step) {
      const row = await findServer(tx, step.params.serverId);
      const nowMs = deps.env.clock.nowMs();
      if (row === undefined || row.deleted === 1 || row.task_state !== step.params.taskState) return;
      if (row.task_deadline_at_ms === null || row.task_deadline_at_ms > nowMs) return;
      const patch = { ...settled(row, step.outputs['settle'] as number | null, nowMs), task_state: null, task_deadline_at_ms: null, updated_at_ms: nowMs };
      await patchServer(tx, row.id, patch);
      await deps.env.events.emit(tx, serverEvent('update', { ...row, ...(patch as Partial<ServerRow>) }, step.params.requestId));
    },
  });
}

function settled(row: ServerRow, power: number | null, nowMs: number): ServerPatch {
  const fault = JSON.stringify({ code: 500, message: `The server's task '${row.task_state}' did not end in time.`, createdAtMs: nowMs });
  if (row.vm_state === 'shelved_offloaded' && row.task_state !== 'deleting') return {};
  if (row.vm_state === 'building' || row.task_state === 'deleting' || power === null)
    return { vm_state: 'error', fault_json: fault, ...(power === null ? {} : { power_state: power }) };
  // what was to come back from rescue or from the shelf stands where it was, and can be asked for again
  if (['rescued', 'shelved', 'shelved_offloaded', 'soft-delete'].includes(row.vm_state)) return {};
  switch (power) {
    case POWER.running:
      return { vm_state: 'active', power_state: power };
    case POWER.paused:
      return { vm_state: 'paused', power_state: power };
    case POWER.suspended:
      return { vm_state: 'suspended', power_state: POWER.shutdown };
    case POWER.shutdown:
      return { vm_state: 'stopped', power_state: power };
    default:
      return { vm_state: 'error', power_state: power, fault_json: fault };
  }
}
