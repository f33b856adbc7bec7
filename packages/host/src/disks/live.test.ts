import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { notFound } from '@cairn/kit/errors/errors';
import { silentLog } from '@cairn/kit/log/log';
import { detectAccount } from '../hypervisor/account.ts';
import { bootDisk, writtenNumber } from '../hypervisor/boot-sector.fixture.ts';
import { QemuGuests } from '../hypervisor/guests.ts';
import { noQemu, smallSpec, virtioDisk } from '../hypervisor/qemu.fixture.ts';
import { inspectBytes } from '../inspector/inspector.ts';
import { judge } from '../inspector/judge.ts';
import { MIB, contentOf, recordOf } from './disks.fixture.ts';
import { LocalDisks } from './local-disks.ts';

/** Makes the hypervisor and the disks of a host in a directory, as often as Cairn starts there. */
async function hostIn(dir: string): Promise<() => { guests: QemuGuests; disks: LocalDisks }> {
  const account = await detectAccount();
  return () => {
    const guests: QemuGuests = new QemuGuests({
      dataDir: join(dir, 'guests'),
      runDir: join(dir, 'run'),
      name: dir.slice(-6),
      account,
      openDisk: (diskId) => disks.resolve(diskId),
      imagePath: (imageId) => disks.imageFile(imageId),
      clock: systemClock,
      log: silentLog,
      onEvent: () => {},
      accelerator: 'tcg',
    });
    const disks = new LocalDisks({
      dataDir: join(dir, 'disks'),
      openDisks: guests.openDisks,
      openImage: async (imageId) => {
        throw notFound(imageId);
      },
      ...(account ? { user: { uid: account.gid, gid: account.gid } } : {}),
    });
    return { guests, disks };
  };
}

/** An image of a guest that does nothing but write. */
async function writerIn(dir: string): Promise<{ imageId: string; format: 'raw'; sizeBytes: number; path: string }> {
  const path = join(dir, 'image');
  const program = bootDisk('writes', 'here', 4);
  // A partition, or the inspector would not have it.
  program[446 + 4] = 0x83;
  await writeFile(path, program);
  return { imageId: 'image', format: 'raw', sizeBytes: program.length, path };
}

test('a real guest writes on while its disk is snapshotted, cloned, grown, copied and merged, and Cairn restarts', {
  skip: noQemu,
  timeout: 120_000,
}, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-live-'));
  await chmod(dir, 0o711);
  const make = await hostIn(dir);
  let { guests, disks } = make();
  await guests.recover();
  await disks.start();
  try {
    const image = await writerIn(dir);
    await disks.create({ diskId: 'root', sizeBytes: 0, source: { kind: 'image', image }, pool: 'ephemeral' });
    const spec = smallSpec({ disks: [virtioDisk('root', 'vda', { bootIndex: 0 })] });
    await guests.start(spec);
    const number = async (diskId: string, snapshotId?: string): Promise<number> => writtenNumber(await contentOf(disks, diskId, snapshotId));
    const beyond = async (n: number): Promise<number> => {
      for (let i = 0; i < 200; i++) {
        const now = await number('root');
        if (now > n) return now;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.fail(`the guest writes no more than ${n}`);
    };
    const layers = async (): Promise<number> => (await recordOf(join(dir, 'disks'), 'ephemeral', 'root')).layers.length;

    const first = await beyond(0);
    await disks.snapshot('root', 's1');
    const frozen = await number('root', 's1');
    assert.ok(frozen >= first);
    const later = await beyond(frozen);
    assert.equal(await number('root', 's1'), frozen);
    await disks.create({ diskId: 'clone', sizeBytes: 0, source: { kind: 'disk', diskId: 'root' }, pool: 'volume' });
    const cloned = await number('clone');
    assert.ok(cloned >= later);
    assert.equal((await disks.resize('root', 8 * MIB)).sizeBytes, 8 * MIB);
    const { stream } = await disks.export('root', { format: 'qcow2' });
    const copy = judge('qcow2', inspectBytes(await buffer(stream)));
    assert.ok(copy.ok && copy.virtualSizeBytes === 8 * MIB);
    await beyond(cloned);
    assert.equal(await number('clone'), cloned);
    assert.equal(await layers(), 4);
    await assert.rejects(disks.remove('root'));

    // With its users gone a layer is pulled up into the next, in the running guest.
    await disks.removeSnapshot('root', 's1');
    await disks.remove('clone');
    await disks.idle();
    assert.equal(await layers(), 2);
    const merged = await beyond(cloned);

    // Cairn ends and comes back; the guest never noticed.
    await disks.stop();
    await guests.stop();
    ({ guests, disks } = make());
    await guests.recover();
    await disks.start();
    assert.equal(guests.openDisks.holder('root'), spec.guestId);
    await disks.snapshot('root', 's2');
    const second = await beyond(merged);
    assert.ok((await number('root', 's2')) >= merged && (await number('root', 's2')) <= second);

    // Closed, it has all that was written; started again it goes on.
    await guests.shutDown(spec.guestId, 0);
    const last = await number('root');
    assert.ok(last >= second);
    assert.equal(await number('root'), last);
    await disks.revert('root', 's2');
    assert.equal(await number('root'), await number('root', 's2'));
    await guests.start(spec);
    await beyond(0);
    await guests.remove(spec.guestId);
    await disks.remove('root');
    await disks.dropImage('image');
    assert.deepEqual(await readdir(join(dir, 'disks', 'ephemeral')), []);
    assert.deepEqual(await readdir(join(dir, 'disks', 'bases')), []);
    assert.deepEqual(await readdir(join(dir, 'disks', 'work')), []);
  } finally {
    await disks.stop();
    await guests.destroy();
    await rm(dir, { recursive: true, force: true });
  }
});

test('real guests share a disk of an image; a snapshot of it while one has it is a copy, and another may have it afterwards', {
  skip: noQemu,
  timeout: 240_000,
}, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-live-'));
  await chmod(dir, 0o711);
  const { guests, disks } = (await hostIn(dir))();
  await guests.recover();
  await disks.start();
  try {
    const image = await writerIn(dir);
    for (const diskId of ['one', 'two', 'data']) await disks.create({ diskId, sizeBytes: 0, source: { kind: 'image', image }, pool: 'volume' });
    const data = virtioDisk('data', 'vdb', { shared: true });
    const spec = (root: string) => smallSpec({ disks: [virtioDisk(root, 'vda', { bootIndex: 0 }), data] });
    const [one, two] = [spec('one'), spec('two')];
    await assert.rejects(guests.start(one), /only raw disks can be/);
    await disks.share('data');
    await guests.start(one);
    await disks.snapshot('data', 'with-one');
    await guests.start(two);
    assert.deepEqual([...guests.openDisks.holders('data')].toSorted(), [one.guestId, two.guestId].toSorted());
    await assert.rejects(disks.snapshot('data', 'with-two'), /open in several guests/);
    assert.ok((await contentOf(disks, 'data', 'with-one')).subarray(0, 512).equals((await readFile(image.path)).subarray(0, 512)));
    await guests.remove(two.guestId);
    await disks.snapshot('data', 'again');
    await guests.remove(one.guestId);
    await disks.revert('data', 'again');
    await Promise.all([guests.start(one), guests.start(two)]);
    assert.deepEqual((await disks.info('data'))?.snapshots, ['with-one', 'again']);
  } finally {
    await disks.stop();
    await guests.destroy();
    await rm(dir, { recursive: true, force: true });
  }
});
