import type { Context } from '@cairn/kit/context/context';
import { notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type StepContext } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { POWER } from '../app/server-states.ts';
import type { HostState } from '../scheduler/filters.ts';
import type { HostRequest } from '../scheduler/request.ts';
import { Pending, selectHosts } from '../scheduler/schedule.ts';
import { patchBlockDevice } from '../store/block-device.ts';
import { computeNodeOfHost } from '../store/compute-node.ts';
import { insertLeftovers } from '../store/leftover.ts';
import { disksOf, type MigrationRow, patchMigration } from '../store/migration.ts';
import { findServer, flavorOf, patchServer, type ServerRow } from '../store/server.ts';
import { clearOnHost } from './on-host.ts';
import { actionDone, actionFailed } from './outcome.ts';
import { localDisks, makeDisks } from './server-disks.ts';
import { claimDestination, moveRequest, needMigration, putOnSide, zoneOf } from './server-move.ts';
import { diskIds, makeLive, removeAll, startGuest } from './server-resize.ts';
import { completeVolumes, connectVolumes, disconnectVolumes, readyVolumes } from './server-volumes.ts';
import { giveRoomBackOn, roomOwner, takeRoom } from '../topology/room.ts';

export interface EvacuateParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly migrationId: string;
  readonly host: string | null;
  readonly adminPass: string | null;
  /** The power state that the server was last known to have. */
  readonly oldPower: number;
  /** The server stays down where it comes to. */
  readonly stopped: boolean;
}

type Step = StepContext<EvacuateParams, unknown>;
interface Found {
  readonly row: ServerRow;
  readonly request: HostRequest;
  readonly hosts: readonly HostState[];
}

/**
 * Builds a server of a lost host anew on another: schedule (the claim on the lost host stays until it is back) → switch (rows) →
 * disks_and_network → spawn (what the lost host keeps is written down, to be removed when it is back). Disks come fresh from the image; volumes and ports are kept.
 */
export function serverEvacuateSaga(deps: NovaDeps): SagaDefinition<EvacuateParams> {
  const { faces, env } = deps;
  const pending = new Pending();
  const found = new WeakMap<Step, Found>();

  return defineSaga<EvacuateParams, unknown>({
    name: 'nova.server.evacuate',
    steps: [
      {
        name: 'schedule',
        async do(step) {
          const { serverId, migrationId, ctx, host } = step.params;
          const row = await findServer(step.db, serverId);
          if (row === undefined) throw notFound(`Instance ${serverId} could not be found.`);
          const { source_host: source } = await needMigration(step.db, migrationId);
          const request = await moveRequest(deps, step.db, row, {
            ctx,
            flavor: flavorOf(row),
            ignoreHosts: source === null ? [] : [source],
            volumesStay: true,
            ...(host === null ? {} : { host }),
          });
          const hosts = await selectHosts(deps, step.db, request, pending);
          found.set(step, { row, request, hosts });
        },
        async commit(tx, step) {
          const { row, request, hosts } = found.get(step) as Found;
          const { serverId, migrationId } = step.params;
          tx.afterCommit(() => pending.drop(serverId));
          const besides = await faces.placement.allocationsOf(tx, serverId);
          await faces.placement.release(tx, serverId);
          await claimDestination(deps, tx, migrationId, hosts, (to) =>
            takeRoom(deps, tx, roomOwner(row), {
              host: to.host,
              providerId: to.candidate.providerId,
              resources: request.resources,
              topology: request.topology,
              portGroups: request.portGroups,
              besides,
            }),
          );
          await patchMigration(tx, migrationId, { status: 'pre-migrating', updated_at_ms: env.clock.nowMs() });
        },
        async undo(step) {
          pending.drop(step.params.serverId);
        },
        async undoCommit(tx, step) {
          const migration = await needMigration(tx, step.params.migrationId);
          if (migration.dest_node !== null) await keepAllocationOn(deps, tx, migration, 'source');
        },
      },
      {
        name: 'switch',
        async commit(tx, step) {
          const { serverId, migrationId } = step.params;
          const migration = await needMigration(tx, migrationId);
          await putOnSide(deps, tx, migrationId, 'dest', await zoneOf(deps, tx, migration.dest_host));
          await patchServer(tx, serverId, { task_state: 'rebuild_block_device_mapping', updated_at_ms: env.clock.nowMs() });
        },
        async undoCommit(tx, step) {
          const migration = await needMigration(tx, step.params.migrationId);
          await putOnSide(deps, tx, migration.id, 'source', await zoneOf(deps, tx, migration.source_host));
        },
      },
      {
        name: 'disks_and_network',
        deadlineMs: 1_800_000,
        async do(step) {
          const { serverId, ctx, adminPass } = step.params;
          const row = await findServer(step.db, serverId);
          if (row?.host == null) throw notFound(`Instance ${serverId} could not be found.`);
          const { host } = row;
          // a host that only seems lost, and its guest there, write to them no more
          await disconnectVolumes(deps, step.db, serverId, (await needMigration(step.db, step.params.migrationId)).source_host);
          const [volumes] = await Promise.all([
            readyVolumes(deps, step.db, ctx, serverId, host, step.signal),
            localDisks(deps, step.db, serverId, adminPass, { signal: step.signal }).then((disks) => makeDisks(deps, host, disks, step.signal)),
            makeLive(deps, step, serverId),
          ]);
          return { volumes };
        },
        async commit(tx, step, output) {
          const { volumes } = output as { readonly volumes: readonly { readonly id: string; readonly diskId: string }[] };
          for (const volume of volumes) await patchBlockDevice(tx, volume.id, { disk_id: volume.diskId });
          await patchServer(tx, step.params.serverId, { task_state: 'rebuild_spawning', updated_at_ms: env.clock.nowMs() });
        },
        async undo(step) {
          const migration = await needMigration(step.db, step.params.migrationId);
          const ids = disksOf(migration).map((disk) => disk.newDiskId);
          const { dest_host: dest, source_host: source } = migration;
          if (dest !== null) await clearOnHost(deps, dest, step, diskIds(ids), (agent) => removeAll(agent, ids));
          // the guest that may still be there has its volumes again; those that a lost host keeps itself wait for that host
          const { serverId } = step.params;
          try {
            await disconnectVolumes(deps, step.db, serverId, dest);
            if (source !== null) await connectVolumes(deps, step.db, serverId, source);
          } catch (err) {
            env.log.warn({ err, serverId, host: source }, 'volumes are not given back to the host that a server could not leave');
          }
        },
      },
      {
        name: 'spawn',
        deadlineMs: 300_000,
        async do(step) {
          if (!step.params.stopped) await startGuest(deps, step);
        },
        async commit(tx, step) {
          const { serverId, ctx, stopped } = step.params;
          const nowMs = env.clock.nowMs();
          await completeVolumes(deps, tx, serverId);
          await actionDone(deps, tx, {
            serverId,
            requestId: ctx.requestId,
            event: 'rebuild.end',
            patch: {
              vm_state: stopped ? 'stopped' : 'active',
              power_state: stopped ? POWER.shutdown : POWER.running,
              launched_at_ms: nowMs,
              fault_json: null,
            },
          });
        },
        async undo(step) {
          const { serverId, migrationId } = step.params;
          const { dest_host: host } = await needMigration(step.db, migrationId);
          if (host !== null) await clearOnHost(deps, host, step, [{ kind: 'guest', id: serverId }], (agent) => agent.guests.remove(serverId));
        },
        async undoCommit(tx, step) {
          await patchServer(tx, step.params.serverId, { power_state: step.params.oldPower, updated_at_ms: env.clock.nowMs() });
        },
      },
    ],
    async onDone(tx, step) {
      const { migrationId } = step.params;
      const migration = await needMigration(tx, migrationId);
      const nowMs = env.clock.nowMs();
      // not before: until now the server could still have gone back to what the lost host has
      if (migration.source_host !== null) await insertLeftovers(tx, migration.source_host, leftBehind(migration), nowMs);
      await patchMigration(tx, migrationId, { status: 'done', disks_json: '[]', updated_at_ms: nowMs });
    },
    async onFailed(tx, step, failure) {
      const { serverId, migrationId, ctx } = step.params;
      await patchMigration(tx, migrationId, { status: 'error', disks_json: '[]', updated_at_ms: env.clock.nowMs() });
      await actionFailed(deps, tx, { serverId, requestId: ctx.requestId, failure, event: 'rebuild.error', patch: () => ({ vm_state: 'error' }) });
    },
  });
}

const leftBehind = (migration: MigrationRow) => [
  { kind: 'guest' as const, id: migration.server_id },
  ...diskIds(disksOf(migration).map((disk) => disk.oldDiskId)),
];

/** Leaves a server that holds room on both hosts of an evacuation with that on one of them. */
export async function keepAllocationOn(deps: NovaDeps, tx: Parameters<typeof patchServer>[0], migration: MigrationRow, side: 'source' | 'dest'): Promise<void> {
  const row = await findServer(tx, migration.server_id);
  const other = side === 'source' ? migration.dest_host : migration.source_host;
  const node = other === null ? undefined : await computeNodeOfHost(tx, other);
  if (row === undefined || row.deleted === 1 || node === undefined) return;
  await giveRoomBackOn(deps, tx, roomOwner(row), { providerId: node.id, host: node.host });
}
