import assert from 'node:assert/strict';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { silentLog } from '@cairn/kit/log/log';
import { isCairnError } from '@cairn/kit/errors/errors';
import { type Bench, bench, TEST_USER } from '../disks/disks.fixture.ts';
import { run } from '../process/run.ts';
import { BackendDisks } from './backend-disks.ts';
import { disksSuite, imageIn, roomOf, type Subject } from './disks-suite.fixture.ts';
import { noLvm, startGroup, type TestGroup } from './lvm.fixture.ts';
import { LvmDisks } from './lvm-disks.ts';

const MIB = 2 ** 20;
const SECRET = Buffer.alloc(32, 7).toString('hex');

interface LvmSubject extends Subject {
  readonly group: TestGroup;
  readonly home: Bench;
  readonly room: LvmDisks;
  /** Another cloud, or another host of this one, on the same volume group. */
  another(names: { readonly cloud?: string; readonly host?: string }): LvmDisks;
}

async function start(provisioning: 'thin' | 'thick'): Promise<LvmSubject> {
  const group = await startGroup(1024 * MIB);
  const home = await bench();
  const another = ({ cloud = 'one', host = 'host1' }: { readonly cloud?: string; readonly host?: string }): LvmDisks =>
    new LvmDisks({
      spec: { name: 'lvm', driver: 'lvm', volumeGroup: group.volumeGroup, provisioning },
      ...{ cloud, host, openDisks: home.guests, log: silentLog, user: TEST_USER },
      scratchDir: join(home.dir, '..', `scratch-${cloud}-${host}`),
      imageFile: (image) => home.disks.imageAsFile(image),
      diskKey: async () => SECRET,
    });
  let room = another({});
  await room.start();
  let disks = new BackendDisks(roomOf(home), new Map([['lvm', room]]));
  return {
    group,
    home,
    another,
    get room() {
      return room;
    },
    get disks() {
      return disks;
    },
    prefix: 'lvm.',
    async write(diskId, byte, offset, length) {
      const { layers } = await room.resolve(diskId);
      const [layer] = layers;
      assert.ok(layer && 'path' in layer && layer.device);
      const node = JSON.stringify({ driver: 'raw', file: { driver: 'host_device', filename: layer.path } });
      await run('qemu-io', ['-c', `write -q -P ${byte} ${offset} ${length}`, `json:${node}`], { timeoutMs: 300_000 });
    },
    image: (imageId, data, format) => imageIn(home.images, imageId, data, format),
    inventory: () => group.volumes(),
    async restart() {
      room = another({});
      await room.start();
      disks = new BackendDisks(roomOf(home), new Map([['lvm', room]]));
    },
    async close() {
      await home.cleanUp();
      await group.stop();
    },
  };
}

const blank = (diskId: string, sizeBytes: number) => ({ diskId, sizeBytes, source: { kind: 'blank' }, pool: 'volume' }) as const;

disksSuite<LvmSubject>(
  'a volume group with a thin pool',
  () => start('thin'),
  noLvm,
  (subject) => {
    test('a group belongs to one cloud, and its volumes each to one host', async () => {
      const { disks, another, group } = subject();
      await disks.create(blank('lvm.mine', 4 * MIB));
      const other = another({ cloud: 'two' });
      await other.start();
      await assert.rejects(other.create(blank('lvm.theirs', 4 * MIB)), (error) => isCairnError(error, 'Conflict'));
      await assert.rejects(other.capacity(), (error) => isCairnError(error, 'Conflict'));
      const second = another({ host: 'host2' });
      await second.start();
      assert.deepEqual(await second.list(), []);
      assert.equal(await second.info('lvm.mine'), undefined);
      await disks.remove('lvm.mine');
      assert.deepEqual(await group.volumes(), []);
    });

    test('the device belongs to who opens it, alone, and is another file than the machine’s own', async () => {
      const { disks, room, group } = subject();
      await disks.create(blank('lvm.device', 4 * MIB));
      const { layers } = await room.resolve('lvm.device');
      assert.deepEqual(layers, [{ format: 'raw', path: `/dev/cairn/${group.volumeGroup}/volume-device`, device: {} }]);
      const about = await stat(`/dev/cairn/${group.volumeGroup}/volume-device`);
      assert.deepEqual([about.isBlockDevice(), about.mode & 0o777, about.uid], [true, 0o600, 0]);
      assert.equal((await stat(`/dev/cairn/${group.volumeGroup}`)).mode & 0o777, 0o711);
      await disks.remove('lvm.device');
      await assert.rejects(stat(`/dev/cairn/${group.volumeGroup}/volume-device`), { code: 'ENOENT' });
    });

    test('a disk that a guest has grows by whole extents, and is copied as of one moment', async () => {
      const { disks, room, home, write } = subject();
      for (const [diskId, sizeBytes] of [
        ['lvm.even', 8 * MIB],
        ['lvm.odd', 9 * MIB],
      ] as const) {
        await disks.create(blank(diskId, sizeBytes));
        await home.guests.open(room, diskId);
      }
      assert.equal((await disks.resize('lvm.even', 12 * MIB)).sizeBytes, 12 * MIB);
      assert.deepEqual(home.guests.calls.splice(0), ['resize']);
      await assert.rejects(disks.resize('lvm.odd', 12 * MIB), (error) => isCairnError(error, 'Conflict'));
      await write?.('lvm.even', 3, 0, MIB);
      const data = await buffer((await disks.export('lvm.even', { format: 'raw' })).stream);
      assert.ok(data.equals(Buffer.concat([Buffer.alloc(MIB, 3), Buffer.alloc(11 * MIB)])));
      await assert.rejects(disks.remove('lvm.even'), (error) => isCairnError(error, 'Conflict'));
      for (const diskId of ['lvm.even', 'lvm.odd']) {
        home.guests.close(diskId);
        await disks.remove(diskId);
      }
      assert.deepEqual(await subject().inventory(), []);
    });

    test('an encrypted disk holds no plaintext, and its copies open with its key', async () => {
      const { disks, room, home } = subject();
      const encryption = { keyId: 'key-1', cipher: 'aes-xts-plain64', keyBits: 256 };
      const text = Buffer.alloc(MIB, 'nobody reads this ');
      const image = await subject().image('44444444-0000-4000-8000-000000000001', text, 'raw');
      await disks.create({ diskId: 'lvm.secret', sizeBytes: 4 * MIB, source: { kind: 'image', image }, pool: 'volume', encryption });
      const { layers, keyId } = await room.resolve('lvm.secret');
      assert.deepEqual([keyId, layers[0]?.format, (await disks.info('lvm.secret'))?.sizeBytes], ['key-1', 'raw', 4 * MIB]);
      const stored = await buffer((await disks.export('lvm.secret', { format: 'raw' })).stream);
      assert.equal(stored.length, 6 * MIB);
      assert.ok(!stored.includes('nobody reads this'));
      const whole = await disks.create({ diskId: 'lvm.copy', sizeBytes: 0, source: { kind: 'disk', diskId: 'lvm.secret' }, pool: 'volume', encryption });
      assert.deepEqual([whole.keyId, whole.sizeBytes], ['key-1', 4 * MIB]);
      await disks.create({ diskId: 'lvm.plain', sizeBytes: 0, source: { kind: 'disk', diskId: 'lvm.copy', recrypt: true }, pool: 'volume' });
      const plain = await buffer((await disks.export('lvm.plain', { format: 'raw' })).stream);
      assert.ok(plain.subarray(0, MIB).equals(text));
      await disks.dropImage(image.imageId);
      for (const diskId of ['lvm.secret', 'lvm.copy', 'lvm.plain']) await disks.remove(diskId);
      assert.deepEqual(await subject().inventory(), []);
      assert.deepEqual(home.troubles, []);
    });

    test('a crash while a disk goes back to a snapshot leaves it before or after', async () => {
      const { disks, group, write, restart } = subject();
      const id = 'lvm.00000000-0000-4000-8000-0000000000aa';
      const name = `volume-${id.slice(4)}`;
      const lvm = (...args: readonly string[]) => run('lvm', args, { timeoutMs: 120_000, env: { LVM_SUPPRESS_FD_WARNINGS: '1' } });
      const first = async (): Promise<number | undefined> => (await buffer((await subject().disks.export(id, { format: 'raw' })).stream))[0];
      await disks.create(blank(id, 4 * MIB));
      await write?.(id, 1, 0, 4096);
      await disks.snapshot(id, 'kept');
      await write?.(id, 2, 0, 4096);
      const tags = ['--addtag=cairn.host=host1', `--addtag=cairn.bytes=${4 * MIB}`];
      const back = () =>
        lvm('lvcreate', '--snapshot', '--setactivationskip=n', `--name=back-${name}`, ...tags, `${group.volumeGroup}/${name}`).then(() => undefined);
      await back();
      await restart();
      assert.equal(await first(), 2);
      assert.equal((await group.volumes()).length, 2);
      await back();
      await write?.(id, 3, 0, 4096);
      await lvm('lvrename', group.volumeGroup, name, `gone-${name}`);
      await restart();
      assert.equal(await first(), 2, 'what was to come has the name');
      assert.equal((await group.volumes()).length, 2);
      await subject().disks.remove(id);
      assert.deepEqual(await group.volumes(), []);
    });
  },
);

disksSuite<LvmSubject>(
  'a volume group without a pool',
  () => start('thick'),
  noLvm,
  (subject) => {
    test('thick: what volumes held before is not in new ones, nor in what is added to them', async () => {
      const { disks, write } = subject();
      await disks.create(blank('lvm.old', 24 * MIB));
      await write?.('lvm.old', 0xee, 0, 24 * MIB);
      await disks.remove('lvm.old');
      await disks.create(blank('lvm.new', 8 * MIB));
      await disks.resize('lvm.new', 24 * MIB);
      const data = await buffer((await disks.export('lvm.new', { format: 'raw' })).stream);
      assert.ok(data.equals(Buffer.alloc(24 * MIB)));
      await disks.remove('lvm.new');
      assert.deepEqual(await subject().inventory(), []);
    });
  },
);
