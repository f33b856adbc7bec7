import { mkdtempSync, rmSync } from 'node:fs';
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
import { createSnapshot, deleteSnapshot } from '../app/snapshots.ts';
import { createVolume } from '../app/volume-create.ts';
import { deleteVolume } from '../app/volume-delete.ts';
import { extendVolume } from '../app/volume-extend.ts';
import { reimage, uploadToImage } from '../app/volume-image.ts';
import { revertVolume } from '../app/volume-revert.ts';
import { defaultCinderOptions } from '../options.ts';
import { cinderMigrations } from '../store/migrations/index.ts';
import { snapshotById } from '../store/snapshots.ts';
import type { CinderTables, SnapshotRow, VolumeRow } from '../store/tables.ts';
import { volumeById } from '../store/volumes.ts';

const ctx = testContext();
const caller = serviceCaller(ctx);
const IMAGE = 'e0000000-0000-4000-8000-000000000001';
const VOLUME = 'c0000000-0000-4000-8000-000000000001';
const OTHER = 'c0000000-0000-4000-8000-000000000002';
const SNAPSHOT = 'd0000000-0000-4000-8000-000000000001';

/** What a process of the suite can do. */
interface Actor {
  readonly app: CinderApp;
  write(work: (tx: Tx) => Promise<unknown>): Promise<unknown>;
  idle(): Promise<void>;
}

interface Plan {
  /** The saga, found among those of one process's app by its name. */
  readonly saga: (app: CinderApp) => SagaDefinition;
  prepare?(actor: Actor): Promise<void>;
  start(actor: Actor): Promise<void>;
}

const volume = async (db: Db, id = VOLUME): Promise<VolumeRow> => (await volumeById(db, id)) as VolumeRow;
const snapshot = async (db: Db): Promise<SnapshotRow> => (await snapshotById(db, SNAPSHOT)) as SnapshotRow;

/** An image, and a process over one store and one simulated host; the store and the host outlive it. */
async function world(plan: Plan): Promise<CrashWorld> {
  const directory = mkdtempSync(join(tmpdir(), 'cairn-cinder-crash-'));
  const store = await testStore();
  const machine = new SimulatedMachine('host1');
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
      hosts.add(new SimulatedAgent('host1', { clock: systemClock, machine }));
      const app = createCinderApp({ env, options: defaultCinderOptions, faces: { glance: glance.face, keystone: { project: async () => undefined } }, hosts });
      engine.register(Object.values(app.sagas) as SagaDefinition[], {});
      await engine.open();
      const actor: Actor = { app, write: (work) => store.write(work), idle: () => engine.idle() };
      const definition = plan.saga(app);
      return {
        engine,
        async prepare() {
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
      const [volumes, snapshots, usage, pools, images] = await Promise.all([
        q.selectFrom('cinder_volume').selectAll().execute(),
        q.selectFrom('cinder_snapshot').selectAll().execute(),
        quotaBefore(),
        q.selectFrom('cinder_pool').selectAll().execute(),
        on<{ glance_image: { id: string; status: string; name: string } }>(store.read).selectFrom('glance_image').select(['status', 'name']).execute(),
      ]);
      return [
        ...machine.inspect(),
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
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

const GB = 2 ** 30;
const P = 'b0000000000000000000000000000001';
const image = 'image image active';
const disk = (gb: number, snapshots = 0): string => `disk ${VOLUME} volume ${gb * GB}${` snapshot ${SNAPSHOT}`.repeat(snapshots)}`;
const usage = (change: object): string =>
  `usage ${JSON.stringify({ project_id: P, volumes: 1, volume_gb: 1, growing_gb: 0, snapshots: 0, snapshot_gb: 0, ...change })}`;
const pool = (volumes: number, gb: number): string => `pool ${JSON.stringify({ host: 'host1', volumes, provisioned_gb: gb })}`;
const row = (status: string, rest = '1 GB growing 0 on host1 bootable 0 own disk true'): string => `volume one ${status} ${rest}`;

const makeVolume = (actor: Actor, ask: Partial<Parameters<typeof createVolume>[3]> = {}): Promise<unknown> =>
  actor.write((tx) => createVolume(actor.app, tx, caller, { id: VOLUME, size: 1, followImageSnapshot: true, ...ask }));
const withVolume = async (actor: Actor): Promise<void> => {
  await makeVolume(actor);
  await actor.idle();
};
const withSnapshot = async (actor: Actor): Promise<void> => {
  await withVolume(actor);
  await actor.write(async (tx) =>
    createSnapshot(actor.app, tx, caller, await volume(tx), { id: SNAPSHOT, name: null, description: null, metadata: {}, inUse: false }),
  );
  await actor.idle();
};

function suite(plan: Plan, afterFailure: readonly string[], more: { readonly cancellable?: boolean } = {}): void {
  const named = plan.saga(createCinderApp({} as never));
  crashSuite({ saga: named, world: () => world(plan), afterFailure, ...more });
}

suite({ saga: (app) => app.sagas.volumeCreate, start: async (actor) => void (await makeVolume(actor)) }, [
  row('error', '1 GB growing 0 on null bootable 0 own disk true'),
  usage({}),
  image,
]);

suite({ saga: (app) => app.sagas.volumeCreate, start: async (actor) => void (await makeVolume(actor, { imageRef: IMAGE })) }, [
  row('error', '1 GB growing 0 on null bootable 0 own disk true'),
  usage({}),
  image,
]);

suite(
  {
    saga: (app) => app.sagas.volumeUpload,
    prepare: withVolume,
    start: async (actor) =>
      void (await actor.write(async (tx) =>
        uploadToImage(actor.app, tx, caller, await volume(tx), {
          imageName: 'copy',
          diskFormat: 'qcow2',
          containerFormat: 'bare',
          visibility: 'private',
          protected: false,
          force: false,
        }),
      )),
  },
  [row('available'), disk(1), usage({}), pool(1, 1), image],
);

suite(
  {
    saga: (app) => app.sagas.snapshotCreate,
    prepare: withVolume,
    start: async (actor) =>
      void (await actor.write(async (tx) =>
        createSnapshot(actor.app, tx, caller, await volume(tx), { id: SNAPSHOT, name: null, description: null, metadata: {}, inUse: false }),
      )),
  },
  [row('available'), disk(1), 'snapshot error 0%', usage({ snapshots: 1, snapshot_gb: 1 }), pool(1, 1), image],
);

suite(
  {
    saga: (app) => app.sagas.volumeReimage,
    prepare: withVolume,
    start: async (actor) => void (await actor.write(async (tx) => reimage(actor.app, tx, caller, await volume(tx), IMAGE, { reserved: false }))),
  },
  [row('error'), disk(1), usage({}), pool(1, 1), image],
);

// What these do to a disk cannot be taken back, and is found again by the next try: a failure leaves the disk either way.
for (const [plan, states] of [
  [
    {
      saga: (app: CinderApp) => app.sagas.volumeExtend,
      prepare: withVolume,
      start: async (actor: Actor) => void (await actor.write(async (tx) => extendVolume(actor.app, tx, caller, await volume(tx), 3, false))),
    },
    [row('error_extending'), usage({}), pool(1, 1), image],
  ],
  [
    {
      saga: (app: CinderApp) => app.sagas.volumeDelete,
      prepare: withVolume,
      start: async (actor: Actor) => void (await actor.write(async (tx) => deleteVolume(actor.app, tx, caller, await volume(tx)))),
    },
    [row('error_deleting'), usage({}), pool(1, 1), image],
  ],
  [
    {
      saga: (app: CinderApp) => app.sagas.snapshotDelete,
      prepare: withSnapshot,
      start: async (actor: Actor) => void (await actor.write(async (tx) => deleteSnapshot(actor.app, tx, caller, await snapshot(tx)))),
    },
    [row('available'), 'snapshot error_deleting 100%', usage({ snapshots: 1, snapshot_gb: 1 }), pool(1, 1), image],
  ],
  [
    {
      saga: (app: CinderApp) => app.sagas.volumeRevert,
      prepare: withSnapshot,
      start: async (actor: Actor) => void (await actor.write(async (tx) => revertVolume(actor.app, tx, caller, await volume(tx), SNAPSHOT))),
    },
    [row('error'), 'snapshot available 100%', usage({ snapshots: 1, snapshot_gb: 1 }), pool(1, 1), image],
  ],
] as const) {
  const named = plan.saga(createCinderApp({} as never));
  crashSuite({
    saga: named,
    async world() {
      const made = await world(plan);
      return {
        ...made,
        async inspect() {
          const lines = await made.inspect();
          const failed = lines.some((line) => / error\w* /.test(line));
          return failed ? lines.filter((line) => !line.startsWith('disk ')) : lines;
        },
      };
    },
    afterFailure: states,
  });
}

// A clone is on the host of its origin, whose disk it leaves as it is.
suite(
  {
    saga: (app) => app.sagas.volumeCreate,
    async prepare(actor) {
      await actor.write((tx) => createVolume(actor.app, tx, caller, { id: OTHER, size: 1, followImageSnapshot: true }));
      await actor.idle();
    },
    start: async (actor) => void (await makeVolume(actor, { sourceVolumeId: OTHER })),
  },
  [
    row('error', '1 GB growing 0 on null bootable 0 own disk true'),
    'volume two available 1 GB growing 0 on host1 bootable 0 own disk true',
    `disk ${OTHER} volume ${GB}`,
    usage({ volumes: 2, volume_gb: 2 }),
    pool(1, 1),
    image,
  ],
);
