import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, before, describe, test } from 'node:test';
import { run } from '@cairn/host/process/run';
import { dataKey, getManifest } from './format.ts';
import { backupAsQcow2 } from './read.ts';
import { DirectoryStore } from './store.ts';
import { writeBackup } from './write.ts';

const BLOCK = 65_536;
const hasQemuImg = await run('qemu-img', ['--version']).then(
  () => true,
  () => false,
);
const signal = new AbortController().signal;

describe('what is backed up', { skip: hasQemuImg ? false : 'qemu-img is not here' }, () => {
  let directory: string;
  let store: DirectoryStore;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'cairn-backup-'));
    store = new DirectoryStore(join(directory, 'store'));
  });
  after(() => rm(directory, { recursive: true, force: true }));

  /** The backup's content as qemu-img reads it. */
  const restored = async (id: string, sizeBytes: number): Promise<Buffer> => {
    const [image, raw] = [join(directory, `${id}.qcow2`), join(directory, `${id}.raw`)];
    await writeFile(image, await backupAsQcow2(store, id, sizeBytes));
    await run('qemu-img', ['check', '-q', '-f', 'qcow2', image]);
    await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', image, raw]);
    return buffer((await import('node:fs')).createReadStream(raw));
  };
  const digest = (data: Buffer): string => createHash('sha256').update(data).digest('hex');
  const odd = (data: Buffer): Readable =>
    Readable.from(
      (function* () {
        for (let at = 0; at < data.length; at += 100_001) yield data.subarray(at, at + 100_001);
      })(),
    );

  test('comes back bit for bit, over increments, with only what changed stored', async () => {
    // several index objects, a tail that is no whole block, and holes
    const size = 514 * 2 ** 20 + 512;
    const data = Buffer.alloc(size);
    for (const at of [0, 5 * BLOCK + 17, 300 * 2 ** 20, 513 * 2 ** 20, size - 300]) randomBytes(Math.min(200_000, size - at)).copy(data, at);
    const full = await writeBackup(store, odd(data), { id: 'full', volumeId: 'v', sizeBytes: size, signal });
    assert.ok(full.storedBytes < 30 * BLOCK, 'holes take no room');
    const first = digest(data);
    randomBytes(1000).copy(data, 300 * 2 ** 20 + 5);
    data.fill(0, 0, BLOCK);
    const one = await writeBackup(store, odd(data), { id: 'one', volumeId: 'v', sizeBytes: size, signal, parent: await getManifest(store, 'full') });
    assert.equal(one.storedBytes, BLOCK, 'one block has changed, one has become zero');
    const second = digest(data);
    const grown = size + 40 * 2 ** 20;
    const larger = Buffer.concat([data, Buffer.alloc(40 * 2 ** 20)]);
    randomBytes(70_000).copy(larger, grown - 70_000);
    await writeBackup(store, odd(larger), { id: 'two', volumeId: 'v', sizeBytes: grown, signal, parent: await getManifest(store, 'one') });
    assert.equal(digest((await restored('one', grown)).subarray(0, size)), second);
    assert.equal(digest(await restored('two', grown)), digest(larger));
    assert.notEqual(first, second);
  });

  test('is refused when a bit of it has turned in the store', async () => {
    await writeBackup(store, Readable.from([randomBytes(3 * BLOCK)]), { id: 'bad', volumeId: 'v', sizeBytes: 2 ** 20, signal });
    const object = await store.get(dataKey('bad', 0));
    object[BLOCK + 5] = (object[BLOCK + 5] as number) ^ 1;
    await store.put(dataKey('bad', 0), object);
    await assert.rejects(buffer(await backupAsQcow2(store, 'bad', 2 ** 20)), /a checksum does not match/);
    await store.put('bad/manifest.json', Buffer.from((await store.get('bad/manifest.json')).toString('utf8').replace('1048576', '2097152')));
    await assert.rejects(backupAsQcow2(store, 'bad', 2 ** 21), /a checksum does not match/);
  });
});
