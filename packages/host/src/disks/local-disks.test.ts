import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { conflict, isCairnError, unavailable } from '@cairn/kit/errors/errors';
import { hostileImages, mbr, qcow2, vmdk } from '../inspector/corpus.fixture.ts';
import { inspectBytes, inspectFile } from '../inspector/inspector.ts';
import { diskNode } from '../hypervisor/blockdev.ts';
import { judge } from '../inspector/judge.ts';
import type { DiskSource, ImageFormat, ImageSource, NewDisk } from '../interface/disks.ts';
import { run } from '../process/run.ts';
import { type Bench, CANARY, MIB, TEST_USER, bench, contentOf, hasQemuImg, isAnywhere, recordOf, writeTo } from './disks.fixture.ts';

const skip = !hasQemuImg && 'qemu-img is not installed';
const ids = { a: 'aaaaaaaa-0000-4000-8000-000000000001', b: 'bbbbbbbb-0000-4000-8000-000000000002', c: 'cccccccc-0000-4000-8000-000000000003' };

const volume = (diskId: string, sizeBytes = 4 * MIB, source: DiskSource = { kind: 'blank' }): NewDisk => ({ diskId, sizeBytes, source, pool: 'volume' });
const blob = (byte: number, bytes: number): Buffer => Buffer.alloc(bytes, byte);

const withBench = (name: string, work: (b: Bench) => Promise<void>): void => {
  test(name, { skip }, async () => {
    const b = await bench();
    try {
      await work(b);
    } finally {
      await b.cleanUp();
    }
  });
};
const kind = (expected: string) => (error: unknown) => {
  assert.ok(isCairnError(error), `not a CairnError: ${String(error)}`);
  assert.equal(error.kind, expected, error.message);
  assert.ok(!error.message.includes('/'), `names a path: ${error.message}`);
  return true;
};

withBench('a blank disk is a sparse file, made once, and gone when removed', async ({ disks, files, dir }) => {
  const before = await files();
  const made = await disks.create(volume(ids.a, 1024 * MIB));
  assert.deepEqual(made, { diskId: ids.a, format: 'raw', pool: 'volume', sizeBytes: 1024 * MIB, usedBytes: 0, snapshots: [] });
  const twice = await Promise.all([disks.create(volume(ids.a, 1024 * MIB)), disks.create(volume(ids.a, 1024 * MIB))]);
  assert.deepEqual(twice, [made, made]);
  assert.deepEqual(await disks.list(), [made]);
  const { layers } = await disks.resolve(ids.a);
  assert.equal(layers.length, 1);
  const record = await recordOf(dir, 'volumes', ids.a);
  assert.equal((await stat(join(dir, record.layers[0]?.file ?? ''))).size, 1024 * MIB);
  await disks.remove(ids.a);
  await disks.remove(ids.a);
  assert.equal(await disks.info(ids.a), undefined);
  assert.deepEqual(await files(), before);
});

withBench('what cannot be is refused, and leaves nothing', async ({ disks, files }) => {
  const before = await files();
  for (const bad of [
    volume('../x'),
    volume('a/b'),
    volume(''),
    volume('.hidden'),
    volume('a\n'),
    volume(ids.a, 0),
    volume(ids.a, 1000),
    volume(ids.a, -512),
    volume(ids.a, Number.NaN),
  ]) {
    await assert.rejects(disks.create(bad), kind('InvalidInput'), JSON.stringify(bad));
  }
  await assert.rejects(disks.create(volume(ids.a, MIB, { kind: 'disk', diskId: ids.b })), kind('NotFound'));
  await assert.rejects(disks.create(volume(ids.a, MIB, { kind: 'snapshot', diskId: ids.b, snapshotId: 's' })), kind('NotFound'));
  for (const call of [
    disks.resize(ids.a, MIB),
    disks.snapshot(ids.a, 's'),
    disks.revert(ids.a, 's'),
    disks.export(ids.a, { format: 'raw' }),
    disks.resolve(ids.a),
  ]) {
    await assert.rejects(call, kind('NotFound'));
  }
  await disks.removeSnapshot(ids.a, 's');
  await assert.rejects(disks.snapshot(ids.a, '../s'), kind('InvalidInput'));
  await assert.rejects(disks.dropImage('../s'), kind('InvalidInput'));
  assert.deepEqual(await files(), before);
});

const imageFile = async (b: Bench, imageId: string, data: Buffer, format: ImageFormat): Promise<ImageSource> => {
  const path = join(b.dir, '..', imageId);
  await writeFile(path, data);
  return { imageId, format, sizeBytes: data.length, path };
};

withBench('an image on the same file system is linked, and disks stand on it', async (b) => {
  const { disks, dir } = b;
  const image = await imageFile(b, 'image-1', Buffer.concat([mbr(), blob(7, MIB)]), 'raw');
  const [one, two] = await Promise.all([disks.cacheImage(image), disks.cacheImage(image)]);
  assert.deepEqual(one, { virtualSizeBytes: 2 * MIB });
  assert.deepEqual(two, one);
  await disks.create({ ...volume(ids.a, 0, { kind: 'image', image }), pool: 'ephemeral' });
  const info = await disks.create(volume(ids.b, 8 * MIB, { kind: 'image', image }));
  assert.equal(info.format, 'qcow2');
  const record = await recordOf(dir, 'volumes', ids.b);
  assert.equal((await stat(join(dir, record.layers[1]?.file ?? ''))).ino, (await stat(image.path as string)).ino);
  assert.equal((await disks.info(ids.a))?.sizeBytes, 2 * MIB);
  const content = await contentOf(disks, ids.b);
  assert.ok(content.equals(Buffer.concat([mbr(), blob(7, MIB), Buffer.alloc(6 * MIB)])));
  await assert.rejects(disks.create(volume(ids.c, MIB, { kind: 'image', image })), kind('InvalidInput'));
  // The image goes; its file stays for who stands on it, and no longer.
  await disks.dropImage('image-1');
  await disks.dropImage('image-1');
  assert.ok((await contentOf(disks, ids.a)).equals(Buffer.concat([mbr(), blob(7, MIB)])));
  const again = await b.restart();
  assert.ok((await contentOf(again, ids.a)).equals(Buffer.concat([mbr(), blob(7, MIB)])));
  await again.remove(ids.a);
  assert.equal((await b.files()).filter((f) => f.startsWith('bases/')).length, 1);
  await again.remove(ids.b);
  assert.deepEqual(await b.files(), []);
  assert.ok((await readFile(image.path as string)).length > 0);
});

withBench('an image that is streamed is checked for length and checksum', async (b) => {
  const data = Buffer.concat([qcow2(), Buffer.alloc(100)]);
  const sha512 = createHash('sha512').update(data).digest('hex');
  b.images.set('image-2', data);
  const image: ImageSource = { imageId: 'image-2', format: 'qcow2', sizeBytes: data.length, sha512 };
  await assert.rejects(b.disks.cacheImage({ ...image, sizeBytes: data.length - 1 }), kind('Unavailable'));
  await assert.rejects(b.disks.cacheImage({ ...image, sizeBytes: data.length + 1 }), kind('Unavailable'));
  await assert.rejects(b.disks.cacheImage({ ...image, sha512: sha512.replace(/^./, (c) => (c === '0' ? '1' : '0')) }), kind('Unavailable'));
  await assert.rejects(b.disks.cacheImage({ ...image, imageId: 'absent' }), kind('NotFound'));
  assert.deepEqual(await b.files(), []);
  b.opened = 0;
  await Promise.all(Array.from({ length: 5 }, () => b.disks.cacheImage(image)));
  assert.equal(b.opened, 1);
  await (await b.restart()).cacheImage(image);
  assert.equal(b.opened, 1);
  // A path that is no longer there falls back to the stream.
  await b.disks.dropImage('image-2');
  await b.disks.cacheImage({ ...image, path: '/nowhere/at/all' });
  assert.equal(b.opened, 2);
});

withBench('other formats become raw', async (b) => {
  const raw = join(b.dir, '..', 'source.raw');
  const content = Buffer.concat([blob(1, MIB), blob(2, MIB)]);
  await writeFile(raw, content);
  for (const [format, name, options] of [
    ['vmdk', 'vmdk', 'subformat=streamOptimized'],
    ['vhdx', 'vhdx', ''],
    ['vdi', 'vdi', ''],
    ['vhd', 'vpc', 'force_size=on'],
  ] as const) {
    const path = join(b.dir, '..', `source.${format}`);
    await run('qemu-img', ['convert', '-f', 'raw', '-O', name, ...(options ? ['-o', options] : []), raw, path]);
    const image: ImageSource = { imageId: `image-${format}`, format, sizeBytes: (await stat(path)).size, path };
    assert.deepEqual(await b.disks.cacheImage(image), { virtualSizeBytes: 2 * MIB }, format);
    await b.disks.create(volume(`disk-${format}`, 0, { kind: 'image', image }));
    assert.ok((await contentOf(b.disks, `disk-${format}`)).equals(content), format);
  }
  assert.equal((await b.files()).filter((f) => f.startsWith('work/')).length, 0);
});

withBench('kernels are given as files, only when raw', async (b) => {
  const kernel = await imageFile(b, 'kernel', blob(9, 1000), 'aki');
  await assert.rejects(b.disks.imageFile('kernel'), kind('NotFound'));
  await b.disks.cacheImage(kernel);
  assert.ok((await readFile(await b.disks.imageFile('kernel'))).equals(blob(9, 1000)));
  await b.disks.cacheImage(await imageFile(b, 'disk', qcow2(), 'qcow2'));
  await assert.rejects(b.disks.imageFile('disk'), kind('Conflict'));
});

withBench('OSSA-2023-002, 2024-001: no hostile image gets in, by file or by stream, and no byte of the host gets out', async (b) => {
  const canary = join(b.dir, '..', 'canary');
  await writeFile(canary, CANARY.padEnd(MIB, '\n'));
  await chmod(canary, 0o644);
  for (const [i, sample] of hostileImages(canary).entries()) {
    const format = sample.declared as ImageFormat;
    const image = await imageFile(b, `hostile-${i}`, sample.bytes, format);
    await assert.rejects(b.disks.cacheImage(image), kind('InvalidInput'), sample.name);
    b.images.set(`streamed-${i}`, sample.bytes);
    await assert.rejects(
      b.disks.create(volume(ids.a, 64 * MIB, { kind: 'image', image: { imageId: `streamed-${i}`, format, sizeBytes: sample.bytes.length } })),
      kind('InvalidInput'),
      sample.name,
    );
  }
  assert.deepEqual(await b.files(), []);
  assert.equal(await isAnywhere(b.dir, CANARY), false);
  // The canary is where a hostile image points: without the inspector qemu-img does read it (else this test proves nothing).
  const flat = join(b.dir, '..', 'flat.vmdk');
  await writeFile(
    flat,
    `# Disk DescriptorFile\nversion=1\nCID=01234567\nparentCID=ffffffff\ncreateType="monolithicFlat"\nRW 2048 FLAT "${canary}" 0\nddb.virtualHWVersion = "4"\nddb.geometry.cylinders = "2"\nddb.geometry.heads = "16"\nddb.geometry.sectors = "63"\n`,
  );
  const out = join(b.dir, '..', 'out.raw');
  await run('qemu-img', ['convert', '-f', 'vmdk', '-O', 'raw', flat, out]);
  assert.ok((await readFile(out)).includes(CANARY));
});

withBench('OSSA-2026-002: what a guest writes at the start of its raw disk is data, whatever it looks like', async (b) => {
  const canary = join(b.dir, '..', 'canary');
  await writeFile(canary, CANARY.padEnd(MIB, '\n'));
  await chmod(canary, 0o644);
  for (const [i, header] of [
    qcow2({ backing: canary }),
    qcow2({ features: 4n, dataFile: canary }),
    vmdk({ type: 'monolithicFlat', extents: [`RW 2048 FLAT "${canary}" 0`] }),
  ].entries()) {
    const diskId = `trap-${i}`;
    await b.disks.create(volume(diskId, 4 * MIB));
    const top = (await b.disks.resolve(diskId)).layers[0];
    assert.ok(top && 'path' in top && top.format === 'raw');
    await run('dd', [`of=${top.path}`, 'conv=notrunc', 'status=none'], { input: header });
    const expected = Buffer.concat([header, Buffer.alloc(8 * MIB - header.length)]);
    await b.disks.resize(diskId, 8 * MIB);
    await b.disks.snapshot(diskId, 'snap');
    await b.disks.create(volume(`${diskId}-clone`, 0, { kind: 'disk', diskId }));
    await b.disks.resize(diskId, 9 * MIB);
    await b.disks.removeSnapshot(diskId, 'snap');
    await b.disks.idle();
    assert.ok((await contentOf(b.disks, diskId)).subarray(0, 8 * MIB).equals(expected));
    assert.ok((await contentOf(b.disks, `${diskId}-clone`)).equals(expected));
    const { stream } = await b.disks.export(diskId, { format: 'qcow2' });
    const exported = await buffer(stream);
    assert.ok(judge('qcow2', inspectBytes(exported)).ok);
    // As a raw image it is refused at its next use.
    assert.equal(judge('raw', inspectBytes(expected)).ok, false);
  }
  for (const name of await b.files()) if (name.endsWith('.qcow2')) assert.ok(!(await readFile(join(b.dir, name))).subarray(4 * MIB).includes(CANARY));
});

withBench('snapshots keep their moment, whatever order they go in', async ({ disks, guests, dir }) => {
  const make = async (): Promise<void> => {
    await disks.create(volume(ids.a, 4 * MIB));
    for (let i = 1; i <= 4; i++) {
      await writeTo(disks, guests, ids.a, i, 0, i * MIB);
      if (i < 4) await disks.snapshot(ids.a, `s${i}`);
      if (i === 2) await disks.resize(ids.a, 6 * MIB);
    }
  };
  const at = (i: number): Buffer => Buffer.concat([blob(i, i * MIB), Buffer.alloc(((i < 3 ? 4 : 6) - i) * MIB)]);
  for (const order of [
    [1, 2, 3],
    [3, 2, 1],
    [2, 1, 3],
    [2, 3, 1],
  ]) {
    await make();
    await disks.snapshot(ids.a, 's1');
    const left = [1, 2, 3];
    for (const gone of order) {
      await disks.removeSnapshot(ids.a, `s${gone}`);
      left.splice(left.indexOf(gone), 1);
      await disks.idle();
      for (const i of left) assert.ok((await contentOf(disks, ids.a, `s${i}`)).equals(at(i)), `s${i} after ${order.join()}`);
      assert.ok((await contentOf(disks, ids.a)).equals(at(4)), `the disk after ${order.join()}`);
      const record = await recordOf(dir, 'volumes', ids.a);
      assert.equal(record.layers.length, 1 + left.length, 'no layer more than needed');
    }
    await disks.remove(ids.a);
  }
});

withBench('a disk goes back to its newest snapshot only, and only closed', async ({ disks, guests }) => {
  await disks.create(volume(ids.a));
  await writeTo(disks, guests, ids.a, 1, 0, MIB);
  await disks.snapshot(ids.a, 's1');
  await writeTo(disks, guests, ids.a, 2, 0, MIB);
  await disks.snapshot(ids.a, 's2');
  await writeTo(disks, guests, ids.a, 3, 0, MIB);
  await assert.rejects(disks.revert(ids.a, 's1'), kind('Conflict'));
  await assert.rejects(disks.revert(ids.a, 'none'), kind('NotFound'));
  await guests.open(disks, ids.a);
  await assert.rejects(disks.revert(ids.a, 's2'), kind('Conflict'));
  guests.close(ids.a);
  await disks.revert(ids.a, 's2');
  await disks.revert(ids.a, 's2');
  assert.equal((await contentOf(disks, ids.a))[0], 2);
  await disks.removeSnapshot(ids.a, 's2');
  await disks.revert(ids.a, 's1');
  await disks.idle();
  assert.equal((await contentOf(disks, ids.a))[0], 1);
  assert.equal((await contentOf(disks, ids.a, 's1'))[0], 1);
});

withBench('clones and their source live and go without each other', async ({ disks, guests, files, dir }) => {
  await disks.create(volume(ids.a));
  await writeTo(disks, guests, ids.a, 1, 0, MIB);
  await disks.snapshot(ids.a, 's1');
  await disks.create(volume(ids.b, 8 * MIB, { kind: 'snapshot', diskId: ids.a, snapshotId: 's1' }));
  await disks.create(volume(ids.c, 0, { kind: 'disk', diskId: ids.a }));
  // Nothing was written in between: the clone needs no further layer.
  assert.equal((await recordOf(dir, 'volumes', ids.a)).layers.length, 2);
  await writeTo(disks, guests, ids.a, 9, 0, MIB);
  await writeTo(disks, guests, ids.c, 3, MIB, MIB);
  await disks.create(volume('d', 0, { kind: 'disk', diskId: ids.c }));
  await disks.remove(ids.a);
  await disks.idle();
  assert.ok((await contentOf(disks, ids.b)).equals(Buffer.concat([blob(1, MIB), Buffer.alloc(7 * MIB)])));
  assert.ok((await contentOf(disks, ids.c)).equals(Buffer.concat([blob(1, MIB), blob(3, MIB), Buffer.alloc(2 * MIB)])));
  await disks.remove(ids.c);
  await disks.idle();
  assert.ok((await contentOf(disks, 'd')).equals(Buffer.concat([blob(1, MIB), blob(3, MIB), Buffer.alloc(2 * MIB)])));
  await disks.remove(ids.b);
  await disks.idle();
  assert.equal((await recordOf(dir, 'volumes', 'd')).layers.length, 1);
  assert.ok((await contentOf(disks, 'd')).equals(Buffer.concat([blob(1, MIB), blob(3, MIB), Buffer.alloc(2 * MIB)])));
  await disks.remove('d');
  assert.deepEqual(await files(), []);
  assert.deepEqual(await readdir(join(dir, 'volumes')), []);
});

withBench('a very long chain is not made longer: the clone is a copy', async ({ disks, guests, dir }) => {
  await disks.create(volume(ids.a));
  for (let i = 1; i <= 32; i++) {
    await writeTo(disks, guests, ids.a, i, 0, 65536);
    await disks.snapshot(ids.a, `s${i}`);
  }
  await disks.create(volume(ids.b, 5 * MIB, { kind: 'disk', diskId: ids.a }));
  await disks.create(volume(ids.c, 0, { kind: 'snapshot', diskId: ids.a, snapshotId: 's32' }));
  for (const diskId of [ids.b, ids.c]) {
    assert.equal((await recordOf(dir, 'volumes', diskId)).layers.length, 1);
    assert.equal((await contentOf(disks, diskId))[100], 32);
  }
});

withBench('a disk whose guest ends while it grows is grown without it', async ({ disks, guests }) => {
  await disks.create(volume(ids.a));
  await guests.open(disks, ids.a);
  guests.resize = async (diskId) => {
    guests.close(diskId);
    throw unavailable('the process ended meanwhile');
  };
  assert.equal((await disks.resize(ids.a, 8 * MIB)).sizeBytes, 8 * MIB);
  assert.equal((await contentOf(disks, ids.a)).length, 8 * MIB);
  // one that goes on is not passed over
  await guests.open(disks, ids.a);
  guests.resize = () => Promise.reject(unavailable('no answer'));
  await assert.rejects(disks.resize(ids.a, 9 * MIB), kind('Unavailable'));
});

withBench('resizing grows, raw and qcow2', async (b) => {
  const { disks, guests } = b;
  await disks.create(volume(ids.a));
  await writeTo(disks, guests, ids.a, 1, 0, MIB);
  assert.equal((await disks.resize(ids.a, 8 * MIB)).sizeBytes, 8 * MIB);
  assert.equal((await disks.resize(ids.a, 8 * MIB)).sizeBytes, 8 * MIB);
  await assert.rejects(disks.resize(ids.a, 4 * MIB), kind('InvalidInput'));
  await assert.rejects(disks.resize(ids.a, 8 * MIB + 1), kind('InvalidInput'));
  await disks.snapshot(ids.a, 's');
  await disks.resize(ids.a, 9 * MIB);
  assert.equal((await contentOf(disks, ids.a)).length, 9 * MIB);
  assert.equal((await contentOf(disks, ids.a, 's')).length, 8 * MIB);
  await disks.removeSnapshot(ids.a, 's');
  await disks.idle();
  assert.ok((await contentOf(disks, ids.a)).equals(Buffer.concat([blob(1, MIB), Buffer.alloc(8 * MIB)])));
});

withBench('an export stands alone and leaves nothing behind', async (b) => {
  const image = await imageFile(b, 'image', blob(5, MIB), 'raw');
  await b.disks.create(volume(ids.a, 4 * MIB, { kind: 'image', image }));
  await writeTo(b.disks, b.guests, ids.a, 6, MIB, MIB);
  const { stream, sizeBytes } = await b.disks.export(ids.a, { format: 'qcow2' });
  assert.deepEqual(
    (await b.files()).filter((f) => f.startsWith('work/')),
    [],
  );
  const data = await buffer(stream);
  assert.equal(data.length, sizeBytes);
  const path = join(b.dir, '..', 'exported');
  await writeFile(path, data);
  const verdict = judge('qcow2', await inspectFile(path));
  assert.ok(verdict.ok && verdict.virtualSizeBytes === 4 * MIB);
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', path, `${path}.raw`]);
  assert.ok((await readFile(`${path}.raw`)).equals(Buffer.concat([blob(5, MIB), blob(6, MIB), Buffer.alloc(2 * MIB)])));
});

withBench('a config drive is an ISO with its label', async ({ disks }) => {
  const files = { 'openstack/latest/meta_data.json': Buffer.from('{"uuid":"x"}').toString('base64') };
  const info = await disks.create({ diskId: 'cfg', sizeBytes: 0, pool: 'ephemeral', source: { kind: 'files', label: 'config-2', files } });
  assert.equal(info.format, 'raw');
  const content = await contentOf(disks, 'cfg');
  assert.equal(inspectBytes(content).format, 'iso');
  assert.ok(content.includes('config-2') && content.includes('{"uuid":"x"}'));
  await assert.rejects(
    disks.create({ diskId: 'bad', sizeBytes: 0, pool: 'ephemeral', source: { kind: 'files', label: 'config-2', files: { '../x': '' } } }),
    kind('InvalidInput'),
  );
});

withBench("what a guest has open is changed by the guest's own QEMU", async ({ disks, guests, dir }) => {
  await disks.create(volume(ids.a));
  await guests.open(disks, ids.a);
  await writeTo(disks, guests, ids.a, 1, 0, MIB);
  await assert.rejects(disks.remove(ids.a), kind('Conflict'));
  await disks.resize(ids.a, 6 * MIB);
  await disks.snapshot(ids.a, 's1');
  await disks.snapshot(ids.a, 's1');
  await writeTo(disks, guests, ids.a, 2, 0, MIB);
  await disks.create(volume(ids.b, 0, { kind: 'disk', diskId: ids.a }));
  await writeTo(disks, guests, ids.a, 3, 0, MIB);
  assert.equal((await contentOf(disks, ids.a))[0], 3);
  assert.equal((await contentOf(disks, ids.a, 's1'))[0], 1);
  assert.equal((await contentOf(disks, ids.b))[0], 2);
  assert.deepEqual(guests.calls, ['resize', 'snapshotTo', 'snapshotTo', 'backupTo']);
  // With the snapshot gone the middle layer is merged upwards, in the guest.
  await disks.removeSnapshot(ids.a, 's1');
  await disks.remove(ids.b);
  await disks.idle();
  assert.equal(guests.calls.at(-1), 'pull');
  assert.equal((await recordOf(dir, 'volumes', ids.a)).layers.length, 1);
  assert.equal((await contentOf(disks, ids.a))[0], 3);
  assert.deepEqual((await guests.layers(ids.a)).length, 1);
  guests.close(ids.a);
  assert.equal((await contentOf(disks, ids.a))[0], 3);
});

withBench('what a guest had open is merged when it has ended, whomever its files belong to by then', async ({ disks, guests, dir, troubles }) => {
  for (const bytes of [65_536, 3 * MIB]) {
    // A little written above: it goes down. Much: the lower comes up.
    await disks.create(volume(ids.a));
    await disks.snapshot(ids.a, 's0');
    await guests.open(disks, ids.a);
    await writeTo(disks, guests, ids.a, 1, 0, MIB);
    await disks.snapshot(ids.a, 's1');
    await writeTo(disks, guests, ids.a, 2, 0, bytes);
    guests.close(ids.a);
    await disks.removeSnapshot(ids.a, 's1');
    await disks.idle();
    assert.deepEqual(troubles, []);
    assert.equal((await recordOf(dir, 'volumes', ids.a)).layers.length, 2);
    assert.ok(
      (await contentOf(disks, ids.a)).equals(Buffer.concat([blob(2, bytes), blob(1, Math.max(0, MIB - bytes)), Buffer.alloc(4 * MIB - Math.max(MIB, bytes))])),
    );
    await disks.remove(ids.a);
  }
});

withBench('a disk that several guests have open is not snapshotted', async ({ disks, guests }) => {
  await disks.create(volume(ids.a));
  await guests.open(disks, ids.a, 'one');
  await guests.open(disks, ids.a, 'two');
  await assert.rejects(disks.snapshot(ids.a, 's'), kind('Conflict'));
  await assert.rejects(disks.create(volume(ids.b, 0, { kind: 'disk', diskId: ids.a })), kind('Conflict'));
  assert.deepEqual((await disks.info(ids.a))?.snapshots, []);
});

withBench('a guest that cannot move to the new layer keeps its old one; asked again it moves', async ({ disks, guests, files }) => {
  await disks.create(volume(ids.a));
  await guests.open(disks, ids.a);
  await writeTo(disks, guests, ids.a, 1, 0, MIB);
  const before = await files();
  const always = unavailable('no');
  guests.snapshotTo = async () => {
    throw always;
  };
  await assert.rejects(disks.snapshot(ids.a, 's'), kind('Unavailable'));
  assert.deepEqual(await files(), before);
  assert.deepEqual((await disks.info(ids.a))?.snapshots, []);
  Reflect.deleteProperty(guests, 'snapshotTo');
  // Moved, but the answer was lost.
  guests.fail = { when: 'after', error: unavailable('lost') };
  await disks.snapshot(ids.a, 's');
  await writeTo(disks, guests, ids.a, 2, 0, MIB);
  assert.equal((await contentOf(disks, ids.a, 's'))[0], 1);
  assert.equal((await contentOf(disks, ids.a))[0], 2);
});

for (const moved of [true, false]) {
  withBench(`Cairn ends while a guest is asked to move (which it ${moved ? 'did' : 'did not'}): nothing is lost`, async (b) => {
    const { guests } = b;
    await b.disks.create(volume(ids.a));
    await guests.open(b.disks, ids.a);
    await writeTo(b.disks, guests, ids.a, 1, 0, MIB);
    const { snapshotTo } = guests;
    let reached: () => void = () => {};
    const asked = new Promise<void>((resolve) => {
      reached = resolve;
    });
    guests.snapshotTo = async (...args) => {
      if (moved) await snapshotTo.apply(guests, args);
      reached();
      await new Promise(() => {});
    };
    void b.disks.snapshot(ids.a, 's');
    await asked;
    guests.snapshotTo = snapshotTo;
    // The guest goes on alone.
    await writeTo(b.disks, guests, ids.a, 2, MIB, MIB);
    const disks = await b.restart();
    assert.ok((await b.files()).filter((f) => f.endsWith('qcow2')).length === 1, 'the layer to come is not swept');
    await writeTo(disks, guests, ids.a, 3, 2 * MIB, MIB);
    guests.close(ids.a);
    await disks.snapshot(ids.a, 's');
    assert.ok((await contentOf(disks, ids.a)).equals(Buffer.concat([blob(1, MIB), blob(2, MIB), blob(3, MIB), Buffer.alloc(MIB)])));
    assert.ok((await contentOf(disks, ids.a, 's')).subarray(0, MIB).equals(blob(1, MIB)));
    assert.deepEqual((await disks.info(ids.a))?.snapshots, ['s']);
    await guests.open(disks, ids.a);
    await writeTo(disks, guests, ids.a, 4, 0, MIB);
    assert.equal((await contentOf(disks, ids.a))[0], 4);
    assert.equal((await contentOf(disks, ids.a, 's'))[0], 1);
  });
}

withBench('a guest that starts while its disk is snapshotted gets an answer, and both go on', async ({ disks, guests }) => {
  await disks.create(volume(ids.a));
  await guests.open(disks, ids.a);
  const { snapshotTo } = guests;
  let once = true;
  guests.snapshotTo = async (diskId, overlay) => {
    if (once) {
      once = false;
      // The first guest ends, a second starts and asks for its layers, all within the call.
      guests.close(diskId);
      await guests.open(disks, diskId, 'guest-2');
      throw conflict('The guest ended.');
    }
    return snapshotTo.call(guests, diskId, overlay);
  };
  await disks.snapshot(ids.a, 's');
  assert.equal((await guests.layers(ids.a)).length, 2);
  await writeTo(disks, guests, ids.a, 7, 0, MIB);
  assert.equal((await contentOf(disks, ids.a, 's'))[0], 0);
  assert.equal((await contentOf(disks, ids.a))[0], 7);
});

withBench('half-made disks go at the next start; a record that cannot be read spares everything', async (b) => {
  await b.disks.create(volume(ids.a));
  await mkdir(join(b.dir, 'volumes', 'half'), { recursive: true });
  await writeFile(join(b.dir, 'volumes', 'half', 'x.raw'), 'x');
  await writeFile(join(b.dir, 'volumes', ids.a, 'left-over.qcow2'), 'x');
  await writeFile(join(b.dir, 'bases', 'nobody.raw'), 'x');
  await writeFile(join(b.dir, 'work', 'export.1'), 'x');
  await b.restart();
  assert.equal((await b.files()).length, 2);
  const record = join(b.dir, 'volumes', ids.a, 'disk.json');
  const text = await readFile(record, 'utf8');
  await writeFile(record, text.slice(0, 20));
  await b.restart();
  assert.equal((await b.files()).length, 2, 'its files stay');
  assert.equal(await b.disks.info(ids.a), undefined);
  await writeFile(record, text);
  await b.restart();
  assert.equal((await b.disks.info(ids.a))?.sizeBytes, 4 * MIB);
});

withBench('no directory can be listed by guests, no layer below can be written by them', async (b) => {
  if (process.getuid?.() !== 0) return;
  const image = await imageFile(b, 'image', blob(1, MIB), 'raw');
  await b.disks.create(volume(ids.a, 0, { kind: 'image', image }));
  await b.disks.snapshot(ids.a, 's');
  const record = await recordOf(b.dir, 'volumes', ids.a);
  const [top, frozen, base] = record.layers.map((layer) => join(b.dir, layer.file));
  const as = (command: string, ...args: string[]): Promise<boolean> =>
    run(command, args, { user: TEST_USER }).then(
      () => true,
      () => false,
    );
  assert.equal(await as('head', '-c1', base ?? ''), true);
  assert.equal(await as('head', '-c1', frozen ?? ''), true);
  for (const path of [base, frozen]) assert.equal(await as('dd', 'if=/dev/zero', `of=${path}`, 'bs=1', 'count=1', 'conv=notrunc'), false);
  assert.equal(await as('dd', 'if=/dev/zero', `of=${top}`, 'bs=1', 'count=0', 'conv=notrunc'), true);
  for (const directory of ['', 'bases', 'volumes', `volumes/${ids.a}`]) assert.equal(await as('ls', join(b.dir, directory)), false, directory);
  assert.equal(await as('cat', join(b.dir, 'volumes', ids.a, 'disk.json')), false);
});

withBench('capacity is that of the file system', async ({ disks }) => {
  const { totalGb, freeGb } = await disks.capacity();
  assert.ok(totalGb > freeGb && freeGb > 0);
});

test('only the one wrapper starts qemu-img', async () => {
  const root = join(import.meta.dirname, '..', '..', '..');
  const offenders: string[] = [];
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile() || !entry.name.endsWith('.ts') || /\.(test|fixture)\.ts$/.test(entry.name) || entry.parentPath.includes('node_modules')) continue;
    const text = await readFile(join(entry.parentPath, entry.name), 'utf8');
    if (/(run|start|spawn|exec|execFile)\w*\(\s*['"`]qemu-img/.test(text) && !entry.parentPath.endsWith('host/src/disks'))
      offenders.push(join(entry.parentPath, entry.name));
  }
  assert.deepEqual(offenders, []);
});

withBench('a disk of an image that several guests have is one raw layer, and its snapshots are copies', async ({ disks, guests, images, files }) => {
  const data = Buffer.concat([blob(1, MIB), blob(2, MIB)]);
  const image: ImageSource = {
    imageId: 'dddddddd-0000-4000-8000-000000000004',
    format: 'raw',
    sizeBytes: data.length,
    sha512: createHash('sha512').update(data).digest('hex'),
  };
  images.set(image.imageId, data);
  await disks.create(volume(ids.a, 4 * MIB, { kind: 'image', image }));
  await guests.open(disks, ids.a, 'one');
  await assert.rejects(disks.share(ids.a), kind('Conflict'), 'its guest goes on writing to the overlay');
  guests.close(ids.a);
  await disks.share(ids.a);
  const shared = { readOnly: false, shared: true };
  const { layers } = await disks.resolve(ids.a);
  assert.equal(diskNode(ids.a, layers, shared).driver, 'raw');
  await disks.dropImage(image.imageId);
  const written = await contentOf(disks, ids.a);
  assert.ok(written.subarray(0, 2 * MIB).equals(data) && written.length === 4 * MIB);

  await guests.open(disks, ids.a, 'one');
  await disks.snapshot(ids.a, 'with-one');
  await disks.create(volume(ids.b, 4 * MIB, { kind: 'disk', diskId: ids.a }));
  assert.deepEqual((await disks.resolve(ids.a)).layers, layers, 'the guest writes where it wrote');
  await disks.share(ids.a);
  await guests.open(disks, ids.a, 'two');
  // no moment could be told while both write
  await assert.rejects(disks.snapshot(ids.a, 'with-two'), kind('Conflict'));
  await assert.rejects(disks.create(volume(ids.c, 4 * MIB, { kind: 'disk', diskId: ids.a })), kind('Conflict'));
  guests.close(ids.a);
  await writeTo(disks, guests, ids.a, 9, 0, MIB);
  assert.equal((await contentOf(disks, ids.b))[0], 1);
  await disks.revert(ids.a, 'with-one');
  assert.equal(diskNode(ids.a, (await disks.resolve(ids.a)).layers, shared).driver, 'raw');
  assert.ok((await contentOf(disks, ids.a)).equals(written));
  for (const diskId of [ids.a, ids.b]) await disks.remove(diskId);
  await disks.idle();
  assert.deepEqual(await files(), []);
});

withBench('a disk that could not be made fit for several guests is as it was', async ({ disks, guests, files }) => {
  await disks.create(volume(ids.a));
  await writeTo(disks, guests, ids.a, 5, 0, MIB);
  await disks.snapshot(ids.a, 'first');
  await disks.share(ids.a);
  await guests.open(disks, ids.a);
  const before = await files();
  guests.fail = { when: 'before', error: unavailable('the guest does not answer') };
  await assert.rejects(disks.snapshot(ids.a, 'second'));
  assert.deepEqual(await files(), before);
  await disks.snapshot(ids.a, 'second');
  guests.close(ids.a);
  assert.deepEqual((await disks.info(ids.a))?.snapshots, ['first', 'second']);
});
