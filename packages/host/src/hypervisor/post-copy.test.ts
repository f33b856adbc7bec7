import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, type TestContext, test } from 'node:test';
import { silentLog } from '@cairn/kit/log/log';
import type { GuestSpec } from '../interface/guests.ts';
import { writtenNumber } from './boot-sector.fixture.ts';
import type { QemuOptions } from './context.ts';
import { Narrow, postCopyQemu } from './post-copy.fixture.ts';
import { noQemu, TestHost } from './qemu.fixture.ts';

let dir = '';
let found: Awaited<ReturnType<typeof postCopyQemu>> = { why: 'not looked for' };
before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'cairn-postcopy-'));
  await chmod(dir, 0o755);
  if (noQemu === false) found = await postCopyQemu(dir);
});
after(() => rm(dir, { recursive: true, force: true }));

/** So much that QEMU has not told of all of it when the way becomes narrow: 9 bytes for each page that is empty. */
const MEMORY_MB = 2048;
const FIRST_BYTES = 200_000;
/** From then on, so slowly that most of it is still to come when the guest goes on. */
const DRIP = { bytes: 32_768, everyMs: 100 };
const PATIENCE_MS = 120_000;

interface Scene {
  readonly source: TestHost;
  readonly dest: TestHost;
  readonly spec: GuestSpec;
  readonly diskId: string;
  readonly path: { readonly source: string; readonly dest: string };
}

async function scene(t: TestContext, options: Partial<QemuOptions>, memoryMb = MEMORY_MB): Promise<Scene> {
  const [source, dest] = await Promise.all([TestHost.make(t, options), TestHost.make(t, options)]);
  const spec = await source.guest('writes', { memoryMb });
  const diskId = spec.disks[0]?.diskId as string;
  const [top] = source.chains.get(diskId) ?? [];
  const from = top && 'path' in top ? top.path : '';
  const path = join(dest.dir, `${diskId}.raw`);
  await writeFile(path, '', { mode: 0o600 });
  await truncate(path, (await stat(from)).size);
  dest.chains.set(diskId, [{ format: 'raw', path }]);
  await source.guests.start(spec);
  await source.printed(spec.guestId, /\.{5}/);
  return { source, dest, spec, diskId, path: { source: from, dest: path } };
}

const until = async (what: string, is: () => Promise<boolean>): Promise<void> => {
  for (const end = Date.now() + PATIENCE_MS; !(await is()); await new Promise((resolve) => setTimeout(resolve, 20))) assert.ok(Date.now() < end, what);
};
const number = async (path: string): Promise<number> => writtenNumber(await readFile(path));

test('a guest in a hurry goes on at the other host before its memory has come, and survives that the way breaks', { timeout: 300_000 }, async (t) => {
  if (noQemu !== false || 'why' in found) return t.skip(noQemu || ('why' in found ? found.why : ''));
  const { source, dest, spec, diskId, path } = await scene(t, { qemu: found.qemu });
  const { guestId } = spec;
  const names = await dest.guests.receiveLive(spec, await source.guests.layout(guestId), [diskId], { mayPostCopy: true });
  assert.equal((await dest.guests.liveProgress(guestId)).postCopy, 'possible');
  const way = new Narrow(FIRST_BYTES);
  let drip: NodeJS.Timeout | undefined;
  const send = (narrow: Narrow): Promise<void> =>
    source.guests.sendLive(guestId, {
      mirror: [{ diskId, exportName: names[diskId] as string }],
      channel: async (which) => {
        const straight = await dest.guests.liveChannel(guestId, which);
        return which === 'memory' ? narrow.through(straight) : straight;
      },
      switched: async () => {
        assert.equal((await source.guests.liveProgress(guestId)).postCopy, 'running');
        assert.equal((await dest.guests.finishLive(guestId, true)).state, 'running');
        clearInterval(drip);
        assert.equal((await dest.guests.liveProgress(guestId)).postCopy, 'running', 'not all has come');
        narrow.cut();
      },
    });
  const sent = send(way);
  sent.catch(() => {});
  await until('memory does not begin to go', async () => (await source.guests.liveProgress(guestId)).memoryProcessed > 0);
  assert.equal(await source.guests.hastenLive(guestId), 'post-copy');
  drip = setInterval(() => way.allow(DRIP.bytes), DRIP.everyMs);
  await assert.rejects(sent, { kind: 'Unavailable' });
  // as after a crash of Cairn on both sides
  await Promise.all([source.restart(), dest.restart()]);
  assert.equal((await source.guests.liveProgress(guestId)).postCopy, 'running');
  await dest.guests.reopenLive(guestId);
  await send(new Narrow(Number.POSITIVE_INFINITY));
  assert.equal((await source.guests.liveProgress(guestId)).isSent, true);
  const before = await number(path.source);
  await source.guests.remove(guestId);
  const now = await number(path.dest);
  await until('it stands still', async () => (await number(path.dest)) > now);
  assert.equal(await number(path.source), before, 'nothing ran at the source any more');
  // it can be moved and saved as any other
  await dest.guests.suspend(guestId);
  await dest.guests.resume(spec);
  const saved = await number(path.dest);
  await until('it does not go on', async () => (await number(path.dest)) > saved);
});

test('where the kernel keeps it from guests a guest in a hurry stands still until all has come, and the log says why', async (t) => {
  if (noQemu !== false || ('qemu' in found && found.qemu === 'qemu-system-x86_64')) return t.skip(noQemu || 'this kernel gives userfaultfd to all');
  const said: string[] = [];
  const log = { ...silentLog, warn: (...words: readonly unknown[]) => said.push(words.map(String).join(' ')) } as typeof silentLog;
  const { source, dest, spec, diskId, path } = await scene(t, { log }, 64);
  const { guestId } = spec;
  const names = await dest.guests.receiveLive(spec, await source.guests.layout(guestId), [diskId], { mayPostCopy: true });
  assert.equal((await dest.guests.liveProgress(guestId)).postCopy, 'no');
  assert.match(said.join('\n'), /no post-copy to this host: .*vm\.unprivileged_userfaultfd=1/);
  // asked before it begins, too
  const hurry = source.guests.hastenLive(guestId);
  await source.guests.sendLive(guestId, {
    mirror: [{ diskId, exportName: names[diskId] as string }],
    channel: (which) => dest.guests.liveChannel(guestId, which),
  });
  assert.equal(await hurry, 'paused');
  await dest.guests.finishLive(guestId, true);
  const now = await number(path.dest);
  await until('it does not go on', async () => (await number(path.dest)) > now);
});
