import { mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { defaultGlanceOptions } from '@cairn/glance/options';
import { createGlance } from '@cairn/glance/service';
import { glanceMigrations } from '@cairn/glance/store/migrations/index';
import { HostRegistry } from '@cairn/host/registry';
import { SimulatedAgent } from '@cairn/host/simulated/agent';
import { SimulatedMachine } from '@cairn/host/simulated/machine';
import { systemClock } from '@cairn/kit/clock/clock';
import type { Env } from '@cairn/kit/env';
import { eventMigrations } from '@cairn/kit/events/migrations';
import { Outbox } from '@cairn/kit/events/outbox';
import { systemIds } from '@cairn/kit/ids/ids';
import { silentLog } from '@cairn/kit/log/log';
import { type CrashWorld, crashSuite } from '@cairn/kit/saga/crash-suite';
import { SagaEngine } from '@cairn/kit/saga/engine';
import { sagaMigrations } from '@cairn/kit/saga/migrations';
import type { SagaDefinition } from '@cairn/kit/saga/saga';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { testStore } from '@cairn/kit/store/testing';
import { testContext } from '@cairn/kit/testing/world';
import { type CinderApp, createCinderApp } from '../app/app.ts';
import { serviceCaller } from '../app/caller.ts';
import { secretOf } from '../app/keys.ts';
import { createSnapshot } from '../app/snapshots.ts';
import { createVolume } from '../app/volume-create.ts';
import { defaultCinderOptions } from '../options.ts';
import { testSecrets } from '../cloud.fixture.ts';
import { SmallSwift } from '../testing/small-swift.ts';
import { cinderMigrations } from '../store/migrations/index.ts';
import { snapshotById } from '../store/snapshots.ts';
import type { CinderTables, SnapshotRow, VolumeRow } from '../store/tables.ts';
import { volumeById } from '../store/volumes.ts';

export const ctx = testContext();
export const caller = serviceCaller(ctx);
export const IMAGE = 'e0000000-0000-4000-8000-000000000001';
export const VOLUME = 'c0000000-0000-4000-8000-000000000001';
export const OTHER = 'c0000000-0000-4000-8000-000000000002';
export const SNAPSHOT = 'd0000000-0000-4000-8000-000000000001';

/** What a process of the suite can do. */
export interface Actor {
  readonly app: CinderApp;
  write(work: (tx: Tx) => Promise<unknown>): Promise<unknown>;
  idle(): Promise<void>;
}

export interface Plan {
  /** The saga, found among those of one process's app by its name. */
  readonly saga: (app: CinderApp) => SagaDefinition;
  /** Backups go to object storage. */
  readonly objectStorage?: boolean;
  /** Another host, `host2`, is there. */
  readonly twoHosts?: boolean;
  prepare?(actor: Actor): Promise<void>;
  start(actor: Actor): Promise<void>;
}

export const volume = async (db: Db, id = VOLUME): Promise<VolumeRow> => (await volumeById(db, id)) as VolumeRow;
export const snapshot = async (db: Db): Promise<SnapshotRow> => (await snapshotById(db, SNAPSHOT)) as SnapshotRow;

/** An image, and a process over one store and one simulated host; the store and the host outlive it. */
export async function world(plan: Plan): Promise<CrashWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-cinder-crash-'));
  const store = await testStore();
  const machine = new SimulatedMachine('host1');
  const swift = plan.objectStorage === true ? await SmallSwift.start() : undefined;
  const second = new SimulatedMachine('host2');
  await store.migrate([sagaMigrations, eventMigrations, glanceMigrations, cinderMigrations]);
  const quotaBefore = (): Promise<unknown[]> => on<CinderTables>(store.read).selectFrom('cinder_usage').selectAll().execute();
  return {
    store,
    async boot(hooks) {
      const engine = new SagaEngine({ store, clock: systemClock, ids: systemIds, log: silentLog, ...hooks });
      const events = new Outbox({ store, clock: systemClock, ids: systemIds, log: silentLog, exclusive: true });
      const env = { clock: systemClock, ids: systemIds, log: silentLog, store, sagas: engine, events } as unknown as Env;
      const glance = createGlance({ env, options: { ...defaultGlanceOptions, imagesDir: directory } });
      const hosts = new HostRegistry();
      const callbacks = {
        openImage: (imageId: string) => glance.face.open(imageId),
        diskKey: (keyId: string) => secretOf(app.deps, store.read, keyId),
        metadata: async () => ({ status: 404, contentType: 'text/plain', body: '' }),
      };
      hosts.add(new SimulatedAgent('host1', { clock: systemClock, machine, callbacks }));
      if (plan.twoHosts === true) hosts.add(new SimulatedAgent('host2', { clock: systemClock, machine: second, callbacks }));
      const app: CinderApp = createCinderApp({
        env,
        options: { ...defaultCinderOptions, backupsDir: join(directory, 'backups'), ...(swift && { backups: swift.options }) },
        faces: { glance: glance.face, keystone: { project: async () => undefined, ...testSecrets } },
        hosts,
      });
      const { registerHost, registerScheduler } = await import('../app/hosts.ts');
      const deps = app.deps;
      engine.register(Object.values(app.sagas) as SagaDefinition[], {});
      await engine.open();
      const actor: Actor = { app, write: (work) => store.write(work), idle: () => engine.idle() };
      const definition = plan.saga(app);
      return {
        engine,
        async prepare() {
          await registerScheduler(deps);
          for (const host of hosts.names()) await registerHost(deps, host);
          await store.write((tx) => glance.face.create(tx, ctx, { id: IMAGE, name: 'image', diskFormat: 'raw', containerFormat: 'bare', properties: {} }));
          await glance.face.upload(IMAGE, Readable.from([Buffer.alloc(4096)]));
          await plan.prepare?.(actor);
        },
        async start() {
          await plan.start(actor);
          const row = await on<{ kit_saga: { id: string; name: string; seq: number } }>(store.read)
            .selectFrom('kit_saga')
            .select('id')
            .where('name', '=', definition.name)
            .orderBy('seq', 'desc')
            .executeTakeFirstOrThrow();
          return row.id;
        },
      };
    },
    async inspect() {
      const q = on<CinderTables>(store.read);
      const [volumes, snapshots, usage, pools, images, backups, groups, keys] = await Promise.all([
        q.selectFrom('cinder_volume').selectAll().execute(),
        q.selectFrom('cinder_snapshot').selectAll().execute(),
        quotaBefore(),
        q.selectFrom('cinder_pool').selectAll().execute(),
        on<{ glance_image: { id: string; status: string; name: string } }>(store.read).selectFrom('glance_image').select(['status', 'name']).execute(),
        q.selectFrom('cinder_backup').selectAll().execute(),
        q.selectFrom('cinder_group').selectAll().execute(),
        q.selectFrom('cinder_key').selectAll().execute(),
      ]);
      return [
        ...machine.inspect(),
        ...second.inspect().map((line) => `host2 ${line}`),
        ...backups.map((one) => `backup ${one.status}${one.parent_id === null ? '' : ' incremental'}`),
        ...(await readdir(join(directory, 'backups')).catch(() => [])).map((name) => `backed up ${name}`),
        // before the backup's id there is a time
        ...(swift ? swift.names().map((name) => name.replace(/^.*_backup_(.{36})/, 'object of $1 ')) : []),
        ...keys.map(() => 'key'),
        ...groups.map((one) => `group ${one.status}`),
        ...volumes.map(
          (row) =>
            `volume ${row.id === VOLUME ? 'one' : 'two'} ${row.status} ${row.size_gb} GB growing ${row.growing_gb} on ${row.host} bootable ${row.bootable} own disk ${row.disk_id === row.id}`,
        ),
        ...snapshots.map((row) => `snapshot ${row.status} ${row.progress}`),
        ...(usage as { type_id: string }[]).map((line) => `usage ${JSON.stringify({ ...line, type_id: undefined })}`),
        ...pools.filter((row) => row.volumes > 0).map((row) => `pool ${JSON.stringify(row)}`),
        ...images.map((row) => `image ${row.name} ${row.status}`),
      ];
    },
    async close() {
      await store.close();
      await swift?.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

export const GB = 2 ** 30;
export const P = 'b0000000000000000000000000000001';
export const image = 'image image active';
export const disk = (gb: number, snapshots = 0): string => `disk ${VOLUME} volume ${gb * GB}${` snapshot ${SNAPSHOT}`.repeat(snapshots)}`;
export const usage = (change: object): string =>
  `usage ${JSON.stringify({ project_id: P, volumes: 1, volume_gb: 1, growing_gb: 0, snapshots: 0, snapshot_gb: 0, ...change })}`;
export const pool = (volumes: number, gb: number): string => `pool ${JSON.stringify({ host: 'host1', volumes, provisioned_gb: gb })}`;
export const row = (status: string, rest = '1 GB growing 0 on host1 bootable 0 own disk true'): string => `volume one ${status} ${rest}`;

export const makeVolume = (actor: Actor, ask: Partial<Parameters<typeof createVolume>[3]> = {}): Promise<unknown> =>
  actor.write((tx) => createVolume(actor.app, tx, caller, { id: VOLUME, size: 1, followImageSnapshot: true, ...ask }));
export const withVolume = async (actor: Actor): Promise<void> => {
  await makeVolume(actor);
  await actor.idle();
};
export const withSnapshot = async (actor: Actor): Promise<void> => {
  await withVolume(actor);
  await actor.write(async (tx) =>
    createSnapshot(actor.app, tx, caller, await volume(tx), { id: SNAPSHOT, name: null, description: null, metadata: {}, inUse: false }),
  );
  await actor.idle();
};

export interface SuiteOptions {
  readonly cancellable?: boolean;
  readonly doneAtStart?: number;
  /** Lines of `inspect` that begin so may be there or not. */
  readonly eitherWay?: string;
}

export function suite(plan: Plan, afterFailure: readonly string[], more: SuiteOptions = {}): void {
  const named = plan.saga(createCinderApp({} as never));
  const { eitherWay, ...options } = more;
  crashSuite({
    saga: named,
    async world() {
      const fresh = await world(plan);
      if (eitherWay === undefined) return fresh;
      return { ...fresh, inspect: async () => (await fresh.inspect()).filter((line) => !line.startsWith(eitherWay)) };
    },
    afterFailure,
    ...options,
  });
}
