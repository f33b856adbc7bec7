import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, before, describe, test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import { checkEncryption } from '../interface/disk-encryption.ts';
import { LUKS_HEADER_BYTES } from '../interface/disks.ts';
import { run } from '../process/run.ts';
import { type Bench, bench, CANARY, contentOf, hasQemuImg, isAnywhere, MIB, recordOf } from './disks.fixture.ts';
import { writeLuks } from './luks.ts';
import { decrypted, diskKey, KEY, SECRET } from './luks.fixture.ts';

const hasCryptsetup = await run('cryptsetup', ['--version']).then(
  () => true,
  () => false,
);

describe('a header written by hand', () => {
  let dir: string;
  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cairn-luks-'));
  });
  after(() => rm(dir, { recursive: true, force: true }));

  for (const keyBits of [256, 512]) {
    const make = async (): Promise<string> => {
      const path = join(dir, `disk-${keyBits}`);
      await writeFile(path, '');
      await writeLuks(path, MIB, SECRET, { cipher: 'aes-xts-plain64', keyBits });
      return path;
    };

    test(`QEMU opens a disk with a key of ${keyBits} bits by its passphrase and by no other`, { skip: !hasQemuImg }, async () => {
      const stored = await readFile(await make());
      assert.equal(stored.length, MIB + LUKS_HEADER_BYTES);
      assert.equal((await decrypted(stored)).length, MIB);
      await assert.rejects(decrypted(stored, 'another'), /[Ii]nvalid password/);
    });

    test(`cryptsetup does, too (${keyBits} bits)`, { skip: !hasCryptsetup && 'needs cryptsetup' }, async () => {
      const path = await make();
      const { stdout } = await run('cryptsetup', ['luksDump', path]);
      assert.match(stdout, new RegExp(`Version:\\s+1\\n[^]*Cipher mode:\\s+xts-plain64[^]*MK bits:\\s+${keyBits}\\b`));
      const open = (input: string): Promise<{ code: number }> =>
        run('cryptsetup', ['open', '--test-passphrase', '--key-file', '-', path], { input, okCodes: [2] });
      assert.equal((await open(SECRET)).code, 0);
      assert.equal((await open('another')).code, 2);
    });
  }

  test('ciphers and sizes that are not served are refused in words', () => {
    const refused = (cipher: string, keyBits: number, words: RegExp): void =>
      assert.throws(
        () => checkEncryption({ cipher, keyBits }),
        (error) => isCairnError(error, 'InvalidInput') && words.test(error.message),
      );
    refused('aes-cbc-essiv:sha256', 256, /aes-xts-plain64/);
    refused('aes-xts-plain64', 128, /256 or 512 bits, not 128/);
  });
});

describe('encrypted disks', { skip: !hasQemuImg }, () => {
  let b: Bench;
  before(async () => {
    b = await bench({ diskKey });
  });
  after(() => b.cleanUp());

  const plain = async (diskId: string, snapshotId?: string): Promise<Buffer> => decrypted(await contentOf(b.disks, diskId, snapshotId));

  test('a blank one has its whole size for its guest, and a header before that', async () => {
    const info = await b.disks.create({ diskId: 'blank', sizeBytes: 4 * MIB, source: { kind: 'blank' }, pool: 'volume', encryption: KEY });
    assert.deepEqual([info.sizeBytes, info.keyId], [4 * MIB, 'key-1']);
    assert.equal((await plain('blank')).length, 4 * MIB);
    assert.equal((await b.disks.resolve('blank')).keyId, 'key-1');
    assert.equal((await b.disks.resize('blank', 6 * MIB)).sizeBytes, 6 * MIB);
    assert.equal((await plain('blank')).length, 6 * MIB);
  });

  test('an image is encrypted on its way to the disk; copies, snapshots, growth and going back keep what it holds', async () => {
    const image = Buffer.alloc(2 * MIB);
    for (let at = 4096; at < image.length; at += 65_536) image.write(CANARY, at);
    b.images.set('image', image);
    const source = { kind: 'image', image: { imageId: 'image', format: 'raw', sizeBytes: image.length } } as const;
    await b.disks.create({ diskId: 'root', sizeBytes: 3 * MIB, source, pool: 'volume', encryption: { ...KEY, keyBits: 512 } });
    assert.ok(await isAnywhere(join(b.dir, 'bases'), CANARY));
    await b.disks.dropImage('image');
    assert.equal(await isAnywhere(b.dir, CANARY), false);
    assert.equal(await isAnywhere(b.dir, SECRET), false);
    assert.deepEqual((await plain('root')).subarray(0, image.length), image);

    await b.disks.snapshot('root', 's1');
    await b.disks.create({ diskId: 'clone', sizeBytes: 5 * MIB, source: { kind: 'disk', diskId: 'root' }, pool: 'volume', encryption: KEY });
    await b.disks.create({ diskId: 'from-s1', sizeBytes: 0, source: { kind: 'snapshot', diskId: 'root', snapshotId: 's1' }, pool: 'volume', encryption: KEY });
    assert.equal((await b.disks.resize('root', 4 * MIB)).sizeBytes, 4 * MIB);
    for (const [diskId, mib] of [
      ['root', 4],
      ['clone', 5],
      ['from-s1', 3],
    ] as const) {
      const content = await plain(diskId);
      assert.equal(content.length, mib * MIB, diskId);
      assert.deepEqual(content.subarray(0, image.length), image, diskId);
    }
    await b.disks.revert('root', 's1');
    assert.deepEqual((await plain('root', 's1')).subarray(0, image.length), image);
    assert.equal(await isAnywhere(b.dir, CANARY), false);
  });

  test('it moves to another host as it is stored', async () => {
    const other = await bench({ diskKey });
    try {
      const { stream } = await b.disks.export('root', { format: 'qcow2' });
      const info = await other.disks.receive({ diskId: 'root', sizeBytes: 4 * MIB, pool: 'volume', encryption: KEY }, stream);
      assert.deepEqual([info.sizeBytes, info.keyId], [4 * MIB, 'key-1']);
      assert.deepEqual(await decrypted(await contentOf(other.disks, 'root')), await plain('root'));
      const { stream: again } = await b.disks.export('root', { format: 'qcow2' });
      await assert.rejects(other.disks.receive({ diskId: 'clear', sizeBytes: 4 * MIB, pool: 'volume' }, again));
    } finally {
      await other.cleanUp();
    }
  });

  test('an image of a stored disk is a disk with the same secret', async () => {
    const stored = await contentOf(b.disks, 'root');
    b.images.set('stored', stored);
    const image = { imageId: 'stored', format: 'raw', sizeBytes: stored.length, encrypted: true } as const;
    await b.disks.create({ diskId: 'again', sizeBytes: 8 * MIB, source: { kind: 'image', image }, pool: 'volume', encryption: KEY });
    assert.deepEqual((await plain('again')).subarray(0, 4 * MIB), await plain('root'));
    assert.equal((await b.disks.info('again'))?.sizeBytes, 8 * MIB);
  });

  test('neither an encrypted copy of a disk in the clear is made, nor the other way round', async () => {
    await b.disks.create({ diskId: 'clear', sizeBytes: MIB, source: { kind: 'blank' }, pool: 'volume' });
    const copy = (from: string, encryption?: typeof KEY): Promise<unknown> =>
      b.disks.create({ diskId: 'copy', sizeBytes: 8 * MIB, source: { kind: 'disk', diskId: from }, pool: 'volume', ...(encryption && { encryption }) });
    await assert.rejects(copy('clear', KEY), (error) => isCairnError(error, 'Conflict') && /not encrypted/.test(error.message));
    await assert.rejects(copy('blank'), (error) => isCairnError(error, 'Conflict') && /is encrypted/.test(error.message));
  });

  test('what a disk holds is encrypted, decrypted and encrypted otherwise on its way to a new one', async () => {
    const content = await plain('root');
    const recrypt = (from: string, to: string, encryption?: typeof KEY): Promise<unknown> =>
      b.disks.create({
        diskId: to,
        sizeBytes: 4 * MIB,
        source: { kind: 'disk', diskId: from, recrypt: true },
        pool: 'volume',
        ...(encryption && { encryption }),
      });
    await recrypt('root', 'in-clear');
    assert.deepEqual(await contentOf(b.disks, 'in-clear'), content);
    await recrypt('in-clear', 'hidden', { ...KEY, keyId: 'key-2' } as unknown as typeof KEY);
    assert.deepEqual(await plain('hidden'), content);
    await recrypt('hidden', 'otherwise', KEY);
    assert.deepEqual(await plain('otherwise'), content);
    for (const diskId of ['in-clear', 'hidden', 'otherwise']) await b.disks.remove(diskId);
    assert.equal(
      (await b.files()).some((file) => file.startsWith('work/')),
      false,
    );
  });

  test('a disk whose key is not there is not made, and leaves nothing', async () => {
    const before = await b.files();
    const encryption = { ...KEY, keyId: 'unknown' };
    await assert.rejects(b.disks.create({ diskId: 'no-key', sizeBytes: MIB, source: { kind: 'blank' }, pool: 'volume', encryption }));
    assert.deepEqual(await b.files(), before);
  });

  test('a restart knows which disks are encrypted', async () => {
    await b.restart();
    assert.equal((await b.disks.info('root'))?.keyId, 'key-1');
    assert.equal((await recordOf(b.dir, 'volumes', 'root')).keyId, 'key-1');
    await assert.rejects(b.disks.receive({ diskId: 'x', sizeBytes: MIB, pool: 'volume', encryption: KEY }, Readable.from(['nothing'])));
  });
});
