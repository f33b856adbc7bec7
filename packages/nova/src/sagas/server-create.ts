import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Db } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import type { CreateServerParams } from '../app/server-create.ts';
import { POWER } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import { blockDevicesOf, patchBlockDevice } from '../store/block-device.ts';
import { findServer, findServerBrief, patchServer } from '../store/server.ts';
import { removeServerPortsOf } from '../store/server-port.ts';
import { clearOnHost, clearPorts } from './on-host.ts';
import { actionDone, actionFailed } from './outcome.ts';
import { diskLeftovers, type LocalDisk, localDisks, removeDisks } from './server-disks.ts';
import { type FastStartOutcome, makeDisksFast, startOutcome } from './server-fast-start.ts';
import type { Placing } from './server-place.ts';
import { completeVolumes, createVolumes, discardVolumes, readyVolumes } from './server-volumes.ts';
import { portAllocations, refuseAskingPorts } from '../topology/port-room.ts';
import { giveRoomBack } from '../topology/room.ts';

/**
 * Builds a server: schedule (choose hosts, claim the first that still has room) → ports (and new volumes, as rows) → disks_and_network
 * (disks, volumes and taps on the host, side by side) → spawn.
 */
export function serverCreateSaga(deps: NovaDeps, placing: Placing): SagaDefinition<CreateServerParams> {
  const { faces, env } = deps;

  const needHost = async (db: Db, serverId: string): Promise<string> => {
    const server = await findServerBrief(db, serverId);
    if (server?.host == null) throw notFound(`Instance ${serverId} could not be found.`);
    return server.host;
  };

  return defineSaga<CreateServerParams, unknown>({
    name: 'nova.server.create',
    steps: [
      {
        name: 'schedule',
        deadlineMs: 60_000,
        async do(step) {
          await placing.find(step, step.params);
        },
        commit: (tx, step) => placing.claim(tx, step, step.params, 'networking'),
        async undo(step) {
          placing.drop(step.params.serverId);
        },
        async undoCommit(tx, step) {
          await giveRoomBack(deps, tx, step.params.serverId);
          await patchServer(tx, step.params.serverId, { host: null, node: null, availability_zone: step.params.zone, updated_at_ms: env.clock.nowMs() });
        },
      },
      {
        name: 'ports',
        async commit(tx, step) {
          const { serverId, ctx, ports } = step.params;
          const server = await findServer(tx, serverId);
          if (server === undefined) throw notFound(`Instance ${serverId} could not be found.`);
          const deviceOwner = `compute:${server.availability_zone ?? deps.options.defaultAvailabilityZone}`;
          const made = ports.filter((port) => !port.existing);
          if (made.length > 0) {
            await faces.neutron.createPorts(
              tx,
              ctx,
              made.map((plan) => ({
                plan,
                deviceId: serverId,
                deviceOwner,
                securityGroupIds: step.params.securityGroupIds ?? undefined,
                hostname: server.hostname,
              })),
            );
            await refuseAskingPorts(deps, tx, serverId, made);
          }
          if (ports.length > 0) {
            await faces.neutron.bindPorts(
              tx,
              ports.map((port) => port.portId),
              {
                host: server.host as string,
                deviceId: serverId,
                deviceOwner,
                ...(ports.some((port) => port.existing) ? { allocations: await portAllocations(tx, [serverId], server.host as string) } : {}),
              },
            );
          }
          if (step.params.hasVolumes) await createVolumes(deps, tx, ctx, serverId, server.host as string);
          await patchServer(tx, serverId, { task_state: 'block_device_mapping', updated_at_ms: env.clock.nowMs() });
        },
        async undo(step) {
          const { serverId, ctx, ports } = step.params;
          const ids = (existing: boolean): string[] => ports.filter((port) => port.existing === existing).map((port) => port.portId);
          await env.store.write(async (tx) => {
            if (ids(false).length > 0) await faces.neutron.releasePorts(tx, ids(false), { delete: true });
            if (ids(true).length > 0) await faces.neutron.releasePorts(tx, ids(true), { delete: false });
            if (step.params.hasVolumes) await discardVolumes(deps, tx, ctx, serverId);
          });
          await clearPorts(
            deps,
            step,
            ports.map((port) => port.portId),
          );
        },
      },
      {
        name: 'disks_and_network',
        // an image may have to be fetched first
        deadlineMs: 1_800_000,
        async do(step) {
          const { serverId, ctx, ports, adminPass } = step.params;
          const host = await needHost(step.db, serverId);
          const [[disks, fastStart], volumes] = await Promise.all([
            localDisks(deps, step.db, serverId, adminPass, { signal: step.signal }).then(async (wanted) => {
              return [wanted, await makeDisksFast(deps, step, serverId, host, wanted)] as const;
            }),
            step.params.hasVolumes ? readyVolumes(deps, step.db, ctx, serverId, host, step.signal) : [],
            ports.length === 0
              ? undefined
              : faces.neutron.makeLive(
                  ports.map((port) => port.portId),
                  step.signal,
                ),
          ]);
          return { disks: disks.map((disk: LocalDisk) => disk.diskId), volumes, ...(fastStart === undefined ? {} : { fastStart: { ...fastStart } }) };
        },
        async commit(tx, step, output) {
          const { volumes } = output as { readonly volumes: readonly { readonly id: string; readonly diskId: string; readonly sizeGb: number }[] };
          for (const volume of volumes) await patchBlockDevice(tx, volume.id, { disk_id: volume.diskId, volume_size_gb: volume.sizeGb });
          await patchServer(tx, step.params.serverId, { task_state: 'spawning', updated_at_ms: env.clock.nowMs() });
        },
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          const devices = await blockDevicesOf(step.db, step.params.serverId);
          await clearOnHost(deps, server.host, step, diskLeftovers(devices), (agent) => removeDisks(agent, devices));
        },
        async undoCommit(tx, step) {
          if (!step.params.hasVolumes) return;
          for (const device of await blockDevicesOf(tx, step.params.serverId)) {
            if (device.destination_type === 'volume') await patchBlockDevice(tx, device.id, { disk_id: null });
          }
        },
      },
      {
        name: 'spawn',
        deadlineMs: 300_000,
        async do(step) {
          const guest = await specOf(deps, step.db, step.params.serverId);
          if (guest?.row.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          const { host } = guest.row;
          const { guests } = deps.hosts.get(host);
          const templateId = (step.outputs['disks_and_network'] as { readonly fastStart?: FastStartOutcome }).fastStart?.templateId;
          const startedAtMs = env.clock.nowMs();
          try {
            const info = await guests.start(guest.spec, { templateId });
            placing.built(host, true);
            if (templateId !== undefined) return { fastStart: { ...startOutcome(info, startedAtMs, env.clock.nowMs(), templateId) } };
          } catch (error) {
            // what was called off says nothing about the host
            if (!step.signal.aborted) placing.built(host, false);
            throw error;
          }
        },
        async commit(tx, step) {
          const { serverId } = step.params;
          if (step.params.hasVolumes) await completeVolumes(deps, tx, serverId);
          const nowMs = env.clock.nowMs();
          await actionDone(deps, tx, {
            serverId,
            requestId: step.params.ctx.requestId,
            event: 'create.end',
            patch: { vm_state: 'active', power_state: POWER.running, launched_at_ms: nowMs },
          });
        },
        async undo(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) return;
          await clearOnHost(deps, server.host, step, [{ kind: 'guest', id: server.id }], (agent) => agent.guests.remove(server.id));
        },
      },
    ],
    async onFailed(tx, step, failure) {
      const { serverId, ctx } = step.params;
      // volumes that the request brought along are its owner's again
      for (const device of await blockDevicesOf(tx, serverId)) {
        if (device.attachment_id !== null && device.create_volume === 0) await faces.cinder.detach(tx, device.attachment_id);
      }
      await removeServerPortsOf(tx, serverId);
      if (failure.type === 'NoValidHost') step.log.warn({ serverId, reason: failure.message }, 'a server could not be placed');
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'create.error',
        patch: () => ({ vm_state: 'error', power_state: POWER.nostate, host: null, node: null, launched_on: null }),
      });
    },
  });
}
