import assert from 'node:assert/strict';
import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { notFound } from '@cairn/kit/errors/errors';
import { silentLog } from '@cairn/kit/log/log';
import { detectAccount } from '../hypervisor/account.ts';
import { bootDisk, writtenNumber } from '../hypervisor/boot-sector.fixture.ts';
import { QemuGuests } from '../hypervisor/guests.ts';
import { noQemu, smallSpec, virtioDisk } from '../hypervisor/qemu.fixture.ts';
import { CANARY, contentOf, isAnywhere, MIB, recordOf } from './disks.fixture.ts';
import { LocalDisks } from './local-disks.ts';
import { decrypted, diskKey, KEY, SECRET } from './luks.fixture.ts';

test('a real guest boots from an encrypted disk and writes on while that is snapshotted, cloned, grown, copied and merged, and Cairn restarts', {
  skip: noQemu,
  timeout: 180_000,
}, async () => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-luks-live-'));
  await chmod(dir, 0o711);
  const account = await detectAccount();
  const said: unknown[] = [];
  const listening = (fields: unknown, message?: string): number => said.push(fields, message);
  const log = { ...silentLog, debug: listening, info: listening, warn: listening, error: listening };
  const make = (): { guests: QemuGuests; disks: LocalDisks } => {
    const guests: QemuGuests = new QemuGuests({
      dataDir: join(dir, 'guests'),
      runDir: join(dir, 'run'),
      name: dir.slice(-6),
      account,
      openDisk: (diskId) => disks.resolve(diskId),
      imagePath: (imageId) => disks.imageFile(imageId),
      diskKey,
      clock: systemClock,
      log,
      onEvent: () => {},
      accelerator: 'tcg',
    });
    const disks = new LocalDisks({
      dataDir: join(dir, 'disks'),
      openDisks: guests.openDisks,
      openImage: async (imageId) => {
        throw notFound(imageId);
      },
      diskKey,
      ...(account ? { user: { uid: account.gid, gid: account.gid } } : {}),
      log,
    });
    return { guests, disks };
  };
  let { guests, disks } = make();
  await guests.recover();
  await disks.start();
  try {
    const path = join(dir, 'image');
    const program = bootDisk('writes', CANARY.slice(0, 24), 4);
    // A partition, or the inspector would not have it.
    program[446 + 4] = 0x83;
    await writeFile(path, program);
    const image = { imageId: 'image', format: 'raw' as const, sizeBytes: program.length, path };
    await disks.create({ diskId: 'root', sizeBytes: 0, source: { kind: 'image', image }, pool: 'volume', encryption: KEY });
    await disks.create({ diskId: 'more', sizeBytes: MIB, source: { kind: 'blank' }, pool: 'volume', encryption: { ...KEY, keyId: 'key-2', keyBits: 512 } });
    await disks.dropImage('image');
    await rm(path);
    const spec = smallSpec({ disks: [virtioDisk('root', 'vda', { bootIndex: 0 })] });
    const { pid } = await guests.start(spec);

    const secretIsSomewhere = async (): Promise<boolean> =>
      (await readFile(`/proc/${pid}/cmdline`, 'utf8')).includes(SECRET) ||
      JSON.stringify(said).includes(SECRET) ||
      (await isAnywhere(join(dir, 'disks'), SECRET)) ||
      (await isAnywhere(join(dir, 'guests'), SECRET)) ||
      (await readdir(join(dir, 'run', spec.guestId))).includes('s');
    assert.equal(await secretIsSomewhere(), false);

    const number = async (diskId: string, snapshotId?: string): Promise<number> => writtenNumber(await decrypted(await contentOf(disks, diskId, snapshotId)));
    const beyond = async (n: number): Promise<number> => {
      for (let i = 0; i < 200; i++) {
        const now = await number('root');
        if (now > n) return now;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      assert.fail(`the guest writes no more than ${n}`);
    };
    const layers = async (): Promise<number> => (await recordOf(join(dir, 'disks'), 'volumes', 'root')).layers.length;

    const first = await beyond(0);
    await disks.snapshot('root', 's1');
    const frozen = await number('root', 's1');
    assert.ok(frozen >= first);
    await beyond(frozen);
    assert.equal(await number('root', 's1'), frozen);
    await disks.create({ diskId: 'clone', sizeBytes: 0, source: { kind: 'disk', diskId: 'root' }, pool: 'volume', encryption: KEY });
    const cloned = await number('clone');
    assert.equal((await disks.resize('root', 8 * MIB)).sizeBytes, 8 * MIB);
    await beyond(cloned);
    assert.equal(await layers(), 3);
    await disks.removeSnapshot('root', 's1');
    await disks.remove('clone');
    await disks.idle();
    assert.equal(await layers(), 1);
    const merged = await beyond(cloned);

    // Another disk comes and goes while it runs.
    await guests.attachDisk(spec.guestId, virtioDisk('more', 'vdb'));
    assert.equal(await secretIsSomewhere(), false);
    assert.equal((await disks.resize('more', 2 * MIB)).sizeBytes, 2 * MIB);

    // Cairn ends and comes back; the guest never noticed.
    await disks.stop();
    await guests.stop();
    ({ guests, disks } = make());
    await guests.recover();
    await disks.start();
    await disks.snapshot('root', 's2');
    const second = await beyond(merged);

    // A guest whose memory was saved opens them again.
    await guests.suspend(spec.guestId);
    await guests.resume({ ...spec, disks: [...spec.disks, virtioDisk('more', 'vdb')] });
    const third = await beyond(second);

    await guests.shutDown(spec.guestId, 0);
    assert.ok((await number('root')) >= third);
    assert.equal((await decrypted(await contentOf(disks, 'root'))).length, 8 * MIB);
    assert.equal(await isAnywhere(join(dir, 'disks'), CANARY.slice(0, 24)), false);
    await guests.remove(spec.guestId);
    for (const diskId of ['root', 'more']) await disks.remove(diskId);
    assert.deepEqual(await readdir(join(dir, 'disks', 'volumes')), []);
    assert.deepEqual(await readdir(join(dir, 'disks', 'work')), []);
  } finally {
    await disks.stop();
    await guests.destroy();
    await rm(dir, { recursive: true, force: true });
  }
});
