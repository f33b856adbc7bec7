import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { GuestInfo } from '../interface/guests.ts';
import { run, start } from '../process/run.ts';
import { QemuGuests } from './guests.ts';
import { noNetns, noQemu, TestHost, TestNetwork, virtioDisk } from './qemu.fixture.ts';
import type { GuestRecord } from './record.ts';

const real = { skip: noQemu } as const;
const exists = (info: GuestInfo): boolean =>
  info.pid !== undefined && existsSync(`/proc/${info.pid}`) && !/\) Z /.test(readFileSync(`/proc/${info.pid}/stat`, 'utf8'));
const recordOf = (host: TestHost, guestId: string): string => join(host.options.dataDir, 'guests', guestId, 'guest.json');

/** Changes what is on disk, as an earlier or interrupted Cairn would have left it. */
async function rewrite(host: TestHost, guestId: string, change: (record: GuestRecord) => object): Promise<void> {
  const path = recordOf(host, guestId);
  await writeFile(path, JSON.stringify(change(JSON.parse(await readFile(path, 'utf8')) as GuestRecord)));
}

test('a restart of Cairn leaves guests as they are and finds them all', { skip: noNetns }, async (t) => {
  const network = await TestNetwork.make(t);
  const host = await TestHost.make(t, { netns: network.netns });
  const [ticking, paused, off] = await Promise.all([host.guest('ticks', { nics: [await network.nic()] }), host.guest('idle'), host.guest('idle')]);
  const first = await host.guests.start(ticking);
  await Promise.all([host.guests.start(paused), host.guests.start(off)]);
  await host.guests.pause(paused.guestId);
  await host.guests.shutDown(off.guestId, 0);
  const before = await host.printed(ticking.guestId, /\.\./);
  await host.guests.stop();
  await new Promise((r) => setTimeout(r, 200));
  assert.ok(exists(first));
  await host.restart();
  assert.deepEqual(
    (await host.guests.list()).map((g) => [g.guestId, g.state]).toSorted(),
    [
      [ticking.guestId, 'running'],
      [paused.guestId, 'paused'],
      [off.guestId, 'shutdown'],
    ].toSorted(),
  );
  assert.deepEqual(await host.guests.info(ticking.guestId), first);
  assert.deepEqual(await host.guests.start(ticking), first);
  assert.equal(host.guests.openDisks.holder(ticking.disks[0]?.diskId ?? ''), ticking.guestId);
  await host.printed(ticking.guestId, new RegExp(`\\.{${before.length}}`));
  assert.equal((await host.guests.unpause(paused.guestId)).state, 'running');
  assert.equal(host.events.length, 0);
  // And the new one is told of what happens.
  process.kill(first.pid ?? 0, 'SIGKILL');
  await host.event((e) => e.kind === 'guest' && e.guestId === ticking.guestId && e.state === 'crashed', 1500);
});

test('what happened meanwhile is told: powered off, killed, paused', real, async (t) => {
  const host = await TestHost.make(t);
  const [over, killed, odd] = await Promise.all([host.guest('minds the button'), host.guest('idle'), host.guest('idle')]);
  const infos = [await host.guests.start(over), await host.guests.start(killed), await host.guests.start(odd)];
  await host.printed(over.guestId, /hello/);
  await host.guests.stop();
  // The button is pressed, and the processor stopped, by somebody else.
  const { Qmp } = await import('./qmp.ts');
  const tell = async (guestId: string, command: string): Promise<void> => {
    const qmp = await Qmp.connect(join(host.options.runDir, guestId, 'q', 'qmp'), { clock: host.options.clock });
    await qmp.execute(command);
    const until = command === 'system_powerdown' ? 'shutdown' : 'paused';
    for (let i = 0; i < 500; i++) if ((await qmp.execute<{ status: string }>('query-status')).status === until) break;
    qmp.close();
  };
  await tell(over.guestId, 'system_powerdown');
  await tell(odd.guestId, 'stop');
  process.kill(infos[1]?.pid ?? 0, 'SIGKILL');
  await new Promise((r) => setTimeout(r, 100));
  await host.restart();
  const states = Object.fromEntries(host.events.map((e) => (e.kind === 'guest' ? [e.guestId, e.state] : [])));
  assert.deepEqual(states, { [over.guestId]: 'shutdown', [killed.guestId]: 'crashed', [odd.guestId]: 'paused' });
  assert.ok(infos[0] && !exists(infos[0]));
  assert.equal(host.guests.openDisks.holder(over.disks[0]?.diskId ?? ''), undefined);
  // Told once.
  host.events.length = 0;
  await host.restart();
  assert.deepEqual(host.events, []);
});

test("after a restart of the machine guests are off, even if their process ids are others' now", real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  await host.guests.start(spec);
  await host.guests.shutDown(spec.guestId, 0);
  await host.guests.stop();
  await rewrite(host, spec.guestId, (record) => ({ ...record, state: 'running', process: { pid: process.pid, startTicks: 1, bootId: 'the boot before' } }));
  await host.restart();
  assert.deepEqual(
    host.events.map((e) => e.kind === 'guest' && e.state),
    ['shutdown'],
  );
  assert.equal((await host.guests.start(spec)).state, 'running');
});

test('a process whose id was not written down in time is found', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const info = await host.guests.start(spec);
  await host.guests.stop();
  // As Cairn leaves it when it is killed between starting QEMU and writing its id.
  await rewrite(host, spec.guestId, (record) => ({ ...record, process: undefined, startedAtMs: undefined, state: 'absent', reason: 'starting' }));
  await host.restart();
  const found = await host.guests.start(spec);
  assert.deepEqual([found.state, found.pid], ['running', info.pid]);
  assert.deepEqual(host.events, []);
});

test('a start that never came to a process is forgotten', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  await host.guests.start(spec);
  await host.guests.shutDown(spec.guestId, 0);
  await host.guests.stop();
  await rewrite(host, spec.guestId, (record) => ({ ...record, state: 'absent' }));
  await host.restart();
  assert.deepEqual(await host.guests.list(), []);
  assert.ok(!existsSync(recordOf(host, spec.guestId)));
  assert.equal((await host.guests.start(spec)).state, 'running');
});

test('a process without a record is ended: nobody could say what it is', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const info = await host.guests.start(spec);
  await host.guests.stop();
  await writeFile(recordOf(host, spec.guestId), '{ damaged');
  await host.restart();
  for (let i = 0; i < 200 && exists(info); i++) await new Promise((r) => setTimeout(r, 10));
  assert.ok(!exists(info));
  assert.deepEqual(await host.guests.list(), []);
});

test('devices that were half attached or half detached when Cairn ended are as QEMU has them', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('lets devices go');
  await host.guests.start(spec);
  await host.printed(spec.guestId, /hello/);
  const [kept, never] = await Promise.all([host.disk(), host.disk()]);
  await host.guests.attachDisk(spec.guestId, virtioDisk(kept, 'vdb'));
  await host.guests.stop();
  await rewrite(host, spec.guestId, (record) => ({
    ...record,
    spec: {
      ...record.spec,
      disks: [...record.spec.disks, virtioDisk(never, 'vdc')],
      nics: [{ portId: randomUUID(), mac: 'fa:16:3e:00:00:01', tap: 'tapnever', mtu: 1500, model: 'virtio' }],
    },
    slots: { ...record.slots, 'disk:vdc': 5 },
    layers: { ...record.layers, [never]: host.chains.get(never) ?? [] },
  }));
  await host.restart();
  const { disks, nics } = await host.guests.diagnostics(spec.guestId);
  assert.deepEqual([disks.map((d) => d.device), nics], [['vda', 'vdb'], []]);
  assert.equal(host.guests.openDisks.holder(never), undefined);
  await host.guests.attachDisk(spec.guestId, virtioDisk(never, 'vdc'));
  await host.guests.detachDisk(spec.guestId, kept, 20_000);
  await host.guests.detachDisk(spec.guestId, never, 20_000);
});

test('a snapshot that was made and not written down is found by its layers', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const diskId = spec.disks[0]?.diskId ?? '';
  await host.guests.start(spec);
  const [base] = host.chains.get(diskId) ?? [];
  assert.ok(base);
  const overlay = await host.overlay(base, 1);
  await host.guests.openDisks.snapshotTo(diskId, overlay);
  await host.guests.stop();
  await rewrite(host, spec.guestId, (record) => ({ ...record, layers: { ...record.layers, [diskId]: [base] } }));
  await host.restart();
  await host.guests.openDisks.resize(diskId, 2 ** 21);
  const { stdout } = await run('qemu-img', ['info', '-U', '--output=json', overlay.path]);
  assert.equal((JSON.parse(stdout) as { 'virtual-size': number })['virtual-size'], 2 ** 21);
  assert.deepEqual(await host.guests.openDisks.layers(diskId), [overlay, base]);
});

test('a process that does not answer is not waited for for ever, and can be ended', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const info = await host.guests.start(spec);
  await host.guests.stop();
  process.kill(info.pid ?? 0, 'SIGSTOP');
  const before = Date.now();
  await host.restart();
  assert.ok(Date.now() - before < 15_000);
  assert.equal(host.events.filter((e) => e.kind === 'trouble').length, 1);
  await assert.rejects(host.guests.pause(spec.guestId), (e) => isCairnError(e, 'Unavailable'));
  // It answers again: it is taken over as if nothing had been.
  process.kill(info.pid ?? 0, 'SIGCONT');
  for (let i = 0; ; i++) {
    const ok = await host.guests.pause(spec.guestId).then(
      () => true,
      () => false,
    );
    if (ok) break;
    assert.ok(i < 100, 'it is not taken over again');
    await new Promise((r) => setTimeout(r, 50));
  }
  process.kill(info.pid ?? 0, 'SIGSTOP');
  await host.restart();
  await host.guests.remove(spec.guestId);
  assert.ok(!exists(info));
});

test('a control socket that leads to another guest is not believed', real, async (t) => {
  const host = await TestHost.make(t);
  const [a, b] = await Promise.all([host.guest('idle'), host.guest('idle')]);
  const [one, other] = [await host.guests.start(a), await host.guests.start(b)];
  await host.guests.stop();
  const socket = join(host.options.runDir, a.guestId, 'q', 'qmp');
  await rm(socket);
  const { symlink } = await import('node:fs/promises');
  await symlink(join(host.options.runDir, b.guestId, 'q', 'qmp'), socket);
  await host.restart();
  assert.ok(host.events.some((e) => e.kind === 'trouble' && e.subject.includes(a.guestId)));
  await host.guests.remove(a.guestId);
  assert.ok(!exists(one));
  assert.ok(exists(other), 'the other guest was ended in its place');
});

test('destroying finds what there is, also without having looked before', real, async (t) => {
  const host = await TestHost.make(t);
  const specs = await Promise.all([host.guest('idle'), host.guest('idle')]);
  const infos = await Promise.all(specs.map((spec) => host.guests.start(spec)));
  await host.guests.stop();
  await new QemuGuests(host.options).destroy();
  assert.deepEqual(infos.map(exists), [false, false]);
  assert.ok(!existsSync(host.options.runDir) && !existsSync(join(host.options.dataDir, 'guests')));
  for (const spec of specs) {
    const [layer] = host.chains.get(spec.disks[0]?.diskId ?? '') ?? [];
    assert.ok(layer && 'path' in layer && existsSync(layer.path));
  }
});

test('guests outlive the process that started them', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('ticks');
  const { onEvent: _, openDisk: __, imagePath: ___, clock: ____, log: _____, ...plain } = host.options;
  const script = `
    const { QemuGuests } = await import(${JSON.stringify(new URL('./guests.ts', import.meta.url).href)});
    const { systemClock } = await import(${JSON.stringify(import.meta.resolve('@cairn/kit/clock/clock'))});
    const { silentLog } = await import(${JSON.stringify(import.meta.resolve('@cairn/kit/log/log'))});
    const layers = ${JSON.stringify([...host.chains.values()][0])};
    const guests = new QemuGuests({ ...${JSON.stringify(plain)}, clock: systemClock, log: silentLog, onEvent() {}, openDisk: async () => ({ layers }), imagePath: async (x) => x });
    await guests.recover();
    console.log(JSON.stringify(await guests.start(${JSON.stringify(spec)})));
    setInterval(() => {}, 1000);`;
  await mkdir(join(host.dir, 'x'));
  const child = start(process.execPath, ['--input-type=module', '--no-warnings', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.after(() => child.kill('SIGKILL'));
  const line = await new Promise<string>((resolve) => child.stdout?.once('data', (data) => resolve(String(data))));
  const info = JSON.parse(line) as GuestInfo;
  child.kill('SIGKILL');
  await new Promise((r) => child.once('exit', r));
  assert.ok(exists(info));
  await host.restart();
  assert.deepEqual(await host.guests.info(spec.guestId), info);
  await host.printed(spec.guestId, /\.\.\./);
});
