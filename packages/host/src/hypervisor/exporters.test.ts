import assert from 'node:assert/strict';
import { open, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { NbdLocation } from '../interface/disks.ts';
import type { GuestDisk, GuestSpec } from '../interface/guests.ts';
import { run } from '../process/run.ts';
import { bootDisk, writtenNumber } from './boot-sector.fixture.ts';
import { findByArgument } from './process-identity.ts';
import { noNetns, smallSpec, TestHost, TestNetwork, virtioDisk } from './qemu.fixture.ts';

const MIB = 2 ** 20;

/** Two hosts that reach each other, the first of which keeps a disk whose guest counts on it. */
interface Scene {
  readonly keeper: TestHost;
  readonly other: TestHost;
  readonly diskId: string;
  readonly path: string;
  readonly spec: GuestSpec;
  readonly facts: { readonly sizeBytes: number };
}

async function scene(t: TestContext): Promise<Scene> {
  const { netns } = await TestNetwork.make(t);
  await run('ip', ['-n', netns, 'link', 'set', 'lo', 'up']);
  const [keeper, other] = await Promise.all([
    TestHost.make(t, { between: { netns, address: '127.0.0.1' } }),
    TestHost.make(t, { between: { netns, address: '127.0.0.2' } }),
  ]);
  const raw = await keeper.file('boot.raw', bootDisk('writes', 'hello'));
  const diskId = await keeper.disk('qcow2', 16);
  const [top] = keeper.chains.get(diskId) ?? [];
  if (!top || !('path' in top)) throw new Error('no file');
  await run('qemu-img', ['convert', '-n', '-f', 'raw', '-O', 'qcow2', raw, top.path]);
  return { keeper, other, diskId, path: top.path, spec: smallSpec(), facts: { sizeBytes: 16 * MIB } };
}

const remote = (world: Scene, location: NbdLocation, more: Partial<GuestDisk> = {}): GuestSpec => ({
  ...world.spec,
  disks: [virtioDisk(world.diskId, 'vda', { bootIndex: 0, location, ...more })],
});
const local = (world: Scene): GuestSpec => ({ ...world.spec, disks: [virtioDisk(world.diskId, 'vda', { bootIndex: 0 })] });

/** The guest goes on: it counts and prints. */
async function goesOn(host: TestHost, { spec }: Scene): Promise<void> {
  const now = (await host.guests.consoleLog(spec.guestId)).length;
  await host.printed(spec.guestId, new RegExp(`^[^]{${now + 5}}`), 60_000);
}

/** What the disk holds, by its layers, once nobody writes to it. */
async function number(layers: readonly string[]): Promise<number> {
  const out = `${layers[0] as string}.out`;
  await run('qemu-img', ['convert', '-f', 'qcow2', '-O', 'raw', layers[0] as string, out]);
  const file = await open(out);
  const { buffer, bytesRead } = await file.read(Buffer.alloc(MIB), 0, MIB, 0);
  await file.close();
  return writtenNumber(buffer.subarray(0, bytesRead));
}

const printed = async (host: TestHost, { spec }: Scene): Promise<number> => (await host.guests.consoleLog(spec.guestId)).split('.').length - 1;

test('a guest runs from a disk that another host keeps; what it writes is there', { skip: noNetns, timeout: 120_000 }, async (t) => {
  const world = await scene(t);
  const { keeper, other, diskId, path, facts } = world;
  const location = await keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts);
  assert.deepEqual(await keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts), location, 'asked again it is the same');
  assert.equal(keeper.guests.openDisks.holder(diskId), `export:${diskId}`);
  await other.guests.start(remote(world, location));
  await other.printed(world.spec.guestId, /\.{5}/);
  await assert.rejects(keeper.guests.start({ ...local(world), guestId: smallSpec().guestId }), { kind: 'Conflict' }, 'nobody else may write to it');
  await other.guests.remove(world.spec.guestId);
  await keeper.guests.exporters.unserve(diskId, 'a');
  assert.deepEqual(keeper.guests.exporters.served(), []);
  assert.equal(keeper.guests.openDisks.holder(diskId), undefined);
  assert.equal((await stat(path)).uid, process.getuid?.() ?? 0);
  assert.ok((await number([path])) >= 5);
  assert.deepEqual(await readdir(join(keeper.dir, 'data', 'exports')), []);
  assert.deepEqual(await readdir(join(other.dir, 'run', 'n')), []);
});

test('whoever has not the key, or no longer, gets nothing', { skip: noNetns, timeout: 120_000 }, async (t) => {
  const world = await scene(t);
  const { keeper, other, diskId, facts } = world;
  const location = await keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts);
  const wrong = { ...location, key: 'ab'.repeat(32) };
  await assert.rejects(other.guests.start(remote(world, wrong)), { kind: 'Unavailable' });
  await assert.rejects(other.guests.start(remote(world, { ...location, exportName: 'guessed' })), { kind: 'Unavailable' });
  const second = await keeper.guests.exporters.serve(diskId, { exportId: 'b' }, facts);
  assert.notEqual(second.exportName, location.exportName);
  await keeper.guests.exporters.unserve(diskId, 'a');
  await assert.rejects(other.guests.start(remote(world, location)), { kind: 'Unavailable' });
  await other.guests.start(remote(world, second));
  await other.printed(world.spec.guestId, /\./);
});

test('the guest goes on when what serves its disk, or what leads there, is killed, with Cairn there or not', { skip: noNetns, timeout: 240_000 }, async (t) => {
  const world = await scene(t);
  const { keeper, other, diskId, facts } = world;
  await other.guests.start(remote(world, await keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts)));
  await goesOn(other, world);
  const exporterPid = (): number => keeper.guests.exporters.find(`export:${diskId}`)?.record.process?.pid ?? 0;
  const before = exporterPid();
  process.kill(before, 'SIGKILL');
  await keeper.event((event) => event.kind === 'trouble');
  await goesOn(other, world);
  assert.notEqual(exporterPid(), before);
  const [relay] = await findByArgument(join(other.dir, 'run', 'n', 'imports.json'));
  process.kill(relay?.pid ?? 0, 'SIGKILL');
  await goesOn(other, world);
  // another Cairn finds both
  const pid = exporterPid();
  await keeper.restart();
  await other.restart();
  await keeper.guests.exporters.wake();
  assert.equal(exporterPid(), pid);
  await goesOn(other, world);
  // and one that was killed while Cairn was away
  await keeper.guests.stop();
  process.kill(pid, 'SIGKILL');
  await keeper.restart();
  await keeper.guests.exporters.wake();
  await goesOn(other, world);
  assert.equal((await other.guests.info(world.spec.guestId)).state, 'running');
});

test('a host that is off for longer than QEMU waits: the guest stands still, and goes on when it is back', { skip: noNetns, timeout: 240_000 }, async (t) => {
  const world = await scene(t);
  const { keeper, other, diskId, facts, path } = world;
  await other.guests.start(remote(world, await keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts)));
  await goesOn(other, world);
  await keeper.guests.halt();
  assert.equal(keeper.guests.openDisks.holder(diskId), undefined);
  await new Promise((resolve) => setTimeout(resolve, 15_000));
  assert.equal((await other.guests.info(world.spec.guestId)).state, 'running', 'to those who ask it is what it was');
  await keeper.guests.exporters.wake();
  await goesOn(other, world);
  const count = await printed(other, world);
  await other.guests.remove(world.spec.guestId);
  await keeper.guests.exporters.unserve(diskId);
  assert.ok((await number([path])) >= count, 'nothing that was written is lost');
});

test('snapshots and growing while a guest of another host writes', { skip: noNetns, timeout: 120_000 }, async (t) => {
  const world = await scene(t);
  const { keeper, other, diskId, facts, path } = world;
  const [base] = keeper.chains.get(diskId) ?? [];
  if (!base) throw new Error('no layer');
  await other.guests.start(remote(world, await keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts)));
  await other.printed(world.spec.guestId, /\.{5}/);
  const overlay = await keeper.overlay(base);
  await keeper.guests.openDisks.snapshotTo(diskId, overlay);
  keeper.chains.set(diskId, [overlay, base]);
  assert.deepEqual(await keeper.guests.openDisks.layers(diskId), [overlay, base]);
  await goesOn(other, world);
  await keeper.guests.openDisks.resize(diskId, 64 * MIB);
  await other.guests.diskHasGrown(world.spec.guestId, diskId, 64 * MIB);
  await goesOn(other, world);
  await keeper.guests.openDisks.pull(diskId, { top: overlay });
  keeper.chains.set(diskId, [overlay]);
  await goesOn(other, world);
  await other.guests.remove(world.spec.guestId);
  await keeper.guests.exporters.unserve(diskId);
  const { stdout } = await run('qemu-img', ['info', '--output=json', '-f', 'qcow2', overlay.path]);
  assert.equal((JSON.parse(stdout) as { readonly 'virtual-size': number })['virtual-size'], 64 * MIB);
  const frozen = await number([path]);
  assert.ok(frozen >= 4 && (await number([overlay.path])) > frozen);
});

test('a disk is plugged into a running guest of another host, and out again', { skip: noNetns, timeout: 120_000 }, async (t) => {
  const world = await scene(t);
  const { keeper, other } = world;
  const guest = await other.guest('writes');
  await other.guests.start(guest);
  await other.printed(guest.guestId, /\./);
  const diskId = await keeper.disk('raw', 16);
  const location = await keeper.guests.exporters.serve(diskId, { exportId: 'x' }, { sizeBytes: 16 * MIB });
  const disk = virtioDisk(diskId, 'vdb', { location });
  await other.guests.attachDisk(guest.guestId, disk);
  assert.deepEqual(
    (await other.guests.diagnostics(guest.guestId)).disks.map(({ device }) => device),
    ['vda', 'vdb'],
  );
  // this guest answers no request to let go, so it is switched off; the next start has the disk
  await other.guests.rebootHard({ ...guest, disks: [...guest.disks, disk] });
  await other.guests.remove(guest.guestId);
  assert.deepEqual(await readdir(join(other.dir, 'run', 'n')), []);
});

test('guests of two hosts write to one disk at once', { skip: noNetns, timeout: 120_000 }, async (t) => {
  const world = await scene(t);
  const { keeper, other } = world;
  const diskId = await keeper.disk('raw', 16);
  const shared = virtioDisk(diskId, 'vdb', { shared: true });
  const [here, there] = [await keeper.guest('writes'), await other.guest('writes')];
  await keeper.guests.start({ ...here, disks: [...here.disks, shared] });
  const location = await keeper.guests.exporters.serve(diskId, { exportId: 'x', shared: true }, { sizeBytes: 16 * MIB });
  await other.guests.start({ ...there, disks: [...there.disks, { ...shared, location }] });
  await other.printed(there.guestId, /\.{3}/);
  await keeper.printed(here.guestId, /\.{3}/);
  assert.deepEqual(keeper.guests.openDisks.holders(diskId).toSorted(), [here.guestId, `export:${diskId}`].toSorted());
  await keeper.guests.remove(here.guestId);
  await other.printed(there.guestId, /\.{6}/);
});

/** Sends the guest from one host to the other; in between, `handOver` makes the disk the other's. */
async function migrate(from: TestHost, to: TestHost, { spec }: Scene, there: GuestSpec, handOver: () => Promise<unknown>): Promise<void> {
  const { guestId } = spec;
  await to.guests.receiveLive(there, await from.guests.layout(guestId), []);
  await from.guests.sendLive(guestId, { mirror: [], channel: (which) => to.guests.liveChannel(guestId, which) });
  await handOver();
  await to.guests.finishLive(guestId, true);
}

test('a running guest goes away from the host that keeps its disk, and back', { skip: noNetns, timeout: 240_000 }, async (t) => {
  const world = await scene(t);
  const { keeper, other, diskId, facts, path, spec } = world;
  await keeper.guests.start(local(world));
  await goesOn(keeper, world);
  await assert.rejects(keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts), { kind: 'Conflict' });
  const location = await keeper.guests.exporters.serve(diskId, { exportId: 'a', waits: true }, facts);
  await goesOn(keeper, world);
  await assert.rejects(keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts), { kind: 'Conflict' }, 'its guest has it');
  await migrate(keeper, other, world, remote(world, location), () => keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts));
  await goesOn(other, world);
  await keeper.guests.remove(spec.guestId);
  await goesOn(other, world);
  assert.deepEqual(keeper.guests.openDisks.holders(diskId), [`export:${diskId}`]);

  await migrate(other, keeper, world, local(world), () => keeper.guests.exporters.serve(diskId, { exportId: 'a', waits: true }, facts));
  const there = await printed(other, world);
  await other.guests.remove(spec.guestId);
  await keeper.guests.exporters.unserve(diskId, 'a');
  await goesOn(keeper, world);
  await keeper.guests.shutDown(spec.guestId, 0);
  assert.ok((await number([path])) >= there, 'it counted on from where it was');
});

test('a guest that was sent and is not wanted there goes on with its disk where it was', { skip: noNetns, timeout: 240_000 }, async (t) => {
  const world = await scene(t);
  const { keeper, other, diskId, facts, spec } = world;
  const { guestId } = spec;
  await keeper.guests.start(local(world));
  const location = await keeper.guests.exporters.serve(diskId, { exportId: 'a', waits: true }, facts);
  await other.guests.receiveLive(remote(world, location), await keeper.guests.layout(guestId), []);
  await keeper.guests.sendLive(guestId, { mirror: [], channel: (which) => other.guests.liveChannel(guestId, which) });
  await keeper.guests.exporters.serve(diskId, { exportId: 'a' }, facts);
  // back again
  await other.guests.remove(guestId);
  await keeper.guests.exporters.unserve(diskId, 'a');
  await keeper.guests.resumeLive(guestId, true);
  await goesOn(keeper, world);
});
