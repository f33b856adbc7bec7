import type { Context } from '@cairn/kit/context/context';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { serverEvent } from '../app/server-events.ts';
import { finishAction } from '../store/action.ts';
import { blockDevicesOf, removeBlockDevicesOf } from '../store/block-device.ts';
import { removeConsoleTokensOf } from '../store/console-token.ts';
import { findServer, findServerBrief, patchServer } from '../store/server.ts';
import { removeGroupMember } from '../store/server-group.ts';
import { portsOf, removeServerPortsOf } from '../store/server-port.ts';
import { changeUsage } from '../store/usage.ts';
import { clearOtherSides, forgetOtherSides } from './move-remains.ts';
import { clearOnHost, clearPorts } from './on-host.ts';
import { actionFailed } from './outcome.ts';
import { diskLeftovers, removeDisks } from './server-disks.ts';
import { removeTpm } from '../store/tpm.ts';
import { giveRoomBack } from '../topology/room.ts';

export interface DeleteServerParams {
  readonly serverId: string;
  readonly ctx: Context;
}

/**
 * Ends a server: stop (the guest goes, ports and volumes are given back as rows) → clean_up (disks and taps go, the claim is released, the
 * row is marked deleted). It waits for a create that is being unwound; everything it finds gone already is fine. There is no way back:
 * when it fails for good the server is in error, and can be deleted again.
 */
export function serverDeleteSaga(deps: NovaDeps): SagaDefinition<DeleteServerParams> {
  const { faces, env } = deps;
  return defineSaga<DeleteServerParams, unknown>({
    name: 'nova.server.delete',
    steps: [
      {
        name: 'stop',
        deadlineMs: 120_000,
        attempts: 5,
        async do(step) {
          const { serverId } = step.params;
          const server = await findServerBrief(step.db, serverId);
          if (server?.host != null) await clearOnHost(deps, server.host, step, [{ kind: 'guest', id: serverId }], (agent) => agent.guests.remove(serverId));
        },
        async commit(tx, step) {
          const { serverId, ctx } = step.params;
          const ports = await portsOf(tx, serverId);
          const ids = (owned: number): string[] => ports.filter((port) => port.owned === owned).map((port) => port.port_id);
          if (ids(1).length > 0) await faces.neutron.releasePorts(tx, ids(1), { delete: true });
          if (ids(0).length > 0) await faces.neutron.releasePorts(tx, ids(0), { delete: false });
          // the rows of its interfaces and disks stay until those are off the host, so that a second try knows of them
          for (const device of await blockDevicesOf(tx, serverId)) {
            if (device.attachment_id === null) continue;
            await faces.cinder.detach(tx, device.attachment_id);
            if (device.delete_on_termination === 1 && device.volume_id !== null) await faces.cinder.deleteVolume(tx, ctx, device.volume_id);
          }
        },
      },
      {
        name: 'clean_up',
        deadlineMs: 120_000,
        attempts: 5,
        async do(step) {
          const { serverId } = step.params;
          const [server, devices, ports] = await Promise.all([
            findServerBrief(step.db, serverId),
            blockDevicesOf(step.db, serverId),
            portsOf(step.db, serverId),
          ]);
          const imageId = (await findServer(step.db, serverId))?.shelved_image_id;
          await Promise.all([
            // the image of a shelved server goes with it
            imageId == null ? undefined : faces.glance.discard(imageId),
            clearOtherSides(deps, step, serverId),
            server?.host == null ? undefined : clearOnHost(deps, server.host, step, diskLeftovers(devices), (agent) => removeDisks(agent, devices)),
            clearPorts(
              deps,
              step,
              ports.map((port) => port.port_id),
            ),
          ]);
        },
        async commit(tx, step) {
          const { serverId, ctx } = step.params;
          const row = await findServer(tx, serverId);
          if (row === undefined || row.deleted === 1) return;
          const nowMs = env.clock.nowMs();
          const patch = {
            deleted: 1,
            deleted_at_ms: nowMs,
            terminated_at_ms: nowMs,
            vm_state: 'deleted',
            task_state: null,
            task_deadline_at_ms: null,
            power_state: 0,
            soft_deleted_at_ms: null,
            shelved_at_ms: null,
            shelved_image_id: null,
            updated_at_ms: nowMs,
          };
          await patchServer(tx, serverId, patch);
          // a soft-deleted server gave its quota back when it was
          if (row.soft_deleted_at_ms === null) await changeUsage(tx, row.project_id, row.user_id, { instances: -1, cores: -row.vcpus, ramMb: -row.memory_mb });
          await giveRoomBack(deps, tx, serverId);
          await forgetOtherSides(deps, tx, serverId);
          await removeTpm(tx, serverId);
          await removeBlockDevicesOf(tx, serverId);
          await removeServerPortsOf(tx, serverId);
          await removeGroupMember(tx, serverId);
          await removeConsoleTokensOf(tx, serverId);
          await finishAction(tx, serverId, ctx.requestId, null, nowMs);
          await env.events.emit(tx, serverEvent('delete.end', { ...row, ...patch }, ctx.requestId));
        },
      },
    ],
    async onFailed(tx, step, failure) {
      const { serverId, ctx } = step.params;
      // past the mark `deleting`, or actionFailed would leave the server to a delete saga that no longer is
      await patchServer(tx, serverId, { task_state: null, updated_at_ms: env.clock.nowMs() });
      await actionFailed(deps, tx, { serverId, requestId: ctx.requestId, failure, event: 'delete.error', patch: () => ({ vm_state: 'error' }) });
    },
  });
}
