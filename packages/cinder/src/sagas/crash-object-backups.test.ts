import { createBackup, deleteBackup, restoreBackup } from '../app/backups.ts';
import type { BackupRow } from '../store/tables.ts';
import { type Actor, caller, disk, image, pool, row, suite, usage, VOLUME, withVolume } from './crash.fixture.ts';

// Backups in object storage: the crash suite over a store that outlives the process.
const objectStorage = true;
let made: BackupRow | undefined;
const backUp = async (actor: Actor): Promise<void> => {
  await actor.write(async (tx) => {
    made = await createBackup(actor.app, tx, caller, {
      ...{ name: null, description: null, volumeId: VOLUME, container: 'c', incremental: false, force: false },
      ...{ snapshotId: null, metadata: {}, availabilityZone: null },
    });
  });
};
const withBackup = async (actor: Actor): Promise<void> => {
  await withVolume(actor);
  await backUp(actor);
  await actor.idle();
};
const id = (): string => made?.id ?? '';
const rest = [disk(1), usage({}), pool(1, 1), image];
const object = (end: string): string => `object of <id> ${end}`;
const stored = [...Array.from({ length: 16 }, (_, i) => object(`-${String(i + 1).padStart(5, '0')}`)), object('_metadata'), object('_sha256file')];

suite({ saga: (app) => app.sagas.backupCreate, objectStorage, prepare: withVolume, start: backUp }, [row('available'), ...rest, 'backup error']);

suite(
  {
    saga: (app) => app.sagas.backupRestore,
    objectStorage,
    prepare: withBackup,
    start: async (actor) => void (await actor.write((tx) => restoreBackup(actor.app, tx, caller, id(), { volumeId: VOLUME, name: null }))),
  },
  [row('error_restoring'), ...rest, 'backup available', ...stored],
);

suite(
  {
    saga: (app) => app.sagas.backupDelete,
    objectStorage,
    prepare: withBackup,
    start: async (actor) => void (await actor.write((tx) => deleteBackup(actor.app, tx, caller, id(), false))),
  },
  [row('available'), ...rest, 'backup error_deleting'],
  { eitherWay: 'object' },
);
