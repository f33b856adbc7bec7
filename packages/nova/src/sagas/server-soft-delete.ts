import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { POWER } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import { findServer, findServerBrief } from '../store/server.ts';
import { changeUsage } from '../store/usage.ts';
import { actionDone, actionFailed } from './outcome.ts';

export interface SoftDeleteParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly vmState: string;
  /** The guest ran, and is started again when the deletion fails. */
  readonly ran: boolean;
}

/** Deletes a server for the time being: its guest is powered off and its quota given back; everything else waits for its end or its restoration. */
export function serverSoftDeleteSaga(deps: NovaDeps): SagaDefinition<SoftDeleteParams> {
  const { env, hosts, faces } = deps;
  return defineSaga<SoftDeleteParams, unknown>({
    name: 'nova.server.soft_delete',
    steps: [
      {
        name: 'power_off',
        deadlineMs: 300_000,
        async do(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host != null) await hosts.get(server.host).guests.shutDown(server.id, deps.options.shutdownGraceMs);
        },
        async undo(step) {
          if (!step.params.ran) return;
          const guest = await specOf(deps, step.db, step.params.serverId);
          if (guest?.row.host == null) return;
          if (guest.portIds.length > 0) await faces.neutron.makeLive(guest.portIds);
          await hosts.get(guest.row.host).guests.start(guest.spec);
        },
      },
    ],
    async onDone(tx, step) {
      const { serverId, ctx } = step.params;
      const row = await findServer(tx, serverId);
      if (row === undefined) return;
      await changeUsage(tx, row.project_id, row.user_id, { instances: -1, cores: -row.vcpus, ramMb: -row.memory_mb });
      await actionDone(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        event: 'soft_delete.end',
        patch: { vm_state: 'soft-delete', power_state: POWER.shutdown, soft_deleted_at_ms: env.clock.nowMs() },
      });
    },
    async onFailed(tx, step, failure) {
      const { serverId, ctx, vmState, ran } = step.params;
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'soft_delete.error',
        patch: (row) => ({ vm_state: ran ? 'active' : vmState, power_state: ran ? POWER.running : row.power_state, fault_json: row.fault_json }),
      });
    },
  });
}

export interface RestoreParams {
  readonly serverId: string;
  readonly ctx: Context;
}

/** Brings a soft-deleted server back: its guest is started. Its quota was taken when the request was accepted. */
export function serverRestoreSaga(deps: NovaDeps): SagaDefinition<RestoreParams> {
  const { hosts, faces, env } = deps;
  return defineSaga<RestoreParams, unknown>({
    name: 'nova.server.restore',
    steps: [
      {
        name: 'power_on',
        deadlineMs: 300_000,
        async do(step) {
          const guest = await specOf(deps, step.db, step.params.serverId);
          if (guest?.row.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          if (guest.portIds.length > 0) await faces.neutron.makeLive(guest.portIds, step.signal);
          await hosts.get(guest.row.host).guests.start(guest.spec);
        },
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host != null) await hosts.get(server.host).guests.shutDown(server.id, 0);
        },
      },
    ],
    async onDone(tx, step) {
      const { serverId, ctx } = step.params;
      await actionDone(deps, tx, { serverId, requestId: ctx.requestId, event: 'restore.end', patch: { vm_state: 'active', power_state: POWER.running } });
    },
    async onFailed(tx, step, failure) {
      const { serverId, ctx } = step.params;
      const row = await findServer(tx, serverId);
      // a deletion that came meanwhile gives the quota back itself
      if (row !== undefined && row.task_state !== 'deleting') {
        await changeUsage(tx, row.project_id, row.user_id, { instances: -1, cores: -row.vcpus, ramMb: -row.memory_mb });
      }
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'restore.error',
        patch: () => ({ soft_deleted_at_ms: env.clock.nowMs() }),
      });
    },
  });
}
