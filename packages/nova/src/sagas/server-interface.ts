import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type SagaFailure } from '@cairn/kit/saga/saga';
import type { PlannedPort } from '@cairn/neutron/face';
import type { NovaDeps } from '../app/deps.ts';
import { serverEvent } from '../app/server-events.ts';
import { guestNic } from '../hosts/guest-spec.ts';
import { finishAction } from '../store/action.ts';
import { findServer, findServerBrief, imageOf } from '../store/server.ts';
import { findServerPort, removeServerPort } from '../store/server-port.ts';
import { givePortRoomBack, portAllocations, refuseAskingPorts, takePortRoom } from '../topology/port-room.ts';
import { clearOnHost, clearPorts, DETACH_WAIT_MS, isOpen } from './on-host.ts';

export interface InterfaceAttachParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly port: PlannedPort;
}

export interface InterfaceDetachParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly portId: string;
}

/** Makes or takes a port, plugs it on the server's host, and into the guest if that runs. `tell` hears of the failure, for the request that waits. */
export function interfaceAttachSaga(deps: NovaDeps, tell: (sagaId: string, failure: SagaFailure) => void): SagaDefinition<InterfaceAttachParams> {
  const { faces, env, hosts } = deps;
  return defineSaga<InterfaceAttachParams, unknown>({
    name: 'nova.interface.attach',
    steps: [
      {
        name: 'port',
        async commit(tx, step) {
          const { serverId, ctx, port } = step.params;
          const row = await findServer(tx, serverId);
          if (row?.host == null) throw notFound(`Instance ${serverId} could not be found.`);
          const deviceOwner = `compute:${row.availability_zone ?? deps.options.defaultAvailabilityZone}`;
          if (port.existing) await takePortRoom(deps, tx, row, port.portId);
          else {
            await faces.neutron.createPorts(tx, ctx, [{ plan: port, deviceId: serverId, deviceOwner, securityGroupIds: undefined, hostname: row.hostname }]);
            await refuseAskingPorts(deps, tx, serverId, [port]);
          }
          const allocations = await portAllocations(tx, [serverId], row.host);
          await faces.neutron.bindPorts(tx, [port.portId], { host: row.host, deviceId: serverId, deviceOwner, allocations });
        },
        async undo(step) {
          const { port } = step.params;
          await env.store.write(async (tx) => {
            const row = await findServer(tx, step.params.serverId);
            if (row !== undefined) await givePortRoomBack(deps, tx, row, port.portId);
            await faces.neutron.releasePorts(tx, [port.portId], { delete: !port.existing });
          });
          await clearPorts(deps, step, [port.portId]);
        },
      },
      {
        name: 'plug',
        async do(step) {
          await faces.neutron.makeLive([step.params.port.portId], step.signal);
        },
      },
      {
        name: 'attach',
        async do(step) {
          const { serverId, port } = step.params;
          const [row, facts] = await Promise.all([findServer(step.db, serverId), faces.neutron.port(step.db, port.portId)]);
          if (row?.host == null || facts === undefined) throw notFound(`Port id ${port.portId} could not be found.`);
          const { guests } = hosts.get(row.host);
          if (isOpen((await guests.info(serverId)).state)) await guests.attachNic(serverId, guestNic(facts, imageOf(row).properties));
        },
        async commit(tx, step) {
          const { serverId, ctx, port } = step.params;
          await finishAction(tx, serverId, ctx.requestId, null, env.clock.nowMs());
          const row = await findServer(tx, serverId);
          if (row !== undefined) await env.events.emit(tx, serverEvent('interface_attach.end', row, ctx.requestId, { port_id: port.portId }));
        },
        async undo(step) {
          const { serverId, port } = step.params;
          const server = await findServerBrief(step.db, serverId);
          if (server?.host == null) return;
          await clearOnHost(deps, server.host, step, [], async ({ guests }) => {
            if (isOpen((await guests.info(serverId)).state)) await guests.detachNic(serverId, port.portId, DETACH_WAIT_MS);
          });
        },
      },
    ],
    async onFailed(tx, step, failure) {
      await removeServerPort(tx, step.params.port.portId);
      await finishAction(tx, step.params.serverId, step.params.ctx.requestId, 'Error', env.clock.nowMs());
      tx.afterCommit(() => tell(step.sagaId, failure));
    },
  });
}

/**
 * Unplugs a port from the guest if that runs; a port that nova made is deleted, one that it was given is unbound. The tap goes by a saga of
 * its own, which begins in the transaction that lets the port go: from there on nothing can be taken back.
 */
export function interfaceDetachSaga(deps: NovaDeps, unplug: SagaDefinition<UnplugParams>): SagaDefinition<InterfaceDetachParams> {
  const { faces, env, hosts } = deps;
  return defineSaga<InterfaceDetachParams, unknown>({
    name: 'nova.interface.detach',
    steps: [
      {
        name: 'detach',
        deadlineMs: 240_000,
        async do(step) {
          const { serverId, portId } = step.params;
          const server = await findServerBrief(step.db, serverId);
          if (server?.host == null) return;
          const { guests } = hosts.get(server.host);
          if (isOpen((await guests.info(serverId)).state)) await guests.detachNic(serverId, portId, DETACH_WAIT_MS);
        },
        async undo(step) {
          const { serverId, portId } = step.params;
          const [row, facts] = await Promise.all([findServer(step.db, serverId), faces.neutron.port(step.db, portId)]);
          if (row?.host == null || facts === undefined) return;
          await clearOnHost(deps, row.host, step, [], async ({ guests }) => {
            if (isOpen((await guests.info(serverId)).state)) await guests.attachNic(serverId, guestNic(facts, imageOf(row).properties));
          });
        },
      },
    ],
    async onDone(tx, step) {
      const { serverId, ctx, portId } = step.params;
      const mine = await findServerPort(tx, portId);
      await faces.neutron.releasePorts(tx, [portId], { delete: mine === undefined || mine.owned === 1 });
      await removeServerPort(tx, portId);
      const owner = await findServer(tx, serverId);
      if (owner !== undefined) await givePortRoomBack(deps, tx, owner, portId);
      await env.sagas.start(tx, unplug, { portIds: [portId] }, { subject: `port:${portId}`, requestId: ctx.requestId });
      await finishAction(tx, serverId, ctx.requestId, null, env.clock.nowMs());
      const row = await findServer(tx, serverId);
      if (row !== undefined) await env.events.emit(tx, serverEvent('interface_detach.end', row, ctx.requestId, { port_id: portId }));
    },
    async onFailed(tx, step) {
      await finishAction(tx, step.params.serverId, step.params.ctx.requestId, 'Error', env.clock.nowMs());
    },
  });
}

export interface UnplugParams {
  readonly portIds: readonly string[];
}

/** Takes released ports off their hosts. */
export function unplugSaga(deps: NovaDeps): SagaDefinition<UnplugParams> {
  return defineSaga<UnplugParams, unknown>({
    name: 'nova.interface.unplug',
    steps: [
      {
        name: 'unplug',
        attempts: 10,
        async do(step) {
          await deps.faces.neutron.makeGone(step.params.portIds);
        },
      },
    ],
  });
}
