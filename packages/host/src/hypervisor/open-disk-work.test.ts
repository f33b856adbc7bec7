import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { GuestSpec } from '../interface/guests.ts';
import { run } from '../process/run.ts';
import { writtenNumber } from './boot-sector.fixture.ts';
import { QemuGuests } from './guests.ts';
import type { DiskLayer, OpenableDisk } from './open-disks.ts';
import { noQemu, TestHost } from './qemu.fixture.ts';

const real = { skip: noQemu } as const;
type File = DiskLayer & { readonly path: string };

interface Writer {
  readonly host: TestHost;
  readonly spec: GuestSpec;
  readonly diskId: string;
  readonly base: File;
}

/** A guest that keeps writing to its qcow2 disk. */
async function writer(t: Parameters<typeof TestHost.make>[0]): Promise<Writer> {
  const host = await TestHost.make(t);
  const spec = await host.guest('writes');
  const diskId = spec.disks[0]?.diskId ?? '';
  const [raw] = host.chains.get(diskId) ?? [];
  assert.ok(raw && 'path' in raw);
  const base: File = { format: 'qcow2', path: join(host.dir, 'base.qcow2') };
  await run('qemu-img', ['convert', '-f', 'raw', '-O', 'qcow2', raw.path, base.path]);
  host.chains.set(diskId, [base]);
  await host.guests.start(spec);
  await host.printed(spec.guestId, /\.{3}/);
  return { host, spec, diskId, base };
}

/** Waits until the guest has written some more. */
async function writesOn({ host, spec }: Writer): Promise<void> {
  const now = (await host.guests.consoleLog(spec.guestId)).length;
  await host.printed(spec.guestId, new RegExp(`^[^]{${now + 3}}`));
}

/** The number that a disk's file holds, by reading it as a whole. */
async function numberIn(host: TestHost, layer: File): Promise<number> {
  const out = join(host.dir, 'out.raw');
  await run('qemu-img', ['convert', '-U', '-f', layer.format, '-O', 'raw', layer.path, out]);
  return writtenNumber(await readFile(out));
}

async function chainOf(layer: File): Promise<readonly string[]> {
  const { stdout } = await run('qemu-img', ['info', '-U', '--backing-chain', '--output=json', '-f', layer.format, layer.path]);
  return (JSON.parse(stdout) as readonly { readonly filename: string }[]).map((info) => info.filename);
}

test('a disk grows while the guest runs', real, async (t) => {
  const w = await writer(t);
  await w.host.guests.openDisks.resize(w.diskId, 8 * 2 ** 20);
  const { stdout } = await run('qemu-img', ['info', '-U', '--output=json', w.base.path]);
  assert.equal((JSON.parse(stdout) as { 'virtual-size': number })['virtual-size'], 8 * 2 ** 20);
  await writesOn(w);
});

test('a snapshot holds the moment; the guest writes on above it', real, async (t) => {
  const w = await writer(t);
  const { host, diskId, base } = w;
  const overlay = await host.overlay(base, 1);
  await host.guests.openDisks.snapshotTo(diskId, overlay);
  const frozen = await numberIn(host, base);
  assert.ok(frozen >= 3);
  await host.guests.openDisks.snapshotTo(diskId, overlay);
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [overlay, base]);
  await writesOn(w);
  assert.equal(await numberIn(host, base), frozen);
  // A soft landing: the chain opens again.
  host.chains.set(diskId, [overlay, base]);
  await host.guests.shutDown(w.spec.guestId, 0);
  assert.ok((await numberIn(host, overlay)) > frozen);
  await host.guests.start(w.spec);
  await host.printed(w.spec.guestId, /\./);
});

test('merging down: the guest goes on in the base, and the overlay is free', real, async (t) => {
  const w = await writer(t);
  const { host, diskId, base } = w;
  const [middle, top] = [await host.overlay(base, 1), await host.overlay(base, 1)];
  await host.guests.openDisks.snapshotTo(diskId, middle);
  await run('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-b', middle.path, '-F', 'qcow2', top.path]);
  await host.guests.openDisks.snapshotTo(diskId, top);
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [top, middle, base]);
  // The one in between first: what lies above it is told of its new backing.
  await host.guests.openDisks.commit(diskId, { top: middle, base });
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [top, base]);
  assert.deepEqual(await chainOf(top), [top.path, base.path]);
  await writesOn(w);
  await host.guests.openDisks.commit(diskId, { top, base });
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [base]);
  await writesOn(w);
  host.chains.set(diskId, [base]);
  if (process.getuid?.() === 0) assert.equal((await stat(top.path)).uid, 0);
  const seen = (await host.guests.consoleLog(w.spec.guestId)).split('.').length - 1;
  await host.guests.shutDown(w.spec.guestId, 0);
  assert.ok((await numberIn(host, base)) >= seen);
});

test('merging up leaves what lies below as it was', real, async (t) => {
  const w = await writer(t);
  const { host, diskId, base } = w;
  const [middle, top] = [await host.overlay(base, 1), await host.overlay(base, 1)];
  await host.guests.openDisks.snapshotTo(diskId, middle);
  await writesOn(w);
  await run('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-b', middle.path, '-F', 'qcow2', top.path]);
  await host.guests.openDisks.snapshotTo(diskId, top);
  const before = await Promise.all([base, middle].map(async (layer) => (await run('sha256sum', [layer.path])).stdout));
  await host.guests.openDisks.pull(diskId, { top, base });
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [top, base]);
  assert.deepEqual(await chainOf(top), [top.path, base.path]);
  await host.guests.openDisks.pull(diskId, { top });
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [top]);
  assert.deepEqual(await chainOf(top), [top.path]);
  assert.deepEqual(await Promise.all([base, middle].map(async (layer) => (await run('sha256sum', [layer.path])).stdout)), before);
  await writesOn(w);
  host.chains.set(diskId, [top]);
  await host.guests.shutDown(w.spec.guestId, 0);
  await host.guests.start(w.spec);
  await host.printed(w.spec.guestId, /hello\r\n\./);
});

test('merging up a layer below the top', real, async (t) => {
  const w = await writer(t);
  const { host, diskId, base } = w;
  const [middle, top] = [await host.overlay(base, 1), await host.overlay(base, 1)];
  await host.guests.openDisks.snapshotTo(diskId, middle);
  await run('qemu-img', ['rebase', '-u', '-f', 'qcow2', '-b', middle.path, '-F', 'qcow2', top.path]);
  await host.guests.openDisks.snapshotTo(diskId, top);
  const frozen = await numberIn(host, middle);
  await host.guests.openDisks.pull(diskId, { top: middle });
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [top, middle]);
  assert.deepEqual(await chainOf(middle), [middle.path]);
  assert.equal(await numberIn(host, middle), frozen);
  await writesOn(w);
});

test('a copy is of one moment, whole, and the guest goes on; raw and compressed too', real, async (t) => {
  const w = await writer(t);
  const { host, diskId, base } = w;
  const overlay = await host.overlay(base, 1);
  await host.guests.openDisks.snapshotTo(diskId, overlay);
  for (const [format, compress] of [
    ['qcow2', true],
    ['raw', false],
  ] as const) {
    const target: File = { format, path: join(host.dir, `copy.${format}`) };
    await run('qemu-img', ['create', '-q', '-f', format, target.path, '1M']);
    const progress: number[] = [];
    await host.guests.openDisks.backupTo(diskId, target, { compress, onProgress: (done) => progress.push(done) });
    assert.deepEqual(await chainOf(target), [target.path]);
    const copied = await numberIn(host, target);
    assert.ok(copied >= 3);
    assert.ok(progress.length > 0);
    await writesOn(w);
    if (process.getuid?.() === 0) assert.equal((await stat(target.path)).uid, 0);
    const boot = await readFile(join(host.dir, 'out.raw'));
    assert.equal(boot.readUInt16LE(510), 0xaa55);
  }
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [overlay, base]);
});

test('a disk moves to another file under a running guest', real, async (t) => {
  const w = await writer(t);
  const { host, diskId, base } = w;
  const target: File = { format: 'raw', path: join(host.dir, 'moved.raw') };
  await run('qemu-img', ['create', '-q', '-f', 'raw', target.path, '1M']);
  await host.guests.openDisks.moveTo(diskId, target);
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [target]);
  const left = await numberIn(host, base);
  await writesOn(w);
  assert.equal(await numberIn(host, base), left);
  host.chains.set(diskId, [target]);
  await host.guests.shutDown(w.spec.guestId, 0);
  assert.ok((await numberIn(host, target)) > left);
});

test('work on a disk that nobody has open, or that fails, is refused and leaves the guest alone', real, async (t) => {
  const w = await writer(t);
  const { host, diskId, base } = w;
  const conflictOf = (work: Promise<unknown>): Promise<void> => assert.rejects(work, (e) => isCairnError(e, 'Conflict'));
  await conflictOf(host.guests.openDisks.resize('nobody-has-it', 1));
  await conflictOf(host.guests.openDisks.commit(diskId, { top: base, base }));
  await conflictOf(host.guests.openDisks.pull(diskId, { top: { format: 'qcow2', path: '/elsewhere' } }));
  const broken: File = { format: 'qcow2', path: await host.file('broken', 'no qcow2') };
  await assert.rejects(host.guests.openDisks.snapshotTo(diskId, broken), (e) => isCairnError(e, 'Unavailable'));
  await assert.rejects(host.guests.openDisks.backupTo(diskId, broken), (e) => isCairnError(e, 'Unavailable'));
  const small: File = { format: 'raw', path: join(host.dir, 'small.raw') };
  await run('qemu-img', ['create', '-q', '-f', 'raw', small.path, '64K']);
  await assert.rejects(host.guests.openDisks.backupTo(diskId, small), (e) => isCairnError(e, 'Unavailable'));
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [base]);
  await writesOn(w);
  const overlay = await host.overlay(base, 1);
  await host.guests.openDisks.snapshotTo(diskId, overlay);
});

test('a copy that is called off ends, and can be made again', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('writes');
  const diskId = spec.disks[0]?.diskId ?? '';
  const [raw] = host.chains.get(diskId) ?? [];
  assert.ok(raw && 'path' in raw);
  // Large enough to be called off in the middle.
  await run('dd', ['if=/dev/urandom', `of=${raw.path}`, 'bs=1M', 'seek=1', 'count=256', 'conv=notrunc']);
  await host.guests.start(spec);
  await host.printed(spec.guestId, /\./);
  const target: File = { format: 'qcow2', path: join(host.dir, 'copy.qcow2') };
  const make = (): Promise<unknown> => run('qemu-img', ['create', '-q', '-f', 'qcow2', target.path, '257M']);
  await make();
  const abort = new AbortController();
  const copying = host.guests.openDisks.backupTo(diskId, target, { signal: abort.signal, compress: true });
  setTimeout(() => abort.abort(new Error('called off')), 100);
  await assert.rejects(copying);
  await make();
  await host.guests.openDisks.backupTo(diskId, target);
  // And the end of the guest ends a copy.
  await make();
  const last = host.guests.openDisks.backupTo(diskId, target, { compress: true });
  const ended = assert.rejects(last, (e) => isCairnError(e, 'Unavailable'));
  await new Promise((r) => setTimeout(r, 100));
  await host.guests.shutDown(spec.guestId, 0);
  await ended;
});

test('while Disks keep back how a disk is opened, a snapshot is accepted and nothing waits', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('writes');
  const diskId = spec.disks[0]?.diskId ?? '';
  const [base] = host.chains.get(diskId) ?? [];
  assert.ok(base && 'path' in base);
  // Each question is answered with what the disk was when it was put, and only when told to.
  const answers: (() => void)[] = [];
  const waiting: (() => void)[] = [];
  const question = (): Promise<void> => new Promise((r) => waiting.push(r));
  const openDisk = async (id: string): Promise<OpenableDisk> => {
    const answer = await host.options.openDisk(id);
    await new Promise<void>((r) => {
      answers.push(r);
      waiting.shift()?.();
    });
    return answer;
  };
  const other = new QemuGuests({ ...host.options, openDisk, dataDir: join(host.dir, 'd2'), runDir: join(host.dir, 'r2') });
  await other.recover();
  const first = question();
  const starting = other.start(spec);
  await first;
  assert.equal(other.openDisks.holder(diskId), spec.guestId);
  const before = performance.now();
  await assert.rejects(other.openDisks.resize(diskId, 2 ** 21), (e) => isCairnError(e, 'Conflict'));
  const overlay = await host.overlay(base, 1);
  await other.openDisks.snapshotTo(diskId, overlay);
  assert.ok(performance.now() - before < 20_000);
  // The answer that is on its way knows nothing of it: the question is put again.
  host.chains.set(diskId, [overlay, base]);
  const second = question();
  answers.shift()?.();
  await second;
  answers.shift()?.();
  assert.equal((await starting).state, 'running');
  assert.deepEqual(await other.openDisks.layers(diskId), [overlay, base]);
  await other.openDisks.resize(diskId, 2 ** 21);
  await other.destroy();
});

test("copies do not disturb each other's names", real, async (t) => {
  const w = await writer(t);
  const { host, diskId } = w;
  const targets = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const target: File = { format: 'qcow2', path: join(host.dir, `${name}.qcow2`) };
      await run('qemu-img', ['create', '-q', '-f', 'qcow2', target.path, '1M']);
      return target;
    }),
  );
  await Promise.all(targets.map((target) => host.guests.openDisks.backupTo(diskId, target)));
  for (const target of targets) assert.ok((await numberIn(host, target)) >= 3);
});
