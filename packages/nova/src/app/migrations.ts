import { isAdmin } from '@cairn/kit/context/context';
import { type CairnError, conflict, isCairnError, invalidInput, notFound } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { NovaSagas } from '../sagas/index.ts';
import { notShared } from '../sagas/server-live.ts';
import { moveRequest } from '../sagas/server-move.ts';
import { Pending, selectHosts } from '../scheduler/schedule.ts';
import { finishAction, insertActions } from '../store/action.ts';
import { blockDevicesOf } from '../store/block-device.ts';
import { computeNodeOfHost } from '../store/compute-node.ts';
import { findFlavor } from '../store/flavor.ts';
import {
  findMigration,
  findMigrationOf,
  IN_PROGRESS,
  insertMigration,
  listMigrations,
  liveMigrationsOf,
  type MigrationQuery,
  type MigrationRow,
  migrationIn,
  patchMigration,
} from '../store/migration.ts';
import { flavorOf, imageOf, type ServerRow, type StoredFlavor } from '../store/server.ts';
import { isUp, servicesOf } from '../store/service.ts';
import { tpmWish } from '../hosts/hardware.ts';
import { type Caller, targetOf } from './caller.ts';
import type { NovaDeps } from './deps.ts';
import { checkHardware, refuseTpm } from './server-hardware.ts';
import { newPassword } from './server-names.ts';
import { createTpms } from './tpm-secrets.ts';
import { isVolumeBacked } from './server-create.ts';
import { storedFlavor } from './server-plan.ts';
import { serverLimits } from './server-quota.ts';
import { ACTION_RULES, checkAction } from './server-states.ts';
import { beginAction, storedContext, visibleServer } from './servers.ts';

export type { MigrationQuery, MigrationRow } from '../store/migration.ts';

/** A live migration that has not ended. */
export const isInProgress = (row: MigrationRow): boolean => (IN_PROGRESS as readonly string[]).includes(row.status);

export interface EvacuateRequest {
  readonly host: string | undefined;
  readonly force: boolean;
  readonly adminPass: string | undefined;
  /** Microversion 2.95: the server is down afterwards. */
  readonly stopped: boolean;
  /** Until 2.13 a new password is told. */
  readonly tellsPassword: boolean;
}

export interface LiveRequest {
  readonly host: string | undefined;
  /** Undefined: as it needs to be. */
  readonly blockMigration: boolean | undefined;
  /** Until 2.33 the caller waits to hear that there is no host. */
  readonly waits: boolean;
}

/** Moves of servers between hosts and flavors. */
export interface MigrationsApp {
  resize(caller: Caller, serverId: string, flavorId: string, diskConfig: 'AUTO' | 'MANUAL' | undefined): Promise<void>;
  migrate(caller: Caller, serverId: string, host: string | undefined): Promise<void>;
  confirm(caller: Caller, serverId: string): Promise<void>;
  revert(caller: Caller, serverId: string): Promise<void>;
  migrateLive(caller: Caller, serverId: string, request: LiveRequest): Promise<void>;
  /** Makes a live migration end: the guest stands still until it is over there. */
  forceComplete(caller: Caller, serverId: string, migrationId: string): Promise<void>;
  /** Ends a live migration where it began; `inQueue`: also one that has not begun to move. */
  abort(caller: Caller, serverId: string, migrationId: string, inQueue: boolean): Promise<void>;
  /** A server's live migrations in progress. */
  inProgress(caller: Caller, serverId: string): Promise<readonly MigrationRow[]>;
  progressOf(caller: Caller, serverId: string, migrationId: string): Promise<MigrationRow>;
  /** The new administrator password. */
  evacuate(caller: Caller, serverId: string, request: EvacuateRequest): Promise<string>;
  list(query: MigrationQuery): Promise<readonly MigrationRow[]>;
}

/** Of a begin: what all kinds of moves note about themselves. */
interface NewMove {
  readonly type: 'migration' | 'resize' | 'evacuation' | 'live-migration';
  readonly status: string;
  readonly flavor: StoredFlavor;
  readonly flavorSeq?: number;
  readonly destHost?: string | undefined;
  readonly withDisks: boolean;
}

/** Writes a migration down, with ids for the disks that the other side will have. */
export async function newMigration(deps: NovaDeps, tx: Tx, caller: Caller, row: ServerRow, move: NewMove): Promise<string> {
  const { ids, clock } = deps.env;
  const id = ids.uuid();
  const old = flavorOf(row);
  const oldSeq = (await findFlavor(tx, old.id, { projectId: undefined, everything: true }))?.seq ?? null;
  const devices = move.withDisks ? await blockDevicesOf(tx, row.id) : [];
  const disks = devices.flatMap((device) =>
    device.destination_type === 'local' && device.disk_id !== null ? [{ deviceId: device.id, oldDiskId: device.disk_id, newDiskId: ids.uuid() }] : [],
  );
  await insertMigration(tx, {
    id,
    server_id: row.id,
    type: move.type,
    status: move.status,
    source_host: row.host,
    source_node: row.node,
    dest_host: move.destHost ?? null,
    dest_node: null,
    dest_ip: null,
    old_flavor_seq: oldSeq,
    new_flavor_seq: move.flavorSeq ?? oldSeq,
    old_flavor_json: row.flavor_json,
    new_flavor_json: JSON.stringify(move.flavor),
    old_vm_state: row.vm_state,
    disks_json: JSON.stringify(disks),
    at_dest: 0,
    user_id: caller.ctx.userId,
    project_id: caller.ctx.projectId ?? row.project_id,
    memory_total: null,
    memory_processed: null,
    memory_remaining: null,
    disk_total: null,
    disk_processed: null,
    disk_remaining: null,
    created_at_ms: clock.nowMs(),
    updated_at_ms: null,
  });
  return id;
}

const notLocal = (host: string): CairnError =>
  invalidInput(`${host} is not on local storage: Block migration can not be used with shared storage.`, { type: 'InvalidLocalStorage' });

export const computeHostNotFound = (host: string): CairnError => invalidInput(`Compute host ${host} could not be found.`, { type: 'ComputeHostNotFound' });

/** Whether the compute service of a host is alive. */
export async function hostIsUp(deps: NovaDeps, db: Db, host: string | null): Promise<boolean> {
  const service = host === null ? undefined : (await servicesOf(db, 'nova-compute')).get(host);
  return service !== undefined && isUp(service, deps.env.clock.nowMs(), deps.options.serviceDownMs);
}

export function createMigrationsApp(deps: NovaDeps, sagas: NovaSagas): MigrationsApp {
  const { env, options } = deps;

  const needReady = async (db: Db, row: ServerRow): Promise<void> => {
    if (row.host === null) throw conflict(`Instance ${row.id} is not ready`);
    if (!(await hostIsUp(deps, db, row.host))) throw conflict('Service is unavailable at this time.');
  };

  /** Throws upstream's refusals of a flavor for a server that has another one. */
  const checkFlavor = async (tx: Tx, caller: Caller, row: ServerRow, flavorId: string): Promise<{ readonly flavor: StoredFlavor; readonly seq: number }> => {
    const found = await findFlavor(tx, flavorId, { projectId: caller.ctx.projectId, everything: isAdmin(caller.ctx) });
    if (found === undefined) throw invalidInput(`Flavor ${flavorId} could not be found.`, { type: 'FlavorNotFound' });
    const flavor = storedFlavor(found);
    const before = flavorOf(row);
    const backed = isVolumeBacked(await blockDevicesOf(tx, row.id));
    if (flavor.rootGb === 0 && before.rootGb !== 0 && !backed)
      throw invalidInput('Server disk was unable to be resized because: Resize to zero disk flavor is not allowed.');
    const same = flavor.id === before.id;
    if (!same && found.disabled === 1) throw invalidInput(`Flavor ${flavorId} could not be found.`, { type: 'FlavorNotFound' });
    if (same) throw invalidInput('When resizing, instances must change flavor!');
    (await serverLimits(deps, tx, row.project_id, row.user_id)).fitMore({ cores: flavor.vcpus - before.vcpus, ramMb: flavor.memoryMb - before.memoryMb });
    const image = imageOf(row);
    if (flavor.memoryMb < image.minRamMb) throw invalidInput("Flavor's memory is too small for requested image.");
    if (!backed && flavor.rootGb !== 0 && image.minDiskGb > flavor.rootGb) {
      const [has, needs] = [flavor.rootGb * 2 ** 30, image.minDiskGb * 2 ** 30];
      throw invalidInput(
        `Flavor's disk is smaller than the minimum size specified in image metadata. Flavor disk is ${has} bytes, minimum size is ${needs} bytes.`,
      );
    }
    checkHardware(flavor, image.properties);
    return { flavor, seq: found.seq };
  };

  /** Says now that no host will do, where the saga would say it later. */
  const checkRoom = async (db: Db, row: ServerRow, ctx: Caller['ctx'], host: string | undefined): Promise<void> => {
    const ignoreHosts = row.host === null ? [] : [row.host];
    const request = await moveRequest(deps, db, row, { ctx, flavor: flavorOf(row), ignoreHosts, volumesStay: true, ...(host === undefined ? {} : { host }) });
    await selectHosts(deps, db, request, new Pending()).catch((error: unknown) => {
      if (isCairnError(error, 'NoCapacity')) throw invalidInput(error.message, { type: 'NoValidHost' });
      throw error;
    });
  };

  const needOf = async (row: ServerRow, migrationId: string, missing: typeof invalidInput = notFound): Promise<MigrationRow> => {
    const migration = /^\d{1,15}$/.test(migrationId) ? await findMigrationOf(env.store.read, row.id, Number(migrationId)) : undefined;
    if (migration === undefined) throw missing(`Migration ${migrationId} not found for instance ${row.id}`, { type: 'MigrationNotFoundForInstance' });
    return migration;
  };
  const wrongState = (migration: MigrationRow, method: string): CairnError =>
    invalidInput(
      `Migration ${migration.seq} state of instance ${migration.server_id} is ${migration.status}. Cannot ${method} while the migration is in this state.`,
      { type: 'InvalidMigrationState' },
    );
  const noteAction = (caller: Caller, row: ServerRow, action: string): Promise<void> =>
    env.store.write(async (tx) => {
      const atMs = env.clock.nowMs();
      const projectId = caller.ctx.projectId ?? row.project_id;
      await insertActions(tx, [{ serverId: row.id, requestId: caller.requestId, action, userId: caller.ctx.userId, projectId, atMs }]);
      await finishAction(tx, row.id, caller.requestId, null, atMs);
    });

  return {
    async resize(caller, serverId, flavorId, diskConfig) {
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:servers:resize',
        rule: ACTION_RULES.resize,
        action: 'resize',
        taskState: 'resize_prep',
        patch: { auto_disk_config: diskConfig === 'AUTO' ? 1 : 0 },
        event: 'resize.prep.start',
        saga: sagas.resize,
        async params(row, tx) {
          await needReady(tx, row);
          if (diskConfig === 'AUTO' && imageOf(row).properties['auto_disk_config']?.trim().toLowerCase() === 'disabled')
            throw invalidInput(`Requested image ${row.image_id} has automatic disk resize disabled.`);
          const { flavor, seq } = await checkFlavor(tx, caller, row, flavorId);
          if (tpmWish(flavor, imageOf(row).properties) !== undefined) await createTpms(deps, tx, [row.id]);
          const migrationId = await newMigration(deps, tx, caller, row, { type: 'resize', status: 'pre-migrating', flavor, flavorSeq: seq, withDisks: true });
          const ignoreHosts = options.resizeToSameHost || row.host === null ? [] : [row.host];
          return { serverId: row.id, ctx: storedContext(caller), migrationId, host: null, ignoreHosts };
        },
      });
    },

    async migrate(caller, serverId, host) {
      await beginAction(deps, caller, {
        serverId,
        policy: `os_compute_api:os-migrate-server:migrate${host === undefined ? '' : ':host'}`,
        rule: ACTION_RULES.migrate,
        action: 'migrate',
        taskState: 'resize_prep',
        event: 'resize.prep.start',
        saga: sagas.resize,
        async params(row, tx) {
          await needReady(tx, row);
          if (host !== undefined && host === row.host) throw invalidInput('Cannot migrate to the host where the server exists.');
          if (host !== undefined && (await computeNodeOfHost(tx, host)) === undefined) throw computeHostNotFound(host);
          const migrationId = await newMigration(deps, tx, caller, row, {
            type: 'migration',
            status: 'pre-migrating',
            flavor: flavorOf(row),
            withDisks: true,
          });
          return { serverId: row.id, ctx: storedContext(caller), migrationId, host: host ?? null, ignoreHosts: row.host === null ? [] : [row.host] };
        },
      });
    },

    async confirm(caller, serverId) {
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:servers:confirm_resize',
        rule: ACTION_RULES.confirmResize,
        action: 'confirmResize',
        event: 'resize.confirm.start',
        saga: sagas.confirmResize,
        async params(row, tx) {
          const migration = await migrationIn(tx, row.id, ['finished']);
          if (migration === undefined) throw invalidInput('Instance has not been resized.');
          if (!(await hostIsUp(deps, tx, migration.source_host))) throw conflict('Service is unavailable at this time.');
          await patchMigration(tx, migration.id, { status: 'confirming', updated_at_ms: env.clock.nowMs() });
          return { serverId: row.id, ctx: storedContext(caller), migrationId: migration.id };
        },
      });
    },

    async revert(caller, serverId) {
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:servers:revert_resize',
        rule: ACTION_RULES.revertResize,
        action: 'revertResize',
        taskState: 'resize_reverting',
        event: 'resize.revert.start',
        saga: sagas.revertResize,
        async params(row, tx) {
          const migration = await migrationIn(tx, row.id, ['finished']);
          if (migration === undefined) throw invalidInput('Instance has not been resized.');
          const [now, before] = [flavorOf(row), JSON.parse(migration.old_flavor_json) as StoredFlavor];
          const limits = await serverLimits(deps, tx, row.project_id, row.user_id);
          limits.fitMore({ cores: before.vcpus - now.vcpus, ramMb: before.memoryMb - now.memoryMb });
          await patchMigration(tx, migration.id, { status: 'reverting', updated_at_ms: env.clock.nowMs() });
          return { serverId: row.id, ctx: storedContext(caller), migrationId: migration.id };
        },
      });
    },

    async migrateLive(caller, serverId, { host, blockMigration, waits }) {
      await beginAction(deps, caller, {
        serverId,
        policy: `os_compute_api:os-migrate-server:migrate_live${host === undefined ? '' : ':host'}`,
        rule: ACTION_RULES.migrateLive,
        action: 'live-migration',
        taskState: 'migrating',
        event: 'live_migration.pre.start',
        saga: sagas.live,
        async params(row, tx) {
          if (host !== undefined && (await computeNodeOfHost(tx, host)) === undefined) throw computeHostNotFound(host);
          if (row.host === null) throw conflict(`Instance ${row.id} is not ready`);
          if (host === row.host) throw invalidInput(`Unable to migrate instance (${row.id}) to current host (${row.host}).`);
          if (!(await hostIsUp(deps, tx, row.host))) throw invalidInput(`Compute service of ${row.host} is unavailable at this time.`);
          refuseTpm(row, 'live-migration');
          const flavor = flavorOf(row);
          const ctx = storedContext(caller);
          if (waits) {
            // later versions hear of it by the migration's state
            const hasLocal = (await blockDevicesOf(tx, row.id)).some((device) => device.destination_type === 'local' && device.disk_id !== null);
            if (blockMigration === false && hasLocal) throw notShared(row.host);
            if (blockMigration === true && !hasLocal) throw notLocal(row.host);
            await checkRoom(tx, row, ctx, host);
          }
          const migrationId = await newMigration(deps, tx, caller, row, { type: 'live-migration', status: 'queued', flavor, destHost: host, withDisks: true });
          return { serverId: row.id, ctx, migrationId, host: host ?? null, mayCopyDisks: blockMigration !== false };
        },
      });
    },

    async forceComplete(caller, serverId, migrationId) {
      const row = await visibleServer(env.store.read, caller, serverId);
      caller.authorize('os_compute_api:servers:migrations:force_complete', targetOf(row));
      checkAction(row, ACTION_RULES.forceComplete, isAdmin(caller.ctx));
      const migration = await needOf(row, migrationId, invalidInput);
      if (migration.status !== 'running') throw wrongState(migration, 'force complete');
      const did = await deps.hosts.get(row.host as string).guests.hastenLive(row.id);
      // from there on it cannot be aborted (nova/virt/libvirt/migration.py: trigger_postcopy_switch)
      if (did === 'post-copy')
        await env.store.write(async (tx) => {
          const now = await findMigration(tx, migration.id);
          if (now?.status === 'running') await patchMigration(tx, migration.id, { status: 'running (post-copy)', updated_at_ms: env.clock.nowMs() });
        });
      await noteAction(caller, row, 'live_migration_force_complete');
    },

    async abort(caller, serverId, migrationId, inQueue) {
      const row = await visibleServer(env.store.read, caller, serverId);
      caller.authorize('os_compute_api:servers:migrations:delete', targetOf(row));
      checkAction(row, ACTION_RULES.abortLiveMigration, isAdmin(caller.ctx));
      const migration = await needOf(row, migrationId);
      if (!['running', ...(inQueue ? ['queued', 'preparing'] : [])].includes(migration.status)) throw wrongState(migration, 'abort live migration');
      await env.store.write((tx) => env.sagas.cancel(tx, `server:${row.id}`, [sagas.live.name]));
      await noteAction(caller, row, 'live_migration_cancel');
    },

    async inProgress(caller, serverId) {
      const row = await visibleServer(env.store.read, caller, serverId);
      caller.authorize('os_compute_api:servers:migrations:index', targetOf(row));
      return await liveMigrationsOf(env.store.read, row.id);
    },

    async progressOf(caller, serverId, migrationId) {
      const row = await visibleServer(env.store.read, caller, serverId);
      caller.authorize('os_compute_api:servers:migrations:show', targetOf(row));
      const migration = /^\d{1,15}$/.test(migrationId) ? await findMigrationOf(env.store.read, row.id, Number(migrationId)) : undefined;
      if (migration === undefined) throw notFound(`In-progress live migration ${migrationId} is not found for server ${row.id}.`);
      if (migration.type !== 'live-migration') throw notFound(`Migration ${migrationId} for server ${row.id} is not live-migration.`);
      if (!isInProgress(migration)) throw notFound(`Live migration ${migrationId} for server ${row.id} is not in progress.`);
      return migration;
    },

    async evacuate(caller, serverId, request) {
      const { host } = request;
      const adminPass = request.adminPass ?? newPassword(env.ids);
      await beginAction(deps, caller, {
        serverId,
        policy: 'os_compute_api:os-evacuate',
        rule: ACTION_RULES.evacuate,
        action: 'evacuate',
        taskState: 'rebuilding',
        event: 'evacuate',
        saga: sagas.evacuate,
        async params(row, tx) {
          refuseTpm(row, 'evacuate');
          if (host !== undefined && (await computeNodeOfHost(tx, host)) === undefined) throw notFound(`Compute host ${host} not found.`);
          if (host !== undefined && host === row.host) throw invalidInput("The target host can't be the same one.");
          if (row.host === null) throw conflict(`Instance ${row.id} is not ready`);
          if (await hostIsUp(deps, tx, row.host)) throw invalidInput(`Compute service of ${row.host} is still in use.`, { type: 'ComputeServiceInUse' });
          const migrationId = await newMigration(deps, tx, caller, row, {
            type: 'evacuation',
            status: 'accepted',
            flavor: flavorOf(row),
            destHost: host,
            withDisks: true,
          });
          const stopped = request.stopped || row.vm_state === 'stopped';
          return {
            serverId: row.id,
            ctx: storedContext(caller),
            migrationId,
            host: host ?? null,
            adminPass: row.config_drive === 1 ? adminPass : null,
            oldPower: row.power_state,
            stopped,
          };
        },
      });
      return adminPass;
    },

    async list(query) {
      const rows = await listMigrations(env.store.read, query);
      if (rows === undefined) throw invalidInput(`Marker ${query.page?.marker} could not be found.`, { type: 'MarkerNotFound' });
      return rows;
    },
  };
}
