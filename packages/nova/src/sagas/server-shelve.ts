import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type StepContext } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { POWER, TASK_DEADLINE_MS } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import { powerOf } from '../hosts/power.ts';
import { blockDevicesOf, patchBlockDevice } from '../store/block-device.ts';
import { findServerBrief, patchServer } from '../store/server.ts';
import { portsOf } from '../store/server-port.ts';
import type { DiscardParams } from './disks-discard.ts';
import { disconnectVolumes } from './server-volumes.ts';
import { clearOnHost } from './on-host.ts';
import { actionDone, actionFailed } from './outcome.ts';
import { giveRoomBack } from '../topology/room.ts';

export interface ShelveParams {
  readonly serverId: string;
  readonly ctx: Context;
  /** The image that its root disk is kept in; null for a server that boots from a volume. */
  readonly imageId: string | null;
  /** What it was before, for the way back. */
  readonly vmState: string;
  /** The guest ran, and is started again when shelving fails. */
  readonly ran: boolean;
  /** It leaves its host at once. */
  readonly offloads: boolean;
}

export interface OffloadParams {
  readonly serverId: string;
  readonly ctx: Context;
}

/** Shelves a server: power off → its root disk goes into an image. Then, unless the operator says otherwise, it leaves its host. */
export function serverShelveSaga(deps: NovaDeps, offload: SagaDefinition<OffloadParams>): SagaDefinition<ShelveParams> {
  const { env, faces, hosts } = deps;
  const hostOf = async (step: StepContext<ShelveParams, unknown>): Promise<string> => {
    const server = await findServerBrief(step.db, step.params.serverId);
    if (server?.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
    return server.host;
  };
  return defineSaga<ShelveParams, unknown>({
    name: 'nova.server.shelve',
    steps: [
      {
        name: 'power_off',
        deadlineMs: 300_000,
        async do(step) {
          await hosts.get(await hostOf(step)).guests.shutDown(step.params.serverId, step.params.ran ? deps.options.shutdownGraceMs : 0);
        },
        async commit(tx, step) {
          await patchServer(tx, step.params.serverId, {
            power_state: POWER.shutdown,
            ...(step.params.imageId === null ? {} : { task_state: 'shelving_image_uploading' }),
            updated_at_ms: env.clock.nowMs(),
          });
        },
        async undo(step) {
          if (!step.params.ran) return;
          const guest = await specOf(deps, step.db, step.params.serverId);
          if (guest?.row.host == null) return;
          if (guest.portIds.length > 0) await faces.neutron.makeLive(guest.portIds);
          await hosts.get(guest.row.host).guests.start(guest.spec);
        },
      },
      {
        name: 'upload',
        deadlineMs: 3_600_000,
        async do(step) {
          const { serverId, imageId } = step.params;
          if (imageId === null) return;
          const root = (await blockDevicesOf(step.db, serverId)).find((device) => device.boot_index === 0);
          if (root?.disk_id == null) throw notFound(`Instance ${serverId} could not be found.`);
          const { stream } = await hosts.get(await hostOf(step)).disks.export(root.disk_id, { format: 'qcow2' });
          try {
            await faces.glance.upload(imageId, stream, step.signal);
          } finally {
            stream.destroy();
          }
        },
        async undo(step) {
          if (step.params.imageId !== null) await faces.glance.discard(step.params.imageId);
        },
      },
    ],
    async onDone(tx, step) {
      const { serverId, ctx, imageId, offloads } = step.params;
      const nowMs = env.clock.nowMs();
      await actionDone(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        event: 'shelve.end',
        patch: {
          vm_state: 'shelved',
          power_state: POWER.shutdown,
          shelved_at_ms: nowMs,
          shelved_image_id: imageId,
          fault_json: null,
          ...(offloads ? { task_state: 'shelving_offloading', task_deadline_at_ms: nowMs + TASK_DEADLINE_MS.shelving_offloading } : {}),
        },
      });
      if (offloads) await env.sagas.start<OffloadParams>(tx, offload, { serverId, ctx }, { subject: `server:${serverId}`, requestId: ctx.requestId });
    },
    async onFailed(tx, step, failure) {
      const { serverId, ctx, imageId, vmState, ran } = step.params;
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'shelve.error',
        // a suspended or paused guest's memory went with its power
        patch: (row) => ({
          vm_state: ran ? 'active' : vmState === 'stopped' ? 'stopped' : row.power_state === POWER.shutdown ? 'stopped' : vmState,
          power_state: ran ? POWER.running : row.power_state,
        }),
      });
      if (imageId !== null) tx.afterCommit(() => void faces.glance.discard(imageId).catch(() => undefined));
    },
  });
}

/**
 * Takes a shelved server off its host. Its guest goes first; then one transaction gives back the host's room, unbinds ports, leaves volumes
 * reserved, and starts the removal of its disks there: what is in the rows is true from that moment on.
 */
export function serverOffloadSaga(deps: NovaDeps, discard: SagaDefinition<DiscardParams>): SagaDefinition<OffloadParams> {
  const { env, faces } = deps;
  return defineSaga<OffloadParams, unknown>({
    name: 'nova.server.shelve_offload',
    steps: [
      {
        name: 'offload',
        deadlineMs: 120_000,
        async do(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          await deps.hosts.get(server.host).guests.remove(server.id);
          await disconnectVolumes(deps, step.db, server.id, server.host);
        },
        // it is off and is made anew from its disks when it comes back; what is left of it goes either way
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          await clearOnHost(deps, server.host, step, [{ kind: 'guest', id: server.id }], (agent) => agent.guests.remove(server.id));
        },
      },
    ],
    async onDone(tx, step) {
      const { serverId, ctx } = step.params;
      const server = await findServerBrief(tx, serverId);
      if (server?.host == null) return;
      const [devices, ports] = [await blockDevicesOf(tx, serverId), await portsOf(tx, serverId)];
      const portIds = ports.map((port) => port.port_id);
      if (portIds.length > 0) await faces.neutron.unbindPorts(tx, portIds);
      const diskIds: string[] = [];
      for (const device of devices) {
        if (device.attachment_id !== null) await faces.cinder.release(tx, device.attachment_id);
        if (device.disk_id === null) continue;
        if (device.destination_type === 'local') diskIds.push(device.disk_id);
        // where it comes up again its disks are others
        await patchBlockDevice(tx, device.id, { disk_id: device.destination_type === 'local' ? env.ids.uuid() : null });
      }
      await giveRoomBack(deps, tx, serverId);
      await actionDone(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        event: 'shelve_offload.end',
        patch: { vm_state: 'shelved_offloaded', power_state: POWER.shutdown, host: null, node: null },
      });
      await env.sagas.start<DiscardParams>(tx, discard, { host: server.host, diskIds, portIds }, { subject: `server:${serverId}`, requestId: ctx.requestId });
    },
    async onFailed(tx, step, failure) {
      await actionFailed(deps, tx, {
        serverId: step.params.serverId,
        requestId: step.params.ctx.requestId,
        failure,
        event: 'shelve_offload.error',
        patch: (row) => ({ fault_json: row.fault_json }),
      });
    },
  });
}

export interface UnshelveHereParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly imageId: string | null;
}

/** Starts the removal of the image that a shelved server came back from. */
export const imageDropper =
  (deps: NovaDeps, discard: SagaDefinition<DiscardParams>) =>
  async (tx: Tx, { serverId, imageId, ctx }: { readonly serverId: string; readonly imageId: string | null; readonly ctx: Context }): Promise<void> => {
    if (imageId === null) return;
    await deps.env.sagas.start<DiscardParams>(
      tx,
      discard,
      { host: null, diskIds: [], portIds: [], imageId },
      { subject: `server:${serverId}`, requestId: ctx.requestId },
    );
  };

/** Brings a shelved server back on the host that it never left. */
export function serverUnshelveHereSaga(deps: NovaDeps, discard: SagaDefinition<DiscardParams>): SagaDefinition<UnshelveHereParams> {
  const { faces, hosts } = deps;
  const dropImage = imageDropper(deps, discard);
  return defineSaga<UnshelveHereParams, unknown>({
    name: 'nova.server.unshelve_here',
    steps: [
      {
        name: 'spawn',
        deadlineMs: 300_000,
        async do(step) {
          const guest = await specOf(deps, step.db, step.params.serverId);
          if (guest?.row.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          if (guest.portIds.length > 0) await faces.neutron.makeLive(guest.portIds, step.signal);
          return powerOf((await hosts.get(guest.row.host).guests.start(guest.spec)).state);
        },
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host != null) await hosts.get(server.host).guests.shutDown(server.id, 0);
        },
      },
    ],
    async onDone(tx, step) {
      const { serverId, ctx } = step.params;
      await actionDone(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        event: 'unshelve.end',
        patch: { vm_state: 'active', power_state: POWER.running, shelved_at_ms: null, shelved_image_id: null },
      });
      await dropImage(tx, step.params);
    },
    async onFailed(tx, step, failure) {
      await actionFailed(deps, tx, {
        serverId: step.params.serverId,
        requestId: step.params.ctx.requestId,
        failure,
        event: 'unshelve.error',
        patch: (row) => ({ fault_json: row.fault_json }),
      });
    },
  });
}
