import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { Bench } from '../disks/disks.fixture.ts';
import type { ImageSource, KeptDisks } from '../interface/disks.ts';
import { run } from '../process/run.ts';
import type { DiskRoom } from './room.ts';

const MIB = 2 ** 20;

/** What the suite needs of a back end. */
export interface Subject {
  readonly disks: KeptDisks;
  /** Of ids: `<backend>.`, or nothing for a host's own disks. */
  readonly prefix: string;
  /** Writes a byte over a range as a guest would; absent where disks hold no data (simulated). */
  readonly write?: (diskId: string, byte: number, offset: number, length: number) => Promise<void>;
  /** A raw or qcow2 image of glance with this content. */
  image(imageId: string, data: Buffer, format: 'raw' | 'qcow2'): Promise<ImageSource>;
  /** Everything that the back end has, images that are cached for later disks left out. For leak checks. */
  inventory(): Promise<readonly string[]>;
  /** As after a crash of Cairn. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** The suite that every back end passes: what cinder and nova rely on, byte for byte. `more` adds tests of one back end. */
export function disksSuite<S extends Subject>(
  name: string,
  start: () => Promise<S>,
  skip: string | undefined = undefined,
  more?: (subject: () => S) => void,
): void {
  describe(`disks of ${name}`, { skip: skip ?? false }, () => {
    let subject: S;
    let count = 0;
    const id = (): string => `${subject.prefix}00000000-0000-4000-8000-${String(++count).padStart(12, '0')}`;
    const blank = async (sizeBytes = 8 * MIB): Promise<string> => {
      const diskId = id();
      await subject.disks.create({ diskId, sizeBytes, source: { kind: 'blank' }, pool: 'volume' });
      return diskId;
    };
    const write = async (diskId: string, byte: number, offset = 0, length = MIB): Promise<void> => subject.write?.(diskId, byte, offset, length);
    const content = async (diskId: string, snapshotId?: string): Promise<Buffer> => {
      const { stream } = await subject.disks.export(diskId, { format: 'raw', ...(snapshotId !== undefined && { snapshotId }) });
      return buffer(stream);
    };
    /** The disk begins with `bytes`, one for each MiB, and has zeroes behind them. */
    const holds = async (diskId: string, sizeMib: number, bytes: readonly number[], snapshotId?: string): Promise<void> => {
      if (!subject.write) return;
      const data = await content(diskId, snapshotId);
      const wanted = Buffer.alloc(sizeMib * MIB);
      bytes.forEach((byte, i) => wanted.fill(byte, i * MIB, (i + 1) * MIB));
      assert.ok(data.equals(wanted), `content of ${diskId}: ${data.length} bytes, first ${data.subarray(0, 4).toString('hex')}`);
    };

    before(async () => {
      subject = await start();
    });
    after(() => subject?.close());

    test('a blank disk is there once, with its size, and gone when it is removed', async () => {
      const diskId = await blank();
      const again = await subject.disks.create({ diskId, sizeBytes: 8 * MIB, source: { kind: 'blank' }, pool: 'volume' });
      assert.deepEqual([again.diskId, again.sizeBytes, again.pool, again.snapshots.length], [diskId, 8 * MIB, 'volume', 0]);
      assert.ok((await subject.disks.list()).some((disk) => disk.diskId === diskId));
      await holds(diskId, 8, []);
      await subject.disks.remove(diskId);
      await subject.disks.remove(diskId);
      assert.equal(await subject.disks.info(diskId), undefined);
      assert.deepEqual(await subject.inventory(), []);
    });

    for (const format of ['raw', 'qcow2'] as const) {
      test(`a disk of a ${format} image has its content, twice, and is as large as asked`, async () => {
        const data = Buffer.concat([randomBytes(2 * MIB), Buffer.alloc(MIB), randomBytes(MIB)]);
        const image = await subject.image(`11111111-0000-4000-8000-00000000000${format === 'raw' ? 1 : 2}`, data, format);
        const [one, two] = [id(), id()];
        await subject.disks.create({ diskId: one, sizeBytes: 8 * MIB, source: { kind: 'image', image }, pool: 'volume' });
        await subject.disks.create({ diskId: two, sizeBytes: 0, source: { kind: 'image', image }, pool: 'volume' });
        assert.equal((await subject.disks.info(one))?.sizeBytes, 8 * MIB);
        await write(one, 7, 0);
        if (subject.write) {
          assert.ok((await content(two)).equals(data));
          const changed = Buffer.concat([Buffer.alloc(MIB, 7), data.subarray(MIB), Buffer.alloc(4 * MIB)]);
          assert.ok((await content(one)).equals(changed));
        }
        await assert.rejects(subject.disks.create({ diskId: id(), sizeBytes: MIB, source: { kind: 'image', image }, pool: 'volume' }), (error) =>
          isCairnError(error, 'InvalidInput'),
        );
        await subject.disks.dropImage(image.imageId);
        if (subject.write) assert.ok((await content(two)).equals(data), 'an image that is forgotten takes nothing away');
        for (const diskId of [one, two]) await subject.disks.remove(diskId);
        assert.deepEqual(await subject.inventory(), []);
      });
    }

    test('an image that is not what it is said to be is refused', async () => {
      if (!subject.write) return;
      const image = await subject.image('11111111-0000-4000-8000-000000000003', randomBytes(MIB), 'qcow2');
      const lying: ImageSource = { ...image, imageId: '11111111-0000-4000-8000-000000000004', format: 'raw' };
      await assert.rejects(subject.disks.create({ diskId: id(), sizeBytes: 8 * MIB, source: { kind: 'image', image: lying }, pool: 'volume' }));
      assert.deepEqual(await subject.inventory(), []);
    });

    test('snapshots keep their moment; disks are made from them; the newest can be gone back to', async () => {
      const diskId = await blank();
      await write(diskId, 1);
      await subject.disks.snapshot(diskId, 'first');
      await subject.disks.snapshot(diskId, 'first');
      await write(diskId, 2);
      await subject.disks.snapshot(diskId, 'second');
      await write(diskId, 3, MIB);
      assert.deepEqual((await subject.disks.info(diskId))?.snapshots, ['first', 'second']);
      const copy = id();
      await subject.disks.create({ diskId: copy, sizeBytes: 16 * MIB, source: { kind: 'snapshot', diskId, snapshotId: 'first' }, pool: 'volume' });
      await holds(copy, 16, [1]);
      await holds(diskId, 8, [2], 'second');
      await assert.rejects(subject.disks.revert(diskId, 'first'), (error) => isCairnError(error, 'Conflict'));
      await subject.disks.revert(diskId, 'second');
      await holds(diskId, 8, [2]);
      await subject.disks.removeSnapshot(diskId, 'second');
      await subject.disks.revert(diskId, 'first');
      await holds(diskId, 8, [1]);
      // what stands on a snapshot stays when the snapshot and its disk go
      await subject.disks.removeSnapshot(diskId, 'first');
      await subject.disks.removeSnapshot(diskId, 'first');
      await subject.disks.remove(diskId);
      await holds(copy, 16, [1]);
      await subject.disks.remove(copy);
      assert.deepEqual(await subject.inventory(), []);
    });

    test('a copy of a disk and the disk go their own ways', async () => {
      const diskId = await blank();
      await write(diskId, 5);
      const copy = id();
      await subject.disks.create({ diskId: copy, sizeBytes: 0, source: { kind: 'disk', diskId }, pool: 'volume' });
      assert.equal((await subject.disks.info(copy))?.sizeBytes, 8 * MIB);
      assert.deepEqual((await subject.disks.info(diskId))?.snapshots, [], 'a copy leaves no snapshot to be seen');
      await write(diskId, 6, MIB);
      await write(copy, 7, 2 * MIB);
      await holds(diskId, 8, [5, 6]);
      await holds(copy, 8, [5, 0, 7]);
      const third = id();
      await subject.disks.create({ diskId: third, sizeBytes: 0, source: { kind: 'disk', diskId: copy }, pool: 'volume' });
      await subject.disks.remove(diskId);
      await subject.disks.remove(copy);
      await holds(third, 8, [5, 0, 7]);
      await subject.disks.remove(third);
      assert.deepEqual(await subject.inventory(), []);
    });

    test('a disk that several guests may have is one raw layer, whatever it was made of and is done to it', async () => {
      const { disks } = subject;
      const origin = await blank();
      await write(origin, 1);
      await disks.snapshot(origin, 'before');
      const diskId = id();
      await disks.create({ diskId, sizeBytes: 12 * MIB, source: { kind: 'snapshot', diskId: origin, snapshotId: 'before' }, pool: 'volume' });
      await disks.snapshot(diskId, 'old');
      await write(diskId, 2, MIB);
      const isRaw = async (): Promise<void> => assert.equal((await disks.info(diskId))?.format, 'raw');
      for (let round = 0; round < 2; round += 1) await disks.share(diskId);
      await isRaw();
      await holds(diskId, 12, [1, 2]);
      await holds(diskId, 12, [1], 'old');
      await disks.snapshot(diskId, 'new');
      await disks.snapshot(diskId, 'new');
      await isRaw();
      await write(diskId, 3);
      const copies = [id(), id()] as const;
      await disks.create({ diskId: copies[0], sizeBytes: 0, source: { kind: 'disk', diskId }, pool: 'volume' });
      await disks.create({ diskId: copies[1], sizeBytes: 16 * MIB, source: { kind: 'snapshot', diskId, snapshotId: 'new' }, pool: 'volume' });
      await disks.resize(diskId, 16 * MIB);
      await subject.restart();
      await subject.disks.share(diskId);
      await isRaw();
      await holds(diskId, 16, [3, 2]);
      await holds(diskId, 12, [1, 2], 'new');
      await holds(copies[0], 12, [3, 2]);
      await holds(copies[1], 16, [1, 2]);
      assert.deepEqual((await subject.disks.info(diskId))?.snapshots, ['old', 'new']);
      await subject.disks.revert(diskId, 'new');
      await isRaw();
      assert.equal((await subject.disks.info(diskId))?.sizeBytes, 16 * MIB);
      await holds(diskId, 16, [1, 2]);
      await subject.disks.removeSnapshot(diskId, 'new');
      await subject.disks.revert(diskId, 'old');
      await holds(diskId, 16, [1]);
      for (const one of [origin, ...copies]) await subject.disks.remove(one);
      await holds(diskId, 16, [1]);
      await subject.disks.remove(diskId);
      await assert.rejects(subject.disks.share(diskId), (error) => isCairnError(error, 'NotFound'));
      assert.deepEqual(await subject.inventory(), []);
    });

    test('disks grow and never shrink', async () => {
      const diskId = await blank();
      await write(diskId, 9);
      await subject.disks.snapshot(diskId, 'small');
      assert.equal((await subject.disks.resize(diskId, 16 * MIB)).sizeBytes, 16 * MIB);
      await subject.disks.resize(diskId, 16 * MIB);
      await assert.rejects(subject.disks.resize(diskId, 8 * MIB), (error) => isCairnError(error, 'InvalidInput'));
      await write(diskId, 8, 12 * MIB);
      await holds(diskId, 16, [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8]);
      await subject.disks.revert(diskId, 'small');
      assert.equal((await subject.disks.info(diskId))?.sizeBytes, 16 * MIB, 'what has grown stays as large');
      await holds(diskId, 16, [9]);
      await subject.disks.remove(diskId);
      assert.deepEqual(await subject.inventory(), []);
    });

    test('what is exported is received as it was; what is cut off leaves nothing', async () => {
      const diskId = await blank();
      await write(diskId, 4, 3 * MIB);
      const { stream } = await subject.disks.export(diskId, { format: 'qcow2' });
      const data = await buffer(stream);
      const copy = id();
      await subject.disks.receive({ diskId: copy, sizeBytes: 8 * MIB, pool: 'volume' }, Readable.from([data]));
      await subject.disks.receive({ diskId: copy, sizeBytes: 8 * MIB, pool: 'volume' }, Readable.from([data]));
      await holds(copy, 8, [0, 0, 0, 4]);
      if (subject.write) {
        const torn = id();
        await assert.rejects(subject.disks.receive({ diskId: torn, sizeBytes: 8 * MIB, pool: 'volume' }, Readable.from([data.subarray(0, 40)])));
        assert.equal(await subject.disks.info(torn), undefined);
      }
      for (const one of [diskId, copy]) await subject.disks.remove(one);
      assert.deepEqual(await subject.inventory(), []);
    });

    test('disks are copied to every format, with their exact size', async () => {
      if (!subject.write) return;
      const diskId = await blank(9 * MIB);
      await write(diskId, 3, 4 * MIB);
      const dir = await mkdtemp(join(tmpdir(), 'cairn-formats-'));
      for (const [format, driver] of [
        ['qcow2', 'qcow2'],
        ['vmdk', 'vmdk'],
        ['vdi', 'vdi'],
        ['vhd', 'vpc'],
        ['vhdx', 'vhdx'],
        ['ploop', 'parallels'],
      ] as const) {
        const { stream, sizeBytes } = await subject.disks.export(diskId, { format });
        const data = await buffer(stream);
        assert.equal(data.length, sizeBytes);
        await writeFile(join(dir, format), data);
        await run('qemu-img', ['convert', '-f', driver, '-O', 'raw', join(dir, format), join(dir, 'raw')], { timeoutMs: 300_000 });
        const wanted = Buffer.alloc(9 * MIB);
        wanted.fill(3, 4 * MIB, 5 * MIB);
        assert.ok((await readFile(join(dir, 'raw'))).equals(wanted), format);
      }
      await rm(dir, { recursive: true });
      await subject.disks.remove(diskId);
      assert.deepEqual(await subject.inventory(), []);
    });

    test('a crash in the middle leaves what was whole, and nothing else', async () => {
      const diskId = await blank();
      await write(diskId, 1);
      await subject.disks.snapshot(diskId, 'kept');
      // it is cut off while the image is on its way in
      const image = await subject.image('11111111-0000-4000-8000-000000000005', randomBytes(4 * MIB), 'qcow2');
      const lost = id();
      const coming = subject.disks.create({ diskId: lost, sizeBytes: 8 * MIB, source: { kind: 'image', image }, pool: 'volume' }).catch(() => undefined);
      await subject.restart();
      await coming;
      await subject.restart();
      await holds(diskId, 8, [1]);
      assert.deepEqual((await subject.disks.info(diskId))?.snapshots, ['kept']);
      // asked again it is whole, whatever became of the first time
      await subject.disks.create({ diskId: lost, sizeBytes: 8 * MIB, source: { kind: 'image', image }, pool: 'volume' });
      for (const one of [diskId, lost]) await subject.disks.remove(one);
      await subject.disks.dropImage(image.imageId);
      assert.deepEqual(await subject.inventory(), []);
    });

    test('what is not there is told', async () => {
      await assert.rejects(subject.disks.snapshot(id(), 'one'), (error) => isCairnError(error, 'NotFound'));
      await assert.rejects(subject.disks.resize(id(), MIB), (error) => isCairnError(error, 'NotFound'));
      await assert.rejects(subject.disks.export(id(), { format: 'raw' }), (error) => isCairnError(error, 'NotFound'));
      await assert.rejects(subject.disks.create({ diskId: id(), sizeBytes: 0, source: { kind: 'disk', diskId: id() }, pool: 'volume' }), (error) =>
        isCairnError(error, 'NotFound'),
      );
      await subject.disks.removeSnapshot(id(), 'one');
      const diskId = await blank();
      await assert.rejects(
        subject.disks.create({ diskId: id(), sizeBytes: 0, source: { kind: 'snapshot', diskId, snapshotId: 'none' }, pool: 'volume' }),
        (error) => isCairnError(error, 'NotFound'),
      );
      await subject.disks.remove(diskId);
    });

    more?.(() => subject);

    test('room is told in GiB', async () => {
      const { totalGb, freeGb } = await subject.disks.capacity(subject.prefix ? subject.prefix.slice(0, -1) : undefined);
      assert.ok(totalGb > 0 && freeGb > 0 && freeGb <= totalGb, `${freeGb} of ${totalGb}`);
    });
  });
}

/** Data as an image of glance, streamed. */
export async function imageIn(images: Map<string, Buffer>, imageId: string, data: Buffer, format: 'raw' | 'qcow2'): Promise<ImageSource> {
  let bytes = data;
  if (format === 'qcow2') {
    const dir = await mkdtemp(join(tmpdir(), 'cairn-image-'));
    await writeFile(join(dir, 'raw'), data);
    await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', join(dir, 'raw'), join(dir, 'qcow2')], { timeoutMs: 300_000 });
    bytes = await readFile(join(dir, 'qcow2'));
    await rm(dir, { recursive: true });
  }
  images.set(imageId, bytes);
  return { imageId, format, sizeBytes: bytes.length, sha512: createHash('sha512').update(bytes).digest('hex') };
}

/** A bench as the home of other back ends. */
export const roomOf = ({ disks }: Bench): DiskRoom => ({ disks, resolve: disks.resolve, start: () => disks.start(), stop: () => disks.stop() });
