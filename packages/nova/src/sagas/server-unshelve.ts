import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Db } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { POWER } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import { blockDevicesOf, patchBlockDevice } from '../store/block-device.ts';
import { findServer, findServerBrief, patchServer } from '../store/server.ts';
import { portsOf } from '../store/server-port.ts';
import type { DiscardParams } from './disks-discard.ts';
import { clearOnHost, clearPorts } from './on-host.ts';
import { actionDone, actionFailed } from './outcome.ts';
import { diskLeftovers, localDisks, makeDisks, removeDisks } from './server-disks.ts';
import type { Placing } from './server-place.ts';
import { imageDropper } from './server-shelve.ts';
import { completeVolumes, connectVolumes, disconnectVolumes } from './server-volumes.ts';
import { portAllocations } from '../topology/port-room.ts';
import { giveRoomBack } from '../topology/room.ts';

export interface UnshelveParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly hasVolumes: boolean;
  /** The zone that it is pinned to now. */
  readonly zone: string | null;
  /** The zone that it shows while it is on no host. */
  readonly shownZone: string | null;
  /** The zone that it was pinned to before the request. */
  readonly pinnedBefore: string | null;
  readonly forcedHost: string | null;
  readonly forcedNode: string | null;
  readonly imageId: string | null;
}

/** Brings an offloaded server up on a host again: schedule → ports → disks_and_network → spawn, as at its creation, from the image that was made of it. */
export function serverUnshelveSaga(deps: NovaDeps, placing: Placing, discard: SagaDefinition<DiscardParams>): SagaDefinition<UnshelveParams> {
  const { faces, env } = deps;
  const dropImage = imageDropper(deps, discard);
  const needHost = async (db: Db, serverId: string): Promise<string> => {
    const server = await findServerBrief(db, serverId);
    if (server?.host == null) throw notFound(`Instance ${serverId} could not be found.`);
    return server.host;
  };
  return defineSaga<UnshelveParams, unknown>({
    name: 'nova.server.unshelve',
    steps: [
      {
        name: 'schedule',
        deadlineMs: 60_000,
        do: (step) => placing.find(step, step.params),
        commit: (tx, step) => placing.claim(tx, step, step.params, 'unshelving'),
        async undo(step) {
          placing.drop(step.params.serverId);
        },
        async undoCommit(tx, step) {
          const { serverId, shownZone } = step.params;
          await giveRoomBack(deps, tx, serverId);
          await patchServer(tx, serverId, { host: null, node: null, availability_zone: shownZone, updated_at_ms: env.clock.nowMs() });
        },
      },
      {
        name: 'ports',
        async commit(tx, step) {
          const { serverId } = step.params;
          const portIds = (await portsOf(tx, serverId)).map((port) => port.port_id);
          if (portIds.length === 0) return;
          const server = await findServer(tx, serverId);
          await faces.neutron.bindPorts(tx, portIds, {
            host: server?.host as string,
            deviceId: serverId,
            deviceOwner: `compute:${server?.availability_zone ?? deps.options.defaultAvailabilityZone}`,
            allocations: await portAllocations(tx, [serverId], server?.host as string),
          });
        },
        async undo(step) {
          const portIds = (await portsOf(step.db, step.params.serverId)).map((port) => port.port_id);
          if (portIds.length === 0) return;
          await env.store.write((tx) => faces.neutron.unbindPorts(tx, portIds));
          await clearPorts(deps, step, portIds);
        },
      },
      {
        name: 'disks_and_network',
        // an image may have to be fetched first
        deadlineMs: 1_800_000,
        async do(step) {
          const { serverId, imageId } = step.params;
          const host = await needHost(step.db, serverId);
          const portIds = (await portsOf(step.db, serverId)).map((port) => port.port_id);
          const [volumes] = await Promise.all([
            step.params.hasVolumes ? connectVolumes(deps, step.db, serverId, host) : [],
            localDisks(deps, step.db, serverId, null, imageId === null ? {} : { rootImageId: imageId }).then((disks) =>
              makeDisks(deps, host, disks, step.signal),
            ),
            portIds.length === 0 ? undefined : faces.neutron.makeLive(portIds, step.signal),
          ]);
          return { volumes };
        },
        async commit(tx, _step, output) {
          const { volumes } = output as { readonly volumes: readonly { readonly id: string; readonly diskId: string; readonly sizeGb: number }[] };
          for (const volume of volumes) await patchBlockDevice(tx, volume.id, { disk_id: volume.diskId, volume_size_gb: volume.sizeGb });
        },
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          const devices = await blockDevicesOf(step.db, step.params.serverId);
          await disconnectVolumes(deps, step.db, server.id, server.host);
          await clearOnHost(deps, server.host, step, diskLeftovers(devices), (agent) => removeDisks(agent, devices));
        },
        async undoCommit(tx, step) {
          for (const device of await blockDevicesOf(tx, step.params.serverId)) {
            if (device.attachment_id !== null) await faces.cinder.release(tx, device.attachment_id);
            // a disk that could not be removed now is removed later: the next try's is another
            await patchBlockDevice(tx, device.id, { disk_id: device.destination_type === 'local' ? env.ids.uuid() : null });
          }
        },
      },
      {
        name: 'spawn',
        deadlineMs: 300_000,
        async do(step) {
          const guest = await specOf(deps, step.db, step.params.serverId);
          if (guest?.row.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          await deps.hosts.get(guest.row.host).guests.start(guest.spec);
        },
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          await clearOnHost(deps, server.host, step, [{ kind: 'guest', id: server.id }], (agent) => agent.guests.remove(server.id));
        },
      },
    ],
    async onDone(tx, step) {
      const { serverId, ctx } = step.params;
      await completeVolumes(deps, tx, serverId);
      await actionDone(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        event: 'unshelve.end',
        patch: {
          vm_state: 'active',
          power_state: POWER.running,
          launched_at_ms: env.clock.nowMs(),
          shelved_at_ms: null,
          shelved_image_id: null,
          fault_json: null,
        },
      });
      await dropImage(tx, step.params);
    },
    async onFailed(tx, step, failure) {
      const { serverId, ctx, pinnedBefore } = step.params;
      if (failure.type === 'NoValidHost') step.log.warn({ serverId, reason: failure.message }, 'a shelved server could not be placed');
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'unshelve.error',
        patch: () => ({ vm_state: 'shelved_offloaded', power_state: POWER.shutdown, host: null, node: null, pinned_az: pinnedBefore }),
      });
    },
  });
}
