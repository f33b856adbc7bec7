import { crashSuite } from '@cairn/kit/saga/crash-suite';
import { createCinderApp, type CinderApp } from '../app/app.ts';
import { createSnapshot, deleteSnapshot } from '../app/snapshots.ts';
import { createVolume } from '../app/volume-create.ts';
import { deleteVolume } from '../app/volume-delete.ts';
import { extendVolume } from '../app/volume-extend.ts';
import { reimage, uploadToImage } from '../app/volume-image.ts';
import { revertVolume } from '../app/volume-revert.ts';
import {
  type Actor,
  caller,
  disk,
  GB,
  image,
  IMAGE,
  makeVolume,
  OTHER,
  pool,
  row,
  snapshot,
  SNAPSHOT,
  suite,
  usage,
  volume,
  withSnapshot,
  withVolume,
  world,
} from './crash.fixture.ts';

suite({ saga: (app) => app.sagas.volumeCreate, start: async (actor) => void (await makeVolume(actor)) }, [
  row('error', '1 GB growing 0 on null bootable 0 own disk true'),
  usage({}),
  image,
]);

// the storages have told how much room they have, so one is chosen when the volume is accepted
suite(
  {
    saga: (app) => app.sagas.volumeCreate,
    async start(actor) {
      await actor.app.pools.list(actor.app.deps.env.store.read);
      await makeVolume(actor);
    },
  },
  [row('error', '1 GB growing 0 on null bootable 0 own disk true'), usage({}), image],
  { doneAtStart: 1 },
);

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
