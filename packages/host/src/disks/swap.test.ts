import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { isCairnError, notFound } from '@cairn/kit/errors/errors';
import { silentLog } from '@cairn/kit/log/log';
import { detectAccount } from '../hypervisor/account.ts';
import { bootDisk, writtenNumber } from '../hypervisor/boot-sector.fixture.ts';
import { QemuGuests } from '../hypervisor/guests.ts';
import { noQemu, smallSpec, virtioDisk } from '../hypervisor/qemu.fixture.ts';
import type { DiskEncryption } from '../interface/disks.ts';
import type { GuestSpec } from '../interface/guests.ts';
import { contentOf, MIB } from './disks.fixture.ts';
import { LocalDisks } from './local-disks.ts';
import { decrypted, diskKey, KEY } from './luks.fixture.ts';

describe('a disk of a real guest moves to another while it writes', { skip: noQemu }, () => {
  let dir: string;
  let guests: QemuGuests;
  let disks: LocalDisks;
  let spec: GuestSpec;
  const account = detectAccount();

  async function boot(): Promise<void> {
    const user = await account;
    guests = new QemuGuests({
      dataDir: join(dir, 'guests'),
      runDir: join(dir, 'run'),
      name: dir.slice(-6),
      account: user,
      openDisk: (diskId) => disks.resolve(diskId),
      imagePath: (imageId) => disks.imageFile(imageId),
      diskKey,
      clock: systemClock,
      log: silentLog,
      onEvent: () => {},
      accelerator: 'tcg',
    });
    disks = new LocalDisks({
      dataDir: join(dir, 'disks'),
      openDisks: guests.openDisks,
      openImage: async (imageId) => {
        throw notFound(imageId);
      },
      diskKey,
      ...(user ? { user: { uid: user.gid, gid: user.gid } } : {}),
    });
    await guests.recover();
    await disks.start();
  }

  before(async () => {
    dir = await mkdtemp(join(tmpdir(), 'cairn-swap-'));
    await chmod(dir, 0o711);
    await boot();
    const path = join(dir, 'image');
    const program = bootDisk('writes', 'hello', 8);
    program[446 + 4] = 0x83;
    await writeFile(path, program);
    const image = { imageId: 'image', format: 'raw' as const, sizeBytes: program.length, path };
    await disks.create({ diskId: 'one', sizeBytes: 0, source: { kind: 'image', image }, pool: 'volume' });
    spec = smallSpec({ disks: [virtioDisk('one', 'vda', { bootIndex: 0 })] });
    await guests.start(spec);
  });
  after(async () => {
    await disks.stop();
    await guests.destroy();
    await rm(dir, { recursive: true, force: true });
  });

  const blank = (diskId: string, encryption?: DiskEncryption): Promise<unknown> =>
    disks.create({ diskId, sizeBytes: 8 * MIB, source: { kind: 'blank' }, pool: 'volume', ...(encryption && { encryption }) });
  const number = async (diskId: string): Promise<number> => {
    const stored = await contentOf(disks, diskId);
    return writtenNumber((await disks.info(diskId))?.keyId === undefined ? stored : await decrypted(stored));
  };
  const writesOn = async (diskId: string): Promise<number> => {
    const from = await number(diskId);
    for (let i = 0; i < 200; i++) {
      const now = await number(diskId);
      if (now > from) return now;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    assert.fail(`the guest writes no more to ${diskId}`);
  };
  const swap = (from: string, to: string, signal?: AbortSignal): Promise<void> =>
    guests.swapDisk(spec.guestId, from, virtioDisk(to, 'vda', { bootIndex: 0 }), signal);

  test('to a new one, and asked again it is there', async () => {
    const before = await writesOn('one');
    await blank('two');
    await swap('one', 'two');
    await swap('one', 'two');
    assert.ok((await writesOn('two')) > before);
    assert.deepEqual([guests.openDisks.holder('one'), guests.openDisks.holder('two')], [undefined, spec.guestId]);
    const left = await number('one');
    assert.ok(left >= before);
    await disks.remove('one');
  });

  test('to an encrypted one, from there to another, and back to one in the clear', async () => {
    await blank('three', KEY);
    await swap('two', 'three');
    await disks.remove('two');
    const before = await writesOn('three');
    await disks.snapshot('three', 's1');
    await blank('four', { ...KEY, keyId: 'key-2', keyBits: 512 });
    await swap('three', 'four');
    assert.ok((await writesOn('four')) > before);
    await blank('five');
    await swap('four', 'five');
    await writesOn('five');
    for (const diskId of ['three', 'four']) await disks.remove(diskId);
  });

  test('what fails or is broken off leaves the guest what it had', async () => {
    await assert.rejects(swap('five', 'nowhere'), (error) => isCairnError(error, 'NotFound'));
    for (const [diskId, sizeMb] of [
      ['small', 1],
      ['large', 24],
    ] as const) {
      await disks.create({ diskId, sizeBytes: sizeMb * MIB, source: { kind: 'blank' }, pool: 'volume' });
      await assert.rejects(swap('five', diskId), (error) => isCairnError(error, 'Conflict'));
    }
    await blank('six');
    const abort = new AbortController();
    abort.abort(new Error('enough'));
    await assert.rejects(swap('five', 'six', abort.signal), /enough/);
    await writesOn('five');
    for (const diskId of ['small', 'large', 'six']) await disks.remove(diskId);
    assert.equal(guests.openDisks.holder('five'), spec.guestId);
  });

  test('Cairn ends in the midst of it: the guest goes on with the disk that it had, and is moved when that is asked again', async () => {
    await blank('seven', KEY);
    const going = swap('five', 'seven').catch(() => undefined);
    // the copying has begun, or is over: either is right
    for (let i = 0; i < 200 && guests.openDisks.holder('seven') === undefined; i++) await new Promise((resolve) => setTimeout(resolve, 5));
    await disks.stop();
    await guests.stop();
    await going;
    await boot();
    const has = guests.openDisks.holder('seven') === spec.guestId ? 'seven' : 'five';
    await writesOn(has);
    await swap('five', 'seven');
    await writesOn('seven');
    assert.equal(guests.openDisks.holder('five'), undefined);
    await disks.remove('five');
    await guests.shutDown(spec.guestId, 0);
    assert.ok((await number('seven')) > 0);
    await assert.rejects(swap('seven', 'eight'), (error) => isCairnError(error, 'Conflict'));
    await guests.remove(spec.guestId);
    await disks.remove('seven');
    assert.deepEqual(await readdir(join(dir, 'disks', 'volumes')), []);
  });
});
