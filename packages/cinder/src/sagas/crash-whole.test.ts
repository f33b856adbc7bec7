import type { BackupRow } from '../store/tables.ts';
import { createBackup, deleteBackup, restoreBackup } from '../app/backups.ts';
import { createGroup, deleteGroup } from '../app/groups.ts';
import { consistencyType } from '../app/group-types.ts';
import { createEncryption } from '../app/encryption.ts';
import { createKey } from '../app/keys.ts';
import { createType } from '../app/type-manage.ts';
import { migrateVolume, startMigration } from '../app/volume-migrate.ts';
import { type Actor, caller, disk, GB, image, makeVolume, pool, row, suite, usage, volume, VOLUME, withVolume } from './crash.fixture.ts';

// Backups, groups and moves: the crash suite over the sagas that came later.
let made: BackupRow | undefined;
const backUp = async (actor: Actor): Promise<void> => {
  await actor.write(async (tx) => {
    made = await createBackup(actor.app, tx, caller, {
      name: null,
      description: null,
      volumeId: VOLUME,
      container: null,
      incremental: false,
      force: false,
      snapshotId: null,
      metadata: {},
      availabilityZone: null,
    });
  });
};
const withBackup = async (actor: Actor): Promise<void> => {
  await withVolume(actor);
  await backUp(actor);
  await actor.idle();
};
const id = (): string => made?.id ?? '';

suite({ saga: (app) => app.sagas.backupCreate, prepare: withVolume, start: backUp }, [row('available'), disk(1), usage({}), pool(1, 1), image, 'backup error']);

suite(
  {
    saga: (app) => app.sagas.backupRestore,
    prepare: withBackup,
    start: async (actor) => void (await actor.write((tx) => restoreBackup(actor.app, tx, caller, id(), { volumeId: VOLUME, name: null }))),
  },
  [row('error_restoring'), disk(1), usage({}), pool(1, 1), image, 'backup available', 'backed up <id>'],
);

suite(
  {
    saga: (app) => app.sagas.backupDelete,
    prepare: withBackup,
    start: async (actor) => void (await actor.write((tx) => deleteBackup(actor.app, tx, caller, id(), false))),
  },
  [row('available'), disk(1), usage({}), pool(1, 1), image, 'backup error_deleting'],
  { eitherWay: 'backed up' },
);

suite(
  {
    saga: (app) => app.sagas.volumeMigrate,
    twoHosts: true,
    prepare: (actor) => makeVolume(actor, { reachedFrom: 'host1' }).then(() => actor.idle()),
    start: async (actor) => void (await actor.write(async (tx) => migrateVolume(actor.app, tx, caller, await volume(tx), 'host2@cairn#cairn', true))),
  },
  [row('available'), `disk ${VOLUME} volume ${GB}`, usage({}), pool(1, 1), image],
);

// a type of another encryption: the data are encrypted where they are, and then moved
let secretType = '';
const withSecretType = async (actor: Actor): Promise<void> => {
  await makeVolume(actor, { reachedFrom: 'host1' });
  await actor.idle();
  const specs = { provider: 'luks', control_location: 'front-end', cipher: 'aes-xts-plain64', key_size: 256 };
  secretType = (await createType(actor.app, caller, { name: 'secret', description: null, isPublic: true, extraSpecs: {} })).id;
  await createEncryption(actor.app, caller, secretType, specs);
};
suite(
  {
    saga: (app) => app.sagas.volumeMigrate,
    twoHosts: true,
    prepare: withSecretType,
    start: async (actor) =>
      void (await actor.write(async (tx) => {
        const one = await volume(tx);
        const newKeyId = await createKey(actor.app.deps, tx, one.project_id, 256);
        await startMigration(actor.app, tx, caller, one, { host: 'host2', newTypeId: secretType, recrypt: true, newKeyId });
      })),
  },
  [row('available'), `disk ${VOLUME} volume ${GB}`, usage({}), pool(1, 1), image],
);

suite(
  {
    saga: (app) => app.sagas.groupSettle,
    prepare: async (actor) => {
      await actor.write(async () => undefined);
      await actor.idle();
    },
    start: async (actor) => {
      const { store } = actor.app.deps.env;
      const group = await createGroup(actor.app, caller, {
        name: null,
        description: null,
        type: await consistencyType(store.read),
        volumeTypes: ['__DEFAULT__'],
        availabilityZone: null,
      });
      await deleteGroup(actor.app, caller, group, true);
    },
  },
  [image, 'group error_deleting'],
);
