import type { NovaSagas } from '../sagas/index.ts';
import { flavorOf, type ServerRow } from '../store/server.ts';
import { changeUsage } from '../store/usage.ts';
import type { Caller } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { serverLimits } from './server-quota.ts';
import { ACTION_RULES, POWER } from './server-states.ts';
import { beginAction, storedContext } from './servers.ts';

export interface ServerSoftDeleteApp {
  /** True where a server that is to be deleted is deleted for the time being alone: the operator keeps deleted servers, and it ran once. */
  applies(row: ServerRow): boolean;
  softDelete(caller: Caller, serverId: string): Promise<void>;
  restore(caller: Caller, serverId: string): Promise<void>;
}

export function createServerSoftDeleteApp(deps: NovaDeps, sagas: NovaSagas): ServerSoftDeleteApp {
  return {
    // what never ran, is in a task or is on no host has nothing to be restored to, and goes at once
    applies: (row) =>
      deps.options.reclaimServerMs > 0 && row.launched_at_ms !== null && row.task_state === null && row.host !== null && row.vm_state !== 'soft-delete',

    async softDelete(caller, serverId) {
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:servers:delete',
        rule: ACTION_RULES.softDelete,
        action: 'delete',
        taskState: 'soft-deleting',
        event: 'soft_delete.start',
        saga: sagas.softDelete,
        params: (row) => ({ serverId: row.id, ctx: storedContext(caller), vmState: row.vm_state, ran: row.power_state === POWER.running }),
      });
    },

    async restore(caller, serverId) {
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:os-deferred-delete:restore',
        rule: ACTION_RULES.restore,
        action: 'restore',
        taskState: 'restoring',
        event: 'restore.start',
        // it counts again from now on
        patch: { soft_deleted_at_ms: null },
        saga: sagas.restore,
        params: async (row, tx) => {
          const limits = await serverLimits(deps, tx, row.project_id, row.user_id);
          limits.fit(flavorOf(row), 1, 1);
          await changeUsage(tx, row.project_id, row.user_id, { instances: 1, cores: row.vcpus, ramMb: row.memory_mb });
          return { serverId: row.id, ctx: storedContext(caller) };
        },
      });
    },
  };
}
