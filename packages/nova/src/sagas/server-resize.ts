import type { HostAgent } from '@cairn/host/interface/agent';
import type { Context } from '@cairn/kit/context/context';
import { invalidInput, notFound } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition, type StepContext } from '@cairn/kit/saga/saga';
import type { Db } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import { POWER } from '../app/server-states.ts';
import { specOf } from '../hosts/guest-parts.ts';
import { hasEnded, powerOf } from '../hosts/power.ts';
import type { HostState } from '../scheduler/filters.ts';
import type { HostRequest } from '../scheduler/request.ts';
import { Pending, selectHosts } from '../scheduler/schedule.ts';
import { type BlockDeviceRow, blockDevicesOf } from '../store/block-device.ts';
import { disksOf, type MigrationRow, type MovedDisk, patchMigration } from '../store/migration.ts';
import { findServer, findServerBrief, flavorOf, patchServer, type ServerRow, type StoredFlavor } from '../store/server.ts';
import { portsOf } from '../store/server-port.ts';
import { clearOnHost, clearPorts, isOpen } from './on-host.ts';
import { actionDone, actionFailed } from './outcome.ts';
import { disconnectVolumes } from './server-volumes.ts';
import { claimMove, moveRequest, needMigration, putOnSide, takeClaimBack, zoneOf } from './server-move.ts';
import { setTpmState } from '../store/tpm.ts';
import { giveRoomBack } from '../topology/room.ts';

export interface ResizeParams {
  readonly serverId: string;
  readonly ctx: Context;
  /** The migration's uuid; in placement it holds what the server had before. */
  readonly migrationId: string;
  /** The one host that will do. */
  readonly host: string | null;
  readonly ignoreHosts: readonly string[];
}

type Step = StepContext<ResizeParams, unknown>;
interface Found {
  readonly row: ServerRow;
  readonly request: HostRequest;
  readonly hosts: readonly HostState[];
}

const GIB = 2 ** 30;
/** Disks go over as a whole. */
const COPY_MS = 5_000_000;

/**
 * Moves a server to another flavor, another host, or both, up to the point where its owner confirms or reverts: schedule (the old claim goes to
 * the migration, the new one is the server's) → power_off → copy_disks (the old ones stay) → switch (all rows at once) → plug → finish. A failure
 * takes the server back to where and what it was (nova/compute/manager.py: prep_resize, resize_instance, finish_resize).
 */
export function serverResizeSaga(deps: NovaDeps): SagaDefinition<ResizeParams> {
  const { env } = deps;
  const pending = new Pending();
  const found = new WeakMap<Step, Found>();
  const power = new WeakMap<Step, number>();

  const stage = async (tx: Parameters<typeof patchServer>[0], step: Step, status: string, task: string): Promise<void> => {
    const nowMs = env.clock.nowMs();
    await patchMigration(tx, step.params.migrationId, { status, updated_at_ms: nowMs });
    await patchServer(tx, step.params.serverId, { task_state: task, updated_at_ms: nowMs });
  };

  return defineSaga<ResizeParams, unknown>({
    name: 'nova.server.resize',
    steps: [
      {
        name: 'schedule',
        async do(step) {
          const { serverId, migrationId, ctx, host, ignoreHosts } = step.params;
          const row = await findServer(step.db, serverId);
          if (row === undefined) throw notFound(`Instance ${serverId} could not be found.`);
          const migration = await needMigration(step.db, migrationId);
          const flavor = newFlavor(migration);
          checkDisksGrow(flavorOf(row), flavor, await blockDevicesOf(step.db, serverId));
          const request = await moveRequest(deps, step.db, row, { ctx, flavor, ignoreHosts, volumesStay: true, ...(host === null ? {} : { host }) });
          const hosts = await selectHosts(deps, step.db, request, pending);
          found.set(step, { row, request, hosts });
        },
        async commit(tx, step) {
          const { serverId, migrationId } = step.params;
          tx.afterCommit(() => pending.drop(serverId));
          const chosen = await claimMove(deps, tx, migrationId, found.get(step) as Found);
          step.log.debug({ serverId, host: chosen.host }, 'a server moves');
          await stage(tx, step, 'migrating', 'resize_migrating');
        },
        async undo(step) {
          pending.drop(step.params.serverId);
        },
        async undoCommit(tx, step) {
          await takeClaimBack(deps, tx, step.params.serverId, step.params.migrationId);
        },
      },
      {
        name: 'power_off',
        deadlineMs: 300_000,
        async do(step) {
          const server = await findServerBrief(step.db, step.params.serverId);
          if (server?.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
          const agent = deps.hosts.get(server.host);
          if (isOpen((await agent.guests.info(server.id)).state)) await agent.guests.shutDown(server.id, deps.options.shutdownGraceMs);
          return (await agent.guests.tpmState(server.id)) ?? null;
        },
        async commit(tx, step, output) {
          if (output !== null) await setTpmState(tx, step.params.serverId, output as string);
        },
        async undo(step) {
          const migration = await needMigration(step.db, step.params.migrationId);
          if (migration.old_vm_state !== 'active') return;
          power.set(step, await startAgain(deps, step));
        },
        async undoCommit(tx, step) {
          const now = power.get(step);
          if (now !== undefined) await patchServer(tx, step.params.serverId, { power_state: now, updated_at_ms: env.clock.nowMs() });
        },
      },
      {
        name: 'copy_disks',
        deadlineMs: COPY_MS,
        async do(step) {
          const migration = await needMigration(step.db, step.params.migrationId);
          const devices = new Map((await blockDevicesOf(step.db, step.params.serverId)).map((device) => [device.id, device]));
          const [source, dest] = ends(deps, migration);
          for (const disk of disksOf(migration)) {
            await copyDisk(source, dest, disk);
            step.signal.throwIfAborted();
            const device = devices.get(disk.deviceId);
            if (device !== undefined) await growDisk(dest, disk, device, newFlavor(migration));
          }
        },
        async undo(step) {
          const { serverId, migrationId } = step.params;
          const migration = await needMigration(step.db, migrationId);
          if (migration.dest_host === null) return;
          await clearPorts(
            deps,
            step,
            (await portsOf(step.db, serverId)).map((port) => port.port_id),
          );
          const ids = disksOf(migration).map((disk) => disk.newDiskId);
          await clearOnHost(deps, migration.dest_host, step, diskIds(ids), (agent) => removeAll(agent, ids));
        },
      },
      {
        name: 'switch',
        async commit(tx, step) {
          const migration = await needMigration(tx, step.params.migrationId);
          await putOnSide(deps, tx, migration.id, 'dest', await zoneOf(deps, tx, migration.dest_host));
          await stage(tx, step, 'post-migrating', 'resize_finish');
        },
        async undoCommit(tx, step) {
          const migration = await needMigration(tx, step.params.migrationId);
          await putOnSide(deps, tx, migration.id, 'source', await zoneOf(deps, tx, migration.source_host));
        },
      },
      {
        name: 'plug',
        deadlineMs: 300_000,
        async do(step) {
          const { serverId, migrationId } = step.params;
          const migration = await needMigration(step.db, migrationId);
          await makeLive(deps, step, serverId);
          if (migration.source_host !== null && migration.source_host !== migration.dest_host)
            await clearOnHost(deps, migration.source_host, step, [{ kind: 'guest', id: serverId }], (agent) => agent.guests.remove(serverId));
          if (migration.source_host !== migration.dest_host) await disconnectVolumes(deps, step.db, serverId, migration.source_host);
        },
      },
      {
        name: 'finish',
        deadlineMs: 300_000,
        async do(step) {
          const migration = await needMigration(step.db, step.params.migrationId);
          if (migration.old_vm_state === 'active') await startGuest(deps, step);
        },
        async commit(tx, step) {
          const { serverId, migrationId, ctx } = step.params;
          const migration = await needMigration(tx, migrationId);
          await patchMigration(tx, migrationId, { status: 'finished', updated_at_ms: env.clock.nowMs() });
          await actionDone(deps, tx, {
            serverId,
            requestId: ctx.requestId,
            event: 'finish_resize.end',
            patch: {
              vm_state: 'resized',
              power_state: migration.old_vm_state === 'active' ? POWER.running : POWER.shutdown,
              launched_at_ms: env.clock.nowMs(),
              fault_json: null,
            },
          });
        },
        async undo(step) {
          const { serverId, migrationId } = step.params;
          const { dest_host: host, source_host: source } = await needMigration(step.db, migrationId);
          if (host !== null) await clearOnHost(deps, host, step, [{ kind: 'guest', id: serverId }], (agent) => agent.guests.remove(serverId));
          if (host !== source) await disconnectVolumes(deps, step.db, serverId, host);
        },
      },
    ],
    async onFailed(tx, step, failure) {
      const { serverId, migrationId, ctx } = step.params;
      await patchMigration(tx, migrationId, { status: 'error', disks_json: '[]', updated_at_ms: env.clock.nowMs() });
      const migration = await needMigration(tx, migrationId);
      await actionFailed(deps, tx, { serverId, requestId: ctx.requestId, failure, event: 'resize.error', patch: (row) => standing(row, migration) });
    },
  });
}

/** Where a server stands after a move was taken back: as before, or down where it could not be started again. */
const standing = (row: ServerRow, migration: MigrationRow) =>
  migration.old_vm_state === 'active' && row.power_state !== POWER.running ? { vm_state: 'error' } : { vm_state: migration.old_vm_state };

export const newFlavor = (migration: MigrationRow): StoredFlavor => JSON.parse(migration.new_flavor_json) as StoredFlavor;

/** A disk never shrinks: the guest's file system would lose its end. */
function checkDisksGrow(before: StoredFlavor, after: StoredFlavor, devices: readonly BlockDeviceRow[]): void {
  const isLocal = devices.some((device) => device.boot_index === 0 && device.destination_type === 'local');
  if ((isLocal && after.rootGb < before.rootGb) || after.ephemeralGb < before.ephemeralGb)
    throw invalidInput('Resize error: Unable to resize disk down.', { type: 'ResizeError' });
}

export function ends(deps: NovaDeps, migration: MigrationRow): readonly [HostAgent, HostAgent] {
  if (migration.source_host === null || migration.dest_host === null) throw notFound(`Migration ${migration.id} has no destination.`);
  return [deps.hosts.get(migration.source_host), deps.hosts.get(migration.dest_host)];
}

/** Makes the new disk from the old one, which stays as it is. */
async function copyDisk(source: HostAgent, dest: HostAgent, { oldDiskId, newDiskId }: MovedDisk): Promise<void> {
  if ((await dest.disks.info(newDiskId)) !== undefined) return;
  if (source.host === dest.host) {
    await dest.disks.create({ diskId: newDiskId, sizeBytes: 0, source: { kind: 'disk', diskId: oldDiskId }, pool: 'ephemeral' });
    return;
  }
  const info = await source.disks.info(oldDiskId);
  if (info === undefined) throw notFound(`Disk ${oldDiskId} is not on host ${source.host}.`);
  const { stream } = await source.disks.export(oldDiskId, { format: 'qcow2' });
  await dest.disks.receive({ diskId: newDiskId, sizeBytes: info.sizeBytes, pool: 'ephemeral' }, stream);
}

/** A root disk follows the flavor; an ephemeral disk does where the request left its size to the flavor. */
async function growDisk(dest: HostAgent, disk: MovedDisk, device: BlockDeviceRow, flavor: StoredFlavor): Promise<void> {
  const isEphemeral = device.source_type === 'blank' && device.guest_format !== 'swap' && device.volume_size_gb === null;
  const wanted = device.source_type === 'image' ? flavor.rootGb * GIB : isEphemeral ? flavor.ephemeralGb * GIB : 0;
  const info = await dest.disks.info(disk.newDiskId);
  if (info !== undefined && wanted > info.sizeBytes) await dest.disks.resize(disk.newDiskId, wanted);
}

export const removeAll = async (agent: HostAgent, diskIds: readonly string[]): Promise<void> => {
  for (const id of diskIds) await agent.disks.remove(id);
};
export const diskIds = (ids: readonly string[]) => ids.map((id) => ({ kind: 'disk' as const, id }));

export async function makeLive(deps: NovaDeps, step: { readonly db: Db; readonly signal: AbortSignal }, serverId: string): Promise<void> {
  const ports = (await portsOf(step.db, serverId)).map((port) => port.port_id);
  if (ports.length > 0) await deps.faces.neutron.makeLive(ports, step.signal);
}

export async function startGuest(deps: NovaDeps, step: { readonly db: Db; readonly params: { readonly serverId: string } }): Promise<void> {
  const guest = await specOf(deps, step.db, step.params.serverId);
  if (guest?.row.host == null) throw notFound(`Instance ${step.params.serverId} could not be found.`);
  await deps.hosts.get(guest.row.host).guests.start(guest.spec);
}

/** Starts a guest where it was; its power state afterwards, whatever came of it. */
async function startAgain(deps: NovaDeps, step: Step): Promise<number> {
  const { serverId } = step.params;
  const server = await findServerBrief(step.db, serverId);
  if (server?.host == null) return POWER.nostate;
  try {
    const { guests } = deps.hosts.get(server.host);
    if (!isOpen((await guests.info(serverId)).state)) {
      await makeLive(deps, step, serverId);
      await startGuest(deps, step);
    }
    return powerOf((await guests.info(serverId)).state);
  } catch (error) {
    step.log.warn({ serverId, err: error }, 'a server whose move failed could not be started again where it was');
    return POWER.shutdown;
  }
}

/** What the guest does in fact; a host that cannot be asked leaves what was known of it. */
async function powerNow(deps: NovaDeps, step: { readonly db: Db; readonly params: { readonly serverId: string } }): Promise<number> {
  const server = await findServer(step.db, step.params.serverId);
  if (server?.host == null) return POWER.shutdown;
  try {
    return powerOf((await deps.hosts.get(server.host).guests.info(server.id)).state);
  } catch {
    return server.power_state;
  }
}

export interface FinishParams {
  readonly serverId: string;
  readonly ctx: Context;
  readonly migrationId: string;
}

/** Ends a move for good: what the server had before goes (nova/compute/manager.py: confirm_resize). */
export function confirmResizeSaga(deps: NovaDeps): SagaDefinition<FinishParams> {
  const { env } = deps;
  return defineSaga<FinishParams, unknown>({
    name: 'nova.server.confirm_resize',
    steps: [
      {
        name: 'confirm',
        deadlineMs: 120_000,
        attempts: 5,
        async do(step) {
          const migration = await needMigration(step.db, step.params.migrationId);
          const ids = disksOf(migration).map((disk) => disk.oldDiskId);
          if (migration.source_host !== null) await clearOnHost(deps, migration.source_host, step, diskIds(ids), (agent) => removeAll(agent, ids));
          return await powerNow(deps, step);
        },
        async commit(tx, step, output) {
          const { serverId, migrationId, ctx } = step.params;
          const power = output as number;
          await giveRoomBack(deps, tx, migrationId);
          await patchMigration(tx, migrationId, { status: 'confirmed', disks_json: '[]', updated_at_ms: env.clock.nowMs() });
          const patch = hasEnded(power) ? { vm_state: 'stopped', power_state: POWER.shutdown } : { vm_state: 'active', power_state: power };
          await actionDone(deps, tx, { serverId, requestId: ctx.requestId, event: 'resize.confirm.end', patch });
        },
      },
    ],
    async onFailed(tx, step, failure) {
      const { serverId, migrationId, ctx } = step.params;
      await patchMigration(tx, migrationId, { status: 'error', updated_at_ms: env.clock.nowMs() });
      await actionFailed(deps, tx, { serverId, requestId: ctx.requestId, failure, event: 'resize.confirm.error', patch: () => ({ vm_state: 'error' }) });
    },
  });
}

/**
 * Takes a move back: the guest goes, all rows are those of before at once, what was made for the move goes, and the server starts where and as it
 * was (nova/compute/manager.py: revert_resize, finish_revert_resize).
 */
export function revertResizeSaga(deps: NovaDeps): SagaDefinition<FinishParams> {
  const { env } = deps;
  return defineSaga<FinishParams, unknown>({
    name: 'nova.server.revert_resize',
    steps: [
      {
        name: 'remove_guest',
        deadlineMs: 120_000,
        attempts: 5,
        async do(step) {
          const { serverId, migrationId } = step.params;
          const { dest_host: host, source_host: source } = await needMigration(step.db, migrationId);
          if (host === null) return;
          await clearOnHost(deps, host, step, [{ kind: 'guest', id: serverId }], async (agent) => {
            if (isOpen((await agent.guests.info(serverId)).state)) await agent.guests.shutDown(serverId, 0);
            const tpm = await agent.guests.tpmState(serverId);
            // what it remembers is written down before it goes
            if (tpm !== undefined) await env.store.write((tx) => setTpmState(tx, serverId, tpm));
            await agent.guests.remove(serverId);
          });
          if (host !== source) await disconnectVolumes(deps, step.db, serverId, host);
        },
      },
      {
        name: 'switch',
        async commit(tx, step) {
          const { serverId, migrationId } = step.params;
          const migration = await needMigration(tx, migrationId);
          await putOnSide(deps, tx, migrationId, 'source', await zoneOf(deps, tx, migration.source_host));
          await takeClaimBack(deps, tx, serverId, migrationId);
        },
      },
      {
        name: 'clean_up',
        deadlineMs: 120_000,
        attempts: 5,
        async do(step) {
          const { serverId, migrationId } = step.params;
          const migration = await needMigration(step.db, migrationId);
          const ids = disksOf(migration).map((disk) => disk.newDiskId);
          if (migration.dest_host !== null) await clearOnHost(deps, migration.dest_host, step, diskIds(ids), (agent) => removeAll(agent, ids));
          const ports = (await portsOf(step.db, serverId)).map((port) => port.port_id);
          await clearPorts(deps, step, ports);
        },
        async commit(tx, step) {
          await patchMigration(tx, step.params.migrationId, { disks_json: '[]', updated_at_ms: env.clock.nowMs() });
        },
      },
      {
        name: 'start',
        deadlineMs: 300_000,
        async do(step) {
          const migration = await needMigration(step.db, step.params.migrationId);
          await makeLive(deps, step, step.params.serverId);
          if (migration.old_vm_state === 'active') await startGuest(deps, step);
        },
        async commit(tx, step) {
          const { serverId, migrationId, ctx } = step.params;
          const migration = await needMigration(tx, migrationId);
          await patchMigration(tx, migrationId, { status: 'reverted', updated_at_ms: env.clock.nowMs() });
          const isActive = migration.old_vm_state === 'active';
          await actionDone(deps, tx, {
            serverId,
            requestId: ctx.requestId,
            event: 'resize.revert.end',
            patch: { vm_state: migration.old_vm_state, power_state: isActive ? POWER.running : POWER.shutdown, launched_at_ms: env.clock.nowMs() },
          });
        },
      },
    ],
    async onFailed(tx, step, failure) {
      const { serverId, migrationId, ctx } = step.params;
      await patchMigration(tx, migrationId, { status: 'error', updated_at_ms: env.clock.nowMs() });
      await actionFailed(deps, tx, { serverId, requestId: ctx.requestId, failure, event: 'resize.revert.error', patch: () => ({ vm_state: 'error' }) });
    },
  });
}
