import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { chmod, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import type { GuestSpec } from '../interface/guests.ts';
import { writtenNumber } from './boot-sector.fixture.ts';
import { noQemu, TestHost } from './qemu.fixture.ts';

interface Scene {
  readonly source: TestHost;
  readonly dest: TestHost;
  readonly spec: GuestSpec;
  readonly diskId: string;
  /** The number that the guest wrote last to its disk on a host. */
  number(host: TestHost): Promise<number>;
}

const fileOf = (host: TestHost, diskId: string): string => {
  const [top] = host.chains.get(diskId) ?? [];
  if (!top || !('path' in top)) throw new Error('no such file');
  return top.path;
};

/** A guest that writes a growing number to its disk, and another host with an empty disk for it. */
async function scene(t: TestContext): Promise<Scene> {
  const [source, dest] = await Promise.all([TestHost.make(t), TestHost.make(t)]);
  const spec = await source.guest('writes');
  const diskId = spec.disks[0]?.diskId as string;
  const path = join(dest.dir, `${diskId}.raw`);
  await writeFile(path, '', { mode: 0o600 });
  await truncate(path, (await stat(fileOf(source, diskId))).size);
  await chmod(path, 0o600);
  dest.chains.set(diskId, [{ format: 'raw', path }]);
  await source.guests.start(spec);
  await source.printed(spec.guestId, /\.{10}/);
  return { source, dest, spec, diskId, number: async (host) => writtenNumber(await readFile(fileOf(host, diskId))) };
}

async function grows(read: () => Promise<number>, beyond: number): Promise<number> {
  for (const end = Date.now() + 20_000; ; ) {
    const now = await read();
    if (now > beyond) return now;
    assert.ok(Date.now() < end, `it stands still at ${now}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function send({ source, dest, spec, diskId }: Scene, more: { readonly signal?: AbortSignal; readonly closed?: boolean } = {}): Promise<void> {
  const { guestId } = spec;
  const names = await dest.guests.receiveLive(spec, await source.guests.layout(guestId), [diskId]);
  await source.guests.sendLive(guestId, {
    mirror: [{ diskId, exportName: names[diskId] as string }],
    channel: (which) => (more.closed ? Promise.reject(new Error('no way')) : dest.guests.liveChannel(guestId, which)),
    ...(more.signal && { signal: more.signal }),
  });
}

test('a guest goes to another host with its memory and its disk, and goes on there', { skip: noQemu }, async (t) => {
  const world = await scene(t);
  const { source, dest, spec } = world;
  const { guestId } = spec;
  await send(world);
  assert.equal((await source.guests.liveProgress(guestId)).isSent, true);
  // who finds it again after a crash does not let it go on: it may run over there
  await source.restart();
  assert.deepEqual([(await source.guests.liveProgress(guestId)).isSent, (await source.guests.info(guestId)).state], [true, 'paused']);
  const atSource = await world.number(source);
  assert.equal(await world.number(dest), atSource, 'both disks hold the same when it stands still');
  assert.equal((await dest.guests.finishLive(guestId, true)).state, 'running');
  // its counter is in its memory: it goes on from where it was
  const later = await grows(() => world.number(dest), atSource);
  assert.ok(later < atSource + 2_000, `from ${atSource} to ${later}`);
  assert.equal(await world.number(source), atSource, 'nothing runs at the source any more');
  await source.guests.remove(guestId);
  assert.deepEqual(await source.guests.list(), []);
  // what was started by a migration is found and ended like any other
  await dest.restart();
  assert.equal((await dest.guests.info(guestId)).state, 'running');
  assert.equal((await dest.guests.shutDown(guestId, 0)).state, 'shutdown');
});

test('a guest that cannot go goes on where it is', { skip: noQemu }, async (t) => {
  const world = await scene(t);
  const { source, dest, spec } = world;
  await assert.rejects(send(world, { closed: true }));
  await grows(() => world.number(source), await world.number(source));
  await dest.guests.remove(spec.guestId);

  const abort = new AbortController();
  abort.abort(new Error('changed my mind'));
  await assert.rejects(send(world, { signal: abort.signal }), /changed my mind/);
  await grows(() => world.number(source), await world.number(source));
  await dest.guests.remove(spec.guestId);

  // and after all that it still can
  await send(world);
  await dest.guests.finishLive(spec.guestId, true);
  await grows(() => world.number(dest), await world.number(source));
});

test('a guest that was sent and is not wanted there goes on where it was', { skip: noQemu }, async (t) => {
  const world = await scene(t);
  const { source, dest, spec } = world;
  await send(world);
  await dest.guests.remove(spec.guestId);
  await source.guests.resumeLive(spec.guestId, true);
  assert.equal((await source.guests.info(spec.guestId)).state, 'running');
  await grows(() => world.number(source), await world.number(source));
});

test('a host takes no guest that runs on it already', { skip: noQemu }, async (t) => {
  const { source, spec, diskId } = await scene(t);
  await assert.rejects(source.guests.receiveLive(spec, await source.guests.layout(spec.guestId), [diskId]), { kind: 'Conflict' });
  await assert.rejects(source.guests.liveProgress(randomUUID()), { kind: 'NotFound' });
});
