import assert from 'node:assert/strict';
import { mkdir, open, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { run } from '../process/run.ts';
import { writtenNumber } from './boot-sector.fixture.ts';
import type { DiskLayer } from './open-disks.ts';
import { noNetns, TestHost, TestNetwork, virtioDisk } from './qemu.fixture.ts';

const MIB = 2 ** 20;

/** Why no block devices can be made here, or false. */
const noLoop: string | false =
  noNetns ||
  (await run('losetup', ['--find']).then(
    () => false as const,
    () => 'needs loop devices',
  ));

interface Device {
  /** A device file that is none of the machine's own. */
  readonly path: string;
  grow(sizeBytes: number): Promise<void>;
}

/** A block device with what a file holds. */
async function deviceOf(t: TestContext, file: string): Promise<Device> {
  const loop = (await run('losetup', ['--find', '--show', file])).stdout.trim();
  const { rdev } = await stat(loop);
  const directory = `/dev/cairn-test-${process.pid}-${rdev}`;
  await mkdir(directory, { mode: 0o711 });
  t.after(async () => {
    await rm(directory, { recursive: true });
    await run('losetup', ['--detach', loop]);
  });
  const path = join(directory, 'disk');
  await run('mknod', ['--mode=0600', path, 'b', String(rdev >> 8), String(rdev & 0xff)]);
  return {
    path,
    async grow(sizeBytes) {
      await truncate(file, sizeBytes);
      await run('losetup', ['--set-capacity', loop]);
    },
  };
}

async function numberOn(path: string): Promise<number> {
  const file = await open(path);
  const { buffer } = await file.read(Buffer.alloc(4096), 0, 4096, 0);
  await file.close();
  return writtenNumber(buffer);
}

test('a guest’s disk is a block device: its own while it runs, and grows in it', { skip: noLoop, timeout: 240_000 }, async (t) => {
  const { netns } = await TestNetwork.make(t);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  const host = await TestHost.make(t, { between: { netns, address: '127.0.0.1' } });
  const other = await TestHost.make(t, { between: { netns, address: '127.0.0.2' } });
  const spec = await host.guest('writes');
  const diskId = spec.disks[0]?.diskId ?? '';
  const [raw] = host.chains.get(diskId) ?? [];
  assert.ok(raw && 'path' in raw);
  const device = await deviceOf(t, raw.path);
  const layer: DiskLayer = { format: 'raw', path: device.path, device: {} };
  host.chains.set(diskId, [layer]);

  await host.guests.start(spec);
  await host.printed(spec.guestId, /\.{5}/, 60_000);
  const lent = await stat(device.path);
  assert.ok(lent.isBlockDevice() && lent.uid !== 0);
  assert.equal(lent.mode & 0o777, 0o600);
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [layer], 'it is known for a device when QEMU is asked');
  await host.restart();
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [layer]);
  await assert.rejects(host.guests.openDisks.resize(diskId, 4 * MIB), 'no device grows by being asked');
  await device.grow(4 * MIB);
  await host.guests.openDisks.resize(diskId, 4 * MIB);
  await host.guests.remove(spec.guestId);
  assert.equal((await stat(device.path)).uid, 0);
  const first = await numberOn(device.path);
  assert.ok(first >= 5);

  // and served to another host
  const location = await host.guests.exporters.serve(diskId, { exportId: 'a' }, { sizeBytes: 4 * MIB });
  assert.notEqual((await stat(device.path)).uid, 0);
  await other.guests.start({ ...spec, disks: [virtioDisk(diskId, 'vda', { bootIndex: 0, location })] });
  await other.printed(spec.guestId, /\.{5}/, 60_000);
  await device.grow(8 * MIB);
  await host.guests.openDisks.resize(diskId, 8 * MIB);
  await other.guests.diskHasGrown(spec.guestId, diskId, 8 * MIB);
  const { length } = await other.guests.consoleLog(spec.guestId);
  await other.printed(spec.guestId, new RegExp(`^[^]{${length + 5}}`), 60_000);
  await other.guests.remove(spec.guestId);
  await host.guests.exporters.unserve(diskId);
  assert.equal((await stat(device.path)).uid, 0);
  assert.ok((await numberOn(device.path)) >= 5);
});

test('of a bounded device a guest sees what belongs to its disk, and no more', { skip: noLoop, timeout: 120_000 }, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('writes');
  const diskId = spec.disks[0]?.diskId ?? '';
  const [raw] = host.chains.get(diskId) ?? [];
  assert.ok(raw && 'path' in raw);
  await truncate(raw.path, 4 * MIB);
  const device = await deviceOf(t, raw.path);
  host.chains.set(diskId, [{ format: 'raw', path: device.path, device: { sizeBytes: MIB } }]);
  await host.guests.start(spec);
  await host.printed(spec.guestId, /\.{3}/, 60_000);
  const target = join(host.dir, 'copy.raw');
  await writeFile(target, Buffer.alloc(MIB));
  await host.guests.openDisks.backupTo(diskId, { format: 'raw', path: target });
  await assert.rejects(host.guests.openDisks.resize(diskId, 2 * MIB));
});
