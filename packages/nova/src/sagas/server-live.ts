import type { HostAgent } from '@cairn/host/interface/agent';
import type { GuestSpec } from '@cairn/host/interface/guests';
import type { Context } from '@cairn/kit/context/context';
import { CairnError, isCairnError, notFound, unavailable } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type StepContext } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { POWER } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import type { HostState } from '../scheduler/filters.ts';
import type { HostRequest } from '../scheduler/request.ts';
import { Pending, selectHosts } from '../scheduler/schedule.ts';
import { blockDevicesOf } from '../store/block-device.ts';
import { insertLeftovers } from '../store/leftover.ts';
import { disksOf, type MigrationRow, patchMigration } from '../store/migration.ts';
import { findServer, flavorOf, type ServerRow } from '../store/server.ts';
import { portsOf } from '../store/server-port.ts';
import { clearOnHost, clearPorts } from './on-host.ts';
import { actionDone, actionFailed } from './outcome.ts';
import { claimMove, moveRequest, needMigration, putOnSide, takeClaimBack, zoneOf } from './server-move.ts';
import { diskIds, ends, makeLive, removeAll } from './server-resize.ts';
import { disconnectVolumes, handVolumesOver } from './server-volumes.ts';
import { giveRoomBack } from '../topology/room.ts';

export interface LiveParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly migrationId: string;
  readonly host: string | null;
  /** False: the caller will have no disk copied. */
  readonly mayCopyDisks: boolean;
}

type Step = StepContext<LiveParams, unknown>;
interface Found {
  readonly row: ServerRow;
  readonly request: HostRequest;
  readonly hosts: readonly HostState[];
}

export const LIVE_SAGA = 'nova.server.live_migrate';
const MOVE_MS = 5_000_000;
const PROGRESS_MS = 500;
const AGAIN_MS = 1_000;

/**
 * Moves a running server to another host: schedule → prepare (disks of the same size, taps on both hosts) → migrate (disks are mirrored, memory
 * follows, the guest goes on over there) → switch (all rows at once). What is left behind goes afterwards. A failure, or an abort, leaves the server
 * running where it was (nova/compute/manager.py: live_migration; nova/virt/libvirt/driver.py: _live_migration). In the middle of post-copy it can go on
 * forward alone: where the rest of its memory never comes the server ends on the host that it went to, with its disks as they are there, in error.
 */
export function serverLiveSaga(deps: NovaDeps, leftBehind: SagaDefinition<LeftBehindParams>): SagaDefinition<LiveParams> {
  const { faces, env } = deps;
  const pending = new Pending();
  const found = new WeakMap<Step, Found>();
  const note = async (tx: Parameters<typeof patchMigration>[0], step: Step, status: string): Promise<void> =>
    patchMigration(tx, step.params.migrationId, { status, updated_at_ms: env.clock.nowMs() });

  return defineSaga<LiveParams, unknown>({
    name: LIVE_SAGA,
    steps: [
      {
        name: 'schedule',
        async do(step) {
          const { serverId, migrationId, ctx, host, mayCopyDisks } = step.params;
          const row = await findServer(step.db, serverId);
          if (row === undefined) throw notFound(`Instance ${serverId} could not be found.`);
          const migration = await needMigration(step.db, migrationId);
          if (!mayCopyDisks && disksOf(migration).length > 0) throw notShared(migration.source_host ?? '');
          const request = await moveRequest(deps, step.db, row, {
            ctx,
            flavor: flavorOf(row),
            ignoreHosts: migration.source_host === null ? [] : [migration.source_host],
            volumesStay: true,
            ...(host === null ? {} : { host }),
          });
          const hosts = await selectHosts(deps, step.db, request, pending);
          found.set(step, { row, request, hosts });
        },
        async commit(tx, step) {
          const { serverId, migrationId } = step.params;
          tx.afterCommit(() => pending.drop(serverId));
          const { host } = await claimMove(deps, tx, migrationId, found.get(step) as Found);
          const ports = (await portsOf(tx, serverId)).map((port) => port.port_id);
          if (ports.length > 0) await faces.neutron.announcePorts(tx, ports, host);
          await note(tx, step, 'preparing');
        },
        async undo(step) {
          pending.drop(step.params.serverId);
        },
        async undoCommit(tx, step) {
          const { serverId, migrationId } = step.params;
          const ports = (await portsOf(tx, serverId)).map((port) => port.port_id);
          if (ports.length > 0) await faces.neutron.announcePorts(tx, ports, '');
          await takeClaimBack(deps, tx, serverId, migrationId);
        },
      },
      {
        name: 'prepare',
        deadlineMs: 1_200_000,
        async do(step) {
          const migration = await needMigration(step.db, step.params.migrationId);
          const [source, dest] = ends(deps, migration);
          const guest = await specOf(deps, step.db, step.params.serverId);
          if (guest === undefined) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          const readOnly = new Set(guest.spec.disks.filter((disk) => disk.readOnly === true).map((disk) => disk.diskId));
          await Promise.all([
            ...disksOf(migration).map((disk) => prepareDisk(source, dest, disk.oldDiskId, disk.newDiskId, readOnly.has(disk.oldDiskId))),
            makeLive(deps, step, step.params.serverId),
          ]);
        },
        async commit(tx, step) {
          await note(tx, step, 'running');
        },
        async undo(step) {
          const migration = await needMigration(step.db, step.params.migrationId);
          if (migration.dest_host === null) return;
          const ports = (await portsOf(step.db, migration.server_id)).map((port) => port.port_id);
          if (ports.length > 0) await env.store.write((tx) => faces.neutron.announcePorts(tx, ports, ''));
          await clearPorts(deps, step, ports);
          const ids = disksOf(migration).map((disk) => disk.newDiskId);
          await clearOnHost(deps, migration.dest_host, step, diskIds(ids), (agent) => removeAll(agent, ids));
        },
      },
      {
        name: 'migrate',
        deadlineMs: MOVE_MS,
        do: (step) => migrate(deps, step),
        async undo(step) {
          const { serverId, migrationId } = step.params;
          const migration = await needMigration(step.db, migrationId);
          const { dest_host: dest, source_host: source } = migration;
          if (dest !== null) await clearOnHost(deps, dest, step, [{ kind: 'guest', id: serverId }], (agent) => agent.guests.remove(serverId));
          if (source !== null) await handVolumesOver(deps, step.db, serverId, source).catch(ignoreAbsence);
          await disconnectVolumes(deps, step.db, serverId, dest);
          if (source !== null) await clearOnHost(deps, source, step, [], (agent) => agent.guests.resumeLive(serverId, migration.old_vm_state === 'active'));
        },
      },
      {
        name: 'switch',
        async commit(tx, step) {
          const migration = await needMigration(tx, step.params.migrationId);
          await putOnSide(deps, tx, migration.id, 'dest', await zoneOf(deps, tx, migration.dest_host));
          await noteVolumes(deps, tx, migration.server_id, migration.dest_host);
          await note(tx, step, 'post-migrating');
        },
        async undoCommit(tx, step) {
          const migration = await needMigration(tx, step.params.migrationId);
          await putOnSide(deps, tx, migration.id, 'source', await zoneOf(deps, tx, migration.source_host));
          await noteVolumes(deps, tx, migration.server_id, migration.source_host);
        },
      },
    ],
    async onDone(tx, step) {
      const { serverId, migrationId, ctx } = step.params;
      const migration = await needMigration(tx, migrationId);
      const nowMs = env.clock.nowMs();
      await giveRoomBack(deps, tx, migrationId);
      const { lost } = (step.outputs['migrate'] ?? {}) as { readonly lost?: string };
      await patchMigration(tx, migrationId, { status: lost === undefined ? 'completed' : 'error', disks_json: '[]', updated_at_ms: nowMs });
      const isActive = migration.old_vm_state === 'active';
      if (lost === undefined)
        await actionDone(deps, tx, {
          serverId,
          requestId: ctx.requestId,
          event: 'live_migration.post.dest.end',
          patch: { vm_state: migration.old_vm_state, power_state: isActive ? POWER.running : POWER.paused },
        });
      else
        await actionFailed(deps, tx, {
          serverId,
          requestId: ctx.requestId,
          failure: { step: 'migrate', kind: 'Unavailable', message: lost },
          patch: () => ({ vm_state: 'error', power_state: POWER.shutdown }),
        });
      const params = { serverId, host: migration.source_host ?? '', diskIds: disksOf(migration).map((disk) => disk.oldDiskId) };
      await env.sagas.start(tx, leftBehind, params, { subject: `server:${serverId}`, requestId: ctx.requestId, projectId: migration.project_id });
    },
    async onFailed(tx, step, failure) {
      const { serverId, migrationId, ctx } = step.params;
      const migration = await needMigration(tx, migrationId);
      const status = failure.kind === 'Cancelled' ? 'cancelled' : 'error';
      await patchMigration(tx, migrationId, { status, disks_json: '[]', updated_at_ms: env.clock.nowMs() });
      await actionFailed(deps, tx, {
        serverId,
        requestId: ctx.requestId,
        failure,
        event: 'live_migration.rollback.dest.end',
        patch: (row) => ({ vm_state: migration.old_vm_state, fault_json: row.fault_json }),
      });
    },
  });
}

/** Why disks of a host stay where they are. */
export const notShared = (host: string): CairnError =>
  new CairnError(
    'InvalidInput',
    `${host} is not on shared storage: Shared storage live-migration requires either shared storage or boot-from-volume with no local disks.`,
    { type: 'InvalidSharedStorage' },
  );

/** What is written is mirrored later; what is only read comes whole. */
async function prepareDisk(source: HostAgent, dest: HostAgent, oldDiskId: string, newDiskId: string, readOnly: boolean): Promise<void> {
  if ((await dest.disks.info(newDiskId)) !== undefined) return;
  const info = await source.disks.info(oldDiskId);
  if (info === undefined) throw notFound(`Disk ${oldDiskId} is not on host ${source.host}.`);
  if (!readOnly) {
    await dest.disks.create({ diskId: newDiskId, sizeBytes: info.sizeBytes, source: { kind: 'blank' }, pool: 'ephemeral' });
    return;
  }
  const { stream } = await source.disks.export(oldDiskId, { format: 'qcow2' });
  await dest.disks.receive({ diskId: newDiskId, sizeBytes: info.sizeBytes, pool: 'ephemeral' }, stream);
}

/** Sends the guest; a try after a crash finds how far the one before it came. `lost`: its memory was, and why. */
async function migrate(deps: NovaDeps, step: Step): Promise<{ readonly lost?: string }> {
  const { serverId } = step.params;
  const migration = await needMigration(step.db, step.params.migrationId);
  const [{ guests: source }, { guests: dest }] = ends(deps, migration);
  const run = migration.old_vm_state === 'active';
  const there = (await dest.info(serverId)).state;
  const { isSent, postCopy } = await source.liveProgress(serverId);
  const [sourceHost, destHost] = [migration.source_host as string, migration.dest_host as string];
  const goOn = async (): Promise<void> => {
    await handVolumesOver(deps, step.db, serverId, destHost);
    await dest.finishLive(serverId, run);
  };
  const goesOn = there === 'running' || there === 'paused';
  if (isSent && there !== 'absent') {
    if (!goesOn) await goOn();
    return {};
  }
  if (postCopy === 'running') {
    if (there === 'absent') throw unavailable(`Host ${destHost} does not have server ${serverId} any more.`);
    return await sendRest(deps, step, migration, goesOn ? undefined : goOn);
  }
  if (there !== 'absent') await dest.remove(serverId);
  if (isSent) await handVolumesOver(deps, step.db, serverId, sourceHost);
  await source.resumeLive(serverId, run);
  const guest = await specOf(deps, step.db, serverId, destHost);
  if (guest === undefined) throw notFound(`Instance ${serverId} could not be found.`);
  const moved = new Map(disksOf(migration).map((disk) => [disk.oldDiskId, disk.newDiskId]));
  const spec: GuestSpec = { ...guest.spec, disks: guest.spec.disks.map((disk) => ({ ...disk, diskId: moved.get(disk.diskId) ?? disk.diskId })) };
  const mirrored = guest.spec.disks.filter((disk) => disk.readOnly !== true && moved.has(disk.diskId)).map((disk) => disk.diskId);
  const exports = await dest.receiveLive(
    spec,
    await source.layout(serverId),
    mirrored.map((diskId) => moved.get(diskId) as string),
    { mayPostCopy: deps.options.livePostCopy },
  );
  const mayPostCopy = (await dest.liveProgress(serverId)).postCopy === 'possible';
  let switched = false;
  const watching = new AbortController();
  const watched = watch(deps, migration, watching.signal);
  try {
    await source.sendLive(serverId, {
      mirror: mirrored.map((diskId) => ({ diskId, exportName: exports[moved.get(diskId) as string] as string })),
      channel: (which) => dest.liveChannel(serverId, which),
      ...(mayPostCopy && {
        switched: async () => {
          await goOn();
          switched = true;
        },
      }),
      signal: step.signal,
    });
  } finally {
    watching.abort();
    await watched;
  }
  if (!switched) await goOn();
  return {};
}

/**
 * In the middle of post-copy, after the hosts lost each other or Cairn ended: the guest goes on over there, and the rest of its memory follows. When
 * they do not find each other again it ends where its disks are the newest.
 */
async function sendRest(deps: NovaDeps, step: Step, migration: MigrationRow, goOn: (() => Promise<void>) | undefined): Promise<{ readonly lost?: string }> {
  const { clock } = deps.env;
  const { serverId } = step.params;
  const [{ guests: source }, { guests: dest }] = ends(deps, migration);
  const sent = async (): Promise<boolean> => (await source.liveProgress(serverId)).isSent;
  for (const endMs = clock.nowMs() + deps.options.livePartedMs; ; await clock.sleep(AGAIN_MS, step.signal)) {
    try {
      await goOn?.();
      goOn = undefined;
      if (await sent()) return {};
      await dest.reopenLive(serverId);
      await source.sendLive(serverId, { mirror: [], channel: (which) => dest.liveChannel(serverId, which) });
      return {};
    } catch (error) {
      step.log.warn({ err: error }, 'the rest of the memory of a server does not follow yet');
      if (clock.nowMs() < endMs) continue;
      await dest.shutDown(serverId, 0);
      return {
        lost: `The server went on at ${String(migration.dest_host)}, and the rest of its memory could not follow from ${String(migration.source_host)}: it was powered off.`,
      };
    }
  }
}

/** A host that is away keeps no volume from anybody; what it serves when it is back is as it was told last. */
const ignoreAbsence = (error: unknown): void => {
  if (!isCairnError(error, 'Unavailable')) throw error;
};

/** Volumes are used on this host now. */
async function noteVolumes(deps: NovaDeps, tx: Tx, serverId: string, host: string | null): Promise<void> {
  if (host === null) return;
  for (const { attachment_id: id } of await blockDevicesOf(tx, serverId)) if (id !== null) await deps.faces.cinder.moved(tx, id, host);
}

/** Writes down how far the migration has come, until the signal. */
async function watch(deps: NovaDeps, migration: MigrationRow, signal: AbortSignal): Promise<void> {
  const { env, hosts } = deps;
  while (!signal.aborted) {
    await env.clock.sleep(PROGRESS_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const now = await hosts.get(migration.source_host ?? '').guests.liveProgress(migration.server_id);
      const patch = {
        memory_total: now.memoryTotal,
        memory_processed: now.memoryProcessed,
        memory_remaining: now.memoryRemaining,
        disk_total: now.diskTotal,
        disk_processed: now.diskProcessed,
        disk_remaining: now.diskRemaining,
        updated_at_ms: env.clock.nowMs(),
      };
      await env.store.write((tx) => patchMigration(tx, migration.id, patch));
    } catch (error) {
      env.log.debug({ migrationId: migration.id, err: error }, 'the progress of a live migration is not known');
    }
  }
}

export interface LeftBehindParams {
  readonly serverId: string;
  readonly host: string;
  readonly diskIds: readonly string[];
}

/** Removes from a host what a server left there that runs elsewhere now. Nothing of it can be taken back; what cannot go now goes later (hosts/reconcile.ts). */
export function leftBehindSaga(deps: NovaDeps): SagaDefinition<LeftBehindParams> {
  const leftovers = ({ serverId, diskIds: ids }: LeftBehindParams) => [{ kind: 'guest' as const, id: serverId }, ...diskIds(ids)];
  return defineSaga<LeftBehindParams, unknown>({
    name: 'nova.server.left_behind',
    steps: [
      {
        name: 'left_behind',
        deadlineMs: 120_000,
        attempts: 5,
        async do(step) {
          const { serverId, host, diskIds: ids } = step.params;
          await clearPorts(
            deps,
            step,
            (await portsOf(step.db, serverId)).map((port) => port.port_id),
          );
          await clearOnHost(deps, host, step, leftovers(step.params), async (agent) => {
            await agent.guests.remove(serverId);
            await removeAll(agent, ids);
          });
          await disconnectVolumes(deps, step.db, serverId, host);
        },
      },
    ],
    async onFailed(tx, step) {
      await insertLeftovers(tx, step.params.host, leftovers(step.params), deps.env.clock.nowMs());
    },
  });
}
