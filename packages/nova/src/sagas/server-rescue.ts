import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type StepContext } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { POWER } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import { findBlockDevice, patchBlockDevice, removeBlockDevice } from '../store/block-device.ts';
import { findServerBrief } from '../store/server.ts';
import type { DiscardParams } from './disks-discard.ts';
import { clearOnHost } from './on-host.ts';
import { actionDone, actionFailed } from './outcome.ts';
import { localDisks, makeDisks } from './server-disks.ts';

export interface RescueParams {
  readonly serverId: string;
  readonly ctx: Context;
  /** The rescue disk's row. */
  readonly deviceId: string;
  readonly diskId: string;
  /** Its name in the guest, with which it begins to count. */
  readonly deviceName: string;
  /** The guest ran before. */
  readonly ran: boolean;
}

type Step = StepContext<{ readonly serverId: string }, unknown>;

const hostOf = async (step: Step): Promise<string> => {
  const server = await findServerBrief(step.db, step.params.serverId);
  if (server?.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
  return server.host;
};

/** Starts the guest anew from its rows. */
async function startAnew(deps: NovaDeps, step: Step): Promise<void> {
  const guest = await specOf(deps, step.db, step.params.serverId);
  if (guest?.row.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
  if (guest.portIds.length > 0) await deps.faces.neutron.makeLive(guest.portIds);
  await deps.hosts.get(guest.row.host).guests.rebootHard(guest.spec);
}

/**
 * Rescues a server: a disk is made from the rescue image → the guest is powered off → the disk begins to count (a row alone) → the guest is
 * started from it. A failure brings the server back to its own disks, running if it ran.
 */
export function serverRescueSaga(deps: NovaDeps): SagaDefinition<RescueParams> {
  return defineSaga<RescueParams, unknown>({
    name: 'nova.server.rescue',
    steps: [
      {
        name: 'disk',
        // an image may have to be fetched first
        deadlineMs: 1_800_000,
        async do(step) {
          const { serverId, deviceId, diskId } = step.params;
          const host = await hostOf(step);
          await makeDisks(deps, host, await localDisks(deps, step.db, serverId, null, { only: { [deviceId]: diskId }, signal: step.signal }), step.signal);
        },
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          const { diskId } = step.params;
          await clearOnHost(deps, server.host, step, [{ kind: 'disk', id: diskId }], (agent) => agent.disks.remove(diskId));
        },
      },
      {
        name: 'stop',
        deadlineMs: 300_000,
        async do(step) {
          await deps.hosts.get(await hostOf(step)).guests.shutDown(step.params.serverId, step.params.ran ? deps.options.shutdownGraceMs : 0);
        },
        // the rows say again what its own disks are
        async undo(step) {
          if (step.params.ran) await startAnew(deps, step);
          else await deps.hosts.get(await hostOf(step)).guests.shutDown(step.params.serverId, 0);
        },
      },
      {
        name: 'switch',
        commit: (tx, step) => patchBlockDevice(tx, step.params.deviceId, { device_name: step.params.deviceName }),
        undoCommit: (tx, step) => patchBlockDevice(tx, step.params.deviceId, { device_name: null }),
      },
      {
        name: 'spawn',
        deadlineMs: 300_000,
        do: (step) => startAnew(deps, step),
        async commit(tx, step) {
          const { serverId, ctx } = step.params;
          await actionDone(deps, tx, {
            serverId,
            requestId: ctx.requestId,
            event: 'rescue.end',
            patch: { vm_state: 'rescued', power_state: POWER.running, launched_at_ms: deps.env.clock.nowMs() },
          });
        },
        // its disks are free before others are put in their place
        async undo(step) {
          await deps.hosts.get(await hostOf(step)).guests.shutDown(step.params.serverId, 0);
        },
      },
    ],
    async onFailed(tx, step, failure) {
      const { serverId, ctx, deviceId, ran } = step.params;
      await removeBlockDevice(tx, deviceId);
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'rescue.error',
        patch: () => ({ vm_state: 'error', power_state: ran ? POWER.running : POWER.shutdown }),
      });
    },
  });
}

export interface UnrescueParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly deviceId: string;
  readonly deviceName: string;
}

/** Ends a rescue: power off at once → the rescue disk counts no more → the guest is started from its own disks; then the rescue disk goes. */
export function serverUnrescueSaga(deps: NovaDeps, discard: SagaDefinition<DiscardParams>): SagaDefinition<UnrescueParams> {
  const { env } = deps;
  /** The rescue disk's end, with its row's. */
  const letGo = async (tx: Tx, params: UnrescueParams): Promise<void> => {
    const { serverId, deviceId, ctx } = params;
    const device = await findBlockDevice(tx, deviceId);
    const server = await findServerBrief(tx, serverId);
    if (device?.disk_id == null) return;
    await removeBlockDevice(tx, deviceId);
    if (server?.host == null) return;
    await env.sagas.start<DiscardParams>(
      tx,
      discard,
      { host: server.host, diskIds: [device.disk_id], portIds: [] },
      { subject: `server:${serverId}`, requestId: ctx.requestId },
    );
  };
  return defineSaga<UnrescueParams, unknown>({
    name: 'nova.server.unrescue',
    steps: [
      {
        name: 'stop',
        deadlineMs: 300_000,
        // The guest that rescues is cut off, as upstream's is (nova/virt/libvirt/driver.py: unrescue). One that still boots would not hear that it is to
        // end, and could be reached for all of the grace: who waits for the server to answer would take it for the server.
        async do(step) {
          await deps.hosts.get(await hostOf(step)).guests.shutDown(step.params.serverId, 0);
        },
        undo: (step) => startAnew(deps, step),
      },
      {
        name: 'switch',
        commit: (tx, step) => patchBlockDevice(tx, step.params.deviceId, { device_name: null }),
        undoCommit: (tx, step) => patchBlockDevice(tx, step.params.deviceId, { device_name: step.params.deviceName }),
      },
      {
        name: 'spawn',
        deadlineMs: 300_000,
        do: (step) => startAnew(deps, step),
        async undo(step) {
          await deps.hosts.get(await hostOf(step)).guests.shutDown(step.params.serverId, 0);
        },
      },
    ],
    async onDone(tx, step) {
      const { serverId, ctx } = step.params;
      await letGo(tx, step.params);
      await actionDone(deps, tx, { serverId, requestId: ctx.requestId, event: 'unrescue.end', patch: { vm_state: 'active', power_state: POWER.running } });
    },
    async onFailed(tx, step, failure) {
      const { serverId, ctx } = step.params;
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'unrescue.error',
        patch: () => ({ vm_state: 'rescued', power_state: POWER.running }),
      });
    },
  });
}
