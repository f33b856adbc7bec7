import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { chmod, mkdir, readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { HostEvent } from '../interface/agent.ts';
import type { GuestInfo, GuestState } from '../interface/guests.ts';
import { bootKernel } from './boot-sector.fixture.ts';
import { QemuGuests } from './guests.ts';
import { probeKvm } from './kvm-probe.ts';
import { noQemu, smallSpec, TestHost, virtioDisk } from './qemu.fixture.ts';

const real = { skip: noQemu, concurrency: false } as const;
const is = (guestId: string, state: GuestState) => (event: HostEvent) => event.kind === 'guest' && event.guestId === guestId && event.state === state;
const exists = (pid: number | undefined): boolean =>
  pid !== undefined && existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
const pidOf = (info: GuestInfo): number => {
  assert.ok(info.pid);
  return info.pid;
};
const kind = (name: string) => (error: unknown) => isCairnError(error) && error.kind === name;
const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const before = performance.now();
  await work();
  return performance.now() - before;
};

test('a guest starts, and starting it again finds the first', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  assert.deepEqual(await host.guests.info(spec.guestId), { guestId: spec.guestId, state: 'absent' });
  const [first, same] = await Promise.all([host.guests.start(spec), host.guests.start(spec)]);
  assert.equal(first.state, 'running');
  assert.ok(exists(first.pid));
  assert.deepEqual(same, first);
  assert.deepEqual(await host.guests.start(spec), first);
  assert.deepEqual(await host.guests.list(), [first]);
  await host.printed(spec.guestId, /^hello\r\n/);
  assert.equal(host.events.length, 0);
});

test('a guest has no rights but its own', { ...real, skip: noQemu || (process.getuid?.() !== 0 && 'needs root') }, async (t) => {
  const host = await TestHost.make(t);
  const [a, b] = await Promise.all([host.guest('idle', { name: 'a,process=evil\n' }), host.guest('idle')]);
  const [one, other] = await Promise.all([host.guests.start(a), host.guests.start(b)]);
  const status = (info: GuestInfo): Record<string, string> =>
    Object.fromEntries(
      readFileSync(`/proc/${pidOf(info)}/status`, 'utf8')
        .split('\n')
        .map((line) => line.split(/:\s*/, 2) as [string, string]),
    );
  const [first, second] = [status(one), status(other)];
  assert.notEqual(first.Uid, second.Uid, 'guests share a user id');
  assert.equal(first.Gid, second.Gid);
  for (const facts of [first, second]) {
    assert.ok(!/\b0\b/.test(facts.Uid ?? '0'));
    assert.match(facts.CapEff ?? '', /^0+$/);
    assert.match(facts.CapBnd ?? '', /^0+$/);
    assert.equal(facts.NoNewPrivs, '1');
    assert.equal(facts.Seccomp, '2', 'no filter of system calls');
    assert.match(facts.Name ?? '', /^qemu-system/);
  }
  const [layer] = host.chains.get(a.disks[0]?.diskId ?? '') ?? [];
  assert.ok(layer && 'path' in layer);
  const own = await stat(layer.path);
  assert.equal(own.uid, Number(first.Uid?.split(/\s/)[0]));
  assert.equal(own.mode & 0o777, 0o600);
  // Its sockets are in a directory of its own, and the directory above is root's.
  const sockets = dirname(await host.guests.socketPath(a.guestId, 'serial'));
  assert.deepEqual([(await stat(sockets)).mode & 0o777, (await stat(sockets)).uid], [0o700, own.uid]);
  assert.equal((await stat(dirname(sockets))).uid, 0);
  // Once it is off, its disk is root's alone.
  await host.guests.shutDown(a.guestId, 0);
  assert.deepEqual([(await stat(layer.path)).uid, (await stat(layer.path)).mode & 0o777], [0, 0o600]);
});

test('where root has no other user to give guests, they run without its rights all the same', {
  ...real,
  skip: noQemu || (process.getuid?.() !== 0 && 'needs root'),
}, async (t) => {
  const host = await TestHost.make(t, { account: undefined });
  const spec = await host.guest('idle');
  const info = await host.guests.start(spec);
  const status = readFileSync(`/proc/${pidOf(info)}/status`, 'utf8');
  assert.match(status, /^CapEff:\s+0+$/m);
  assert.match(status, /^CapBnd:\s+0+$/m);
  assert.match(status, /^NoNewPrivs:\s+1$/m);
  await host.printed(spec.guestId, /hello/);
});

test('a guest is in control groups, where there are any, until it ends', real, async (t) => {
  const host = await TestHost.make(t);
  const { notes } = await host.guests.describe();
  if (notes.controlGroups.startsWith('none')) return t.skip(notes.controlGroups);
  const spec = await host.guest('idle', { vcpus: 2 });
  const info = await host.guests.start(spec);
  const groups = readFileSync(`/proc/${info.pid}/cgroup`, 'utf8')
    .split('\n')
    .filter((line) => line.endsWith(`/cairn-${host.options.name}/${spec.guestId}`));
  assert.ok(groups.length >= 1, readFileSync(`/proc/${info.pid}/cgroup`, 'utf8'));
  await host.guests.remove(spec.guestId);
  const left = readdirSync('/sys/fs/cgroup').flatMap((name) =>
    existsSync(join('/sys/fs/cgroup', name, `cairn-${host.options.name}`, spec.guestId)) ? [name] : [],
  );
  assert.deepEqual(left, []);
});

test('pause and unpause, each also twice', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('ticks');
  await host.guests.start(spec);
  await host.printed(spec.guestId, /\.\./);
  for (let i = 0; i < 2; i++) assert.equal((await host.guests.pause(spec.guestId)).state, 'paused');
  const still = await host.guests.consoleLog(spec.guestId);
  await new Promise((r) => setTimeout(r, 200));
  assert.equal(await host.guests.consoleLog(spec.guestId), still);
  for (let i = 0; i < 2; i++) assert.equal((await host.guests.unpause(spec.guestId)).state, 'running');
  await host.printed(spec.guestId, new RegExp(`\\.{${still.length}}`));
});

test('a guest that powers off is shut down, its process goes, and it is told', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('powers off');
  const info = await host.guests.start(spec);
  const event = await host.event(is(spec.guestId, 'shutdown'));
  assert.match(event.kind === 'guest' ? event.reason : '', /powered off/);
  assert.ok(!exists(info.pid));
  assert.deepEqual(await host.guests.info(spec.guestId), { guestId: spec.guestId, state: 'shutdown' });
  assert.match(await host.guests.consoleLog(spec.guestId), /hello/);
  // It can be started again, and does it again.
  host.events.length = 0;
  assert.equal((await host.guests.start(spec)).state, 'running');
  await host.event(is(spec.guestId, 'shutdown'));
});

test('a guest that panics has crashed', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('panics');
  const info = await host.guests.start(spec);
  await host.event(is(spec.guestId, 'crashed'));
  assert.ok(!exists(info.pid));
});

test('a killed process is a crash, told within a second', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const info = await host.guests.start(spec);
  const took = await timed(async () => {
    process.kill(pidOf(info), 'SIGKILL');
    await host.event(is(spec.guestId, 'crashed'));
  });
  assert.ok(took < 1000, `${took} ms`);
  assert.equal(host.guests.openDisks.holder(spec.disks[0]?.diskId ?? ''), undefined);
  assert.equal((await host.guests.start(spec)).state, 'running');
});

test('a process that the host ends in order is no crash', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const info = await host.guests.start(spec);
  process.kill(pidOf(info), 'SIGTERM');
  await host.event(is(spec.guestId, 'shutdown'));
});

test('shutting down: by the button where the guest minds it, else after the grace, at once without', real, async (t) => {
  const host = await TestHost.make(t);
  const [polite, deaf] = await Promise.all([host.guest('minds the button'), host.guest('idle')]);
  await Promise.all([host.guests.start(polite), host.guests.start(deaf)]);
  await Promise.all([host.printed(polite.guestId, /hello/), host.printed(deaf.guestId, /hello/)]);
  assert.ok((await timed(() => host.guests.shutDown(polite.guestId, 60_000))) < 20_000);
  assert.equal((await host.guests.info(polite.guestId)).state, 'shutdown');
  assert.ok((await timed(() => host.guests.shutDown(deaf.guestId, 300))) >= 300);
  assert.equal((await host.guests.info(deaf.guestId)).state, 'shutdown');
  // Asked again, it is so already.
  assert.equal((await host.guests.shutDown(deaf.guestId, 60_000)).state, 'shutdown');
  await host.guests.start(deaf);
  assert.ok((await timed(() => host.guests.shutDown(deaf.guestId, 0))) < 5000);
  assert.equal(host.events.length, 0, 'what was asked for is no news');
});

test('removal does not wait for a grace that another gave', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const { pid } = await host.guests.start(spec);
  const stopping = host.guests.shutDown(spec.guestId, 60_000);
  await new Promise((r) => setTimeout(r, 50));
  const took = await timed(() => host.guests.remove(spec.guestId));
  assert.ok(took < 5000, `${took} ms`);
  await stopping.catch(() => {});
  assert.ok(!exists(pid));
});

test('removal leaves nothing, and tolerates absence', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const { pid } = await host.guests.start(spec);
  await host.guests.remove(spec.guestId);
  assert.ok(!exists(pid));
  assert.deepEqual(await readdir(join(host.options.dataDir, 'guests')), []);
  assert.deepEqual(await readdir(host.options.runDir), []);
  assert.equal((await host.guests.info(spec.guestId)).state, 'absent');
  assert.deepEqual(await host.guests.list(), []);
  await host.guests.remove(spec.guestId);
  await host.guests.remove(randomUUID());
  // Disks are not the hypervisor's.
  const [layer] = host.chains.get(spec.disks[0]?.diskId ?? '') ?? [];
  assert.ok(layer && 'path' in layer && existsSync(layer.path));
  for (const work of [
    host.guests.consoleLog(spec.guestId),
    host.guests.pause(spec.guestId),
    host.guests.shutDown(spec.guestId, 0),
    host.guests.diagnostics(spec.guestId),
  ])
    await assert.rejects(work, kind('NotFound'));
});

test('a soft reboot keeps the process; without an answer it becomes a reset', real, async (t) => {
  const host = await TestHost.make(t);
  const polite = await host.guest('minds the button');
  const first = await host.guests.start(polite);
  await host.printed(polite.guestId, /hello/);
  const again = await host.guests.rebootSoft(polite.guestId, 60_000);
  assert.deepEqual([again.state, again.pid], ['running', first.pid]);
  await host.printed(polite.guestId, /hello\r\n[^]*hello\r\n/);
  const deaf = await host.guest('idle');
  const other = await host.guests.start(deaf);
  await host.printed(deaf.guestId, /hello/);
  assert.equal((await host.guests.rebootSoft(deaf.guestId, 200)).pid, other.pid);
  await host.printed(deaf.guestId, /hello\r\n[^]*hello\r\n/);
  assert.equal(host.events.length, 0);
  // After it, powering off is by itself again.
  await host.guests.shutDown(deaf.guestId, 0);
  await assert.rejects(host.guests.rebootSoft(deaf.guestId, 1000), kind('Conflict'));
});

test('a hard reboot is another process, also of a guest that is off or was never here', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const first = await host.guests.rebootHard(spec);
  const second = await host.guests.rebootHard({ ...spec, memoryMb: 96 });
  assert.notEqual(first.pid, second.pid);
  assert.ok(!exists(first.pid) && exists(second.pid));
  assert.equal((await host.guests.diagnostics(spec.guestId)).memoryMb, 96);
  await host.guests.shutDown(spec.guestId, 0);
  assert.equal((await host.guests.rebootHard(spec)).state, 'running');
  assert.equal(host.events.length, 0);
});

test('suspended, a guest has no process; resumed, it goes on where it was', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('ticks');
  const { pid } = await host.guests.start(spec);
  const before = await host.printed(spec.guestId, /hello\r\n\.\.\./);
  assert.equal((await host.guests.suspend(spec.guestId)).state, 'suspended');
  assert.ok(!exists(pid));
  assert.deepEqual(await host.guests.suspend(spec.guestId), { guestId: spec.guestId, state: 'suspended' });
  await assert.rejects(host.guests.unpause(spec.guestId), kind('Conflict'));
  await assert.rejects(host.guests.resume({ ...spec, disks: [] }), kind('Conflict'));
  await host.restart();
  assert.equal((await host.guests.info(spec.guestId)).state, 'suspended');
  assert.equal((await host.guests.resume(spec)).state, 'running');
  const after = await host.printed(spec.guestId, new RegExp(`\\.{${before.length}}`));
  assert.equal(after.match(/hello/g)?.length, 1, 'it was booted anew');
  assert.equal((await host.guests.resume(spec)).state, 'running');
  assert.ok(!existsSync(join(host.options.dataDir, 'guests', spec.guestId, 'memory')));
});

test('a guest that cannot start leaves nothing behind and says why', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = smallSpec({ disks: [virtioDisk(randomUUID())] });
  await assert.rejects(host.guests.start(spec), kind('NotFound'));
  const tapless = smallSpec({ nics: [{ portId: 'p', mac: 'fa:16:3e:00:00:01', tap: 'cairn-no-such', mtu: 1500, model: 'virtio' }] });
  await assert.rejects(host.guests.start(tapless), kind('Unavailable'));
  await assert.rejects(
    host.guests.start(smallSpec({ memoryMb: 2 ** 33 })),
    (error) => isCairnError(error) && (error.kind === 'NoCapacity' || error.kind === 'Unavailable'),
  );
  await assert.rejects(host.guests.start(smallSpec({ cpuModel: 'no-such-cpu' })), kind('Unavailable'));
  assert.deepEqual(await host.guests.list(), []);
  assert.deepEqual(await readdir(join(host.options.dataDir, 'guests')), []);
  assert.equal(host.guests.openDisks.holder(spec.disks[0]?.diskId ?? ''), undefined);
  // One that ran before is as it was.
  const good = await host.guest('idle');
  await host.guests.start(good);
  await host.guests.shutDown(good.guestId, 0);
  await assert.rejects(host.guests.start({ ...good, cpuModel: 'no-such-cpu' }));
  assert.equal((await host.guests.info(good.guestId)).state, 'shutdown');
  assert.equal((await host.guests.start(good)).state, 'running');
});

test('a closed directory above the disks is named', { ...real, skip: noQemu || (process.getuid?.() !== 0 && 'needs root') }, async (t) => {
  const host = await TestHost.make(t);
  const closed = join(host.dir, 'closed');
  await mkdir(closed, { mode: 0o700 });
  host.chains.set('hidden', [{ format: 'raw', path: join(closed, 'disk.raw') }]);
  await assert.rejects(
    host.guests.start(smallSpec({ disks: [virtioDisk('hidden')] })),
    (error) => isCairnError(error, 'Unavailable') && error.message.includes(closed),
  );
});

test('every bus, kind and machine type starts', real, async (t) => {
  const host = await TestHost.make(t);
  const files = await host.file('files.iso', Buffer.alloc(2 ** 20));
  host.chains.set('cd', [{ format: 'raw', path: files }]);
  for (const machine of ['q35', 'pc'] as const) {
    const [a, b, c, d, e] = await Promise.all([host.disk(), host.disk('raw'), host.disk(), host.disk(), host.disk()]);
    const spec = smallSpec({
      machine,
      disks: [
        virtioDisk(a, 'vda', { bootIndex: 0 }),
        virtioDisk(b, 'sda', { bus: 'scsi' }),
        virtioDisk(c, 'sdb', { bus: 'sata' }),
        virtioDisk(d, 'sdc', { bus: 'usb' }),
        virtioDisk(e, 'hda', { bus: 'ide' }),
        { diskId: 'cd', device: 'hdb', bus: 'ide', kind: 'cdrom', readOnly: true, bootIndex: 1 },
      ],
    });
    assert.equal((await host.guests.start(spec)).state, 'running', machine);
    const { disks } = await host.guests.diagnostics(spec.guestId);
    assert.deepEqual(
      disks.map((disk) => disk.device),
      ['vda', 'sda', 'sdb', 'sdc', 'hda', 'hdb'],
    );
    await host.guests.interrupt(spec.guestId);
    await host.guests.remove(spec.guestId);
  }
});

test('a kernel is booted directly, before any disk', real, async (t) => {
  const host = await TestHost.make(t);
  // A "kernel" of one sector's program: its setup code is run in real mode at 0x9020:0 (the PC boot protocol).
  const kernel = await host.file('kernel', bootKernel('it booted'));
  const spec = await host.guest('idle', { kernel: { imageId: kernel, commandLine: 'a=b "c,d" $x' } }, 'the disk booted');
  await host.guests.start(spec);
  const log = await host.printed(spec.guestId, /booted/);
  assert.match(log, /it booted a=b "c,d" \$x/);
});

test('the display answers on its socket, and so does the serial console', real, async (t) => {
  const { connect } = await import('node:net');
  const host = await TestHost.make(t);
  const spec = await host.guest('ticks');
  await host.guests.start(spec);
  const firstBytes = (path: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect(path);
      socket.once('data', (data) => {
        socket.destroy();
        resolve(data.toString('latin1'));
      });
      socket.once('error', reject);
    });
  assert.match(await firstBytes(await host.guests.socketPath(spec.guestId, 'vnc')), /^RFB /);
  assert.match(await firstBytes(await host.guests.socketPath(spec.guestId, 'serial')), /[.h]/);
});

test('a guest whose disk is full is paused and told, and can go on', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('writes');
  const diskId = spec.disks[0]?.diskId ?? '';
  const [layer] = host.chains.get(diskId) ?? [];
  assert.ok(layer && 'path' in layer);
  await chmod(layer.path, 0o666);
  // The first write finds no room (errno 28), later ones do.
  const injectError = [{ event: 'write_aio', errno: 28, once: true, immediately: true }];
  host.chains.set(diskId, [{ format: 'raw', protocol: { driver: 'blkdebug', image: { driver: 'file', filename: layer.path }, 'inject-error': injectError } }]);
  await host.guests.start(spec);
  const event = await host.event((e) => e.kind === 'guest' && e.state === 'paused');
  assert.match(event.kind === 'guest' ? event.reason : '', /disk/);
  assert.ok(host.events.some((e) => e.kind === 'trouble' && e.subject.includes(spec.guestId)));
  assert.equal((await host.guests.info(spec.guestId)).state, 'paused');
  assert.equal((await host.guests.unpause(spec.guestId)).state, 'running');
  await host.printed(spec.guestId, /\.\.\./);
});

test('diagnostics count what the guest did', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('writes');
  await host.guests.start(spec);
  await host.printed(spec.guestId, /\.{3}/);
  const { state, cpuTimeNs, memoryMb, memoryUsedMb, disks } = await host.guests.diagnostics(spec.guestId);
  assert.equal(state, 'running');
  assert.ok(cpuTimeNs > 1_000_000 && memoryUsedMb > 10 && memoryMb === 64);
  const [disk] = disks;
  assert.ok(disk && disk.readBytes >= 512 && disk.writeRequests >= 3 && disk.writeBytes >= 3 * 512 && disk.errors === 0, JSON.stringify(disk));
});

test('uefi without firmware is an error that says what to install', real, async (t) => {
  const host = await TestHost.make(t);
  const { notes } = await host.guests.describe();
  if (notes.uefi.startsWith('/')) return t.skip('firmware is installed');
  await assert.rejects(host.guests.start(smallSpec({ firmware: 'uefi' })), (error) => isCairnError(error, 'Unavailable') && /ovmf/.test(error.message));
});

test('uefi: each guest has variables of its own', real, async (t) => {
  const dir = process.env.CAIRN_TEST_FIRMWARE;
  const host = await TestHost.make(t, dir === undefined ? {} : { firmwareDirs: [dir] });
  const { notes } = await host.guests.describe();
  if (!notes.uefi.startsWith('/')) return t.skip('needs the package ovmf, or CAIRN_TEST_FIRMWARE');
  const spec = smallSpec({ firmware: 'uefi', memoryMb: 128 });
  assert.equal((await host.guests.start(spec)).state, 'running');
  assert.ok((await stat(join(host.options.dataDir, 'guests', spec.guestId, 'firmware.vars'))).size > 0);
});

test('the host is described', real, async (t) => {
  const host = await TestHost.make(t);
  const facts = await host.guests.describe();
  assert.ok(facts.hypervisorVersion >= 6_002_000 && facts.vcpus >= 1 && facts.memoryMb > 100 && facts.memoryUsedMb > 0 && facts.memoryUsedMb < facts.memoryMb);
  assert.equal(facts.hypervisorType, 'QEMU');
  assert.ok(facts.traits.includes('COMPUTE_NODE') && facts.traits.some((trait) => trait.startsWith('HW_CPU_X86_SSE')));
});

test('KVM is judged by trial, and the judgement is kept', { ...real, skip: noQemu || (existsSync('/dev/kvm') ? false : 'needs /dev/kvm') }, async (t) => {
  const { accelerator: _, ...options } = (await TestHost.make(t)).options;
  const dataDir = join(options.dataDir, 'other');
  const first = await new QemuGuests({ ...options, dataDir }).describe();
  assert.ok(first.accelerator === 'kvm' ? /64-bit/.test(first.notes.kvm) : /hung|failed|come through|opened/.test(first.notes.kvm), first.notes.kvm);
  assert.ok((await timed(() => new QemuGuests({ ...options, dataDir }).describe())) < 500);
});

test('the probe proves what works', real, async (t) => {
  const host = await TestHost.make(t);
  assert.deepEqual(await probeKvm('qemu-system-x86_64', host.dir, undefined, 'tcg'), { usable: true, why: 'a probe guest reached 64-bit mode' });
});
