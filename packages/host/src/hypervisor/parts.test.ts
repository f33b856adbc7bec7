import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import type { GuestSpec } from '../interface/guests.ts';
import { mapped } from './account.ts';
import { openControlGroups, parseOwn, settings } from './cgroups.ts';
import { CONSOLE_BYTES, lastLines, readConsole, trimLogs } from './console-log.ts';
import { cpuTraits, parseCpuinfo } from './describe.ts';
import { featureName, parseAnswers } from './inventory.ts';
import { probeRom } from './kvm-probe.ts';
import { KeyedMutex, Mutex } from './mutex.ts';
import { findByArgument, identify, isAlive } from './process-identity.ts';
import { GuestFiles, makeDirs, readRecord, RUN_DIR_BYTES, writeRecord, type GuestRecord } from './record.ts';
import { checkSpec } from './spec.ts';

const guestId = '11111111-2222-3333-4444-555555555555';
const spec: GuestSpec = { guestId, name: 'n', vcpus: 1, memoryMb: 64, firmware: 'bios', disks: [], nics: [] };

test('specs that QEMU could misread are refused before anything happens', () => {
  const disk = { diskId: 'd', device: 'vda', bus: 'virtio', kind: 'disk' } as const;
  const nic = { portId: 'p', mac: 'fa:16:3e:00:00:01', tap: 'tap1', mtu: 1500, model: 'virtio' } as const;
  checkSpec({ ...spec, disks: [disk], nics: [nic] });
  const bad: Partial<GuestSpec>[] = [
    { guestId: '../../etc' },
    { vcpus: 0 },
    { vcpus: 1.5 },
    { memoryMb: -1 },
    { cpuModel: 'max,+vmx' },
    { cpuModel: '' },
    { disks: [{ ...disk, device: 'vda,x=1' }] },
    { disks: [disk, { ...disk, diskId: 'e' }] },
    { disks: [disk, { ...disk, device: 'vdb' }] },
    {
      disks: [
        { ...disk, bootIndex: 0 },
        { ...disk, diskId: 'e', device: 'vdb', bootIndex: 0 },
      ],
    },
    { disks: [{ ...disk, serial: 'a\nb' }] },
    { nics: [{ ...nic, tap: 'tap1,script=/x' }] },
    { nics: [{ ...nic, mac: 'fa:16' }] },
    { nics: [nic, { ...nic, portId: 'q' }] },
    { kernel: { imageId: 'k', commandLine: 'a\nb' } },
    { kernel: { imageId: 'k', commandLine: 'x'.repeat(5000) } },
  ];
  for (const change of bad)
    assert.throws(
      () => checkSpec({ ...spec, ...change }),
      (e) => isCairnError(e, 'InvalidInput'),
      JSON.stringify(change),
    );
});

test('the last lines of a console', () => {
  assert.equal(lastLines('a\nb\nc\n', 2), 'c\n');
  assert.equal(lastLines('a\nb\nlogin: ', 1), 'login: ');
  assert.equal(lastLines('a\nb\nlogin: ', 2), 'b\nlogin: ');
  assert.equal(lastLines('a\nb', 10), 'a\nb');
  assert.equal(lastLines('\n\n\n', 2), '\n');
  assert.equal(lastLines('a\n', 0), '');
  assert.equal(lastLines('', 3), '');
});

test('a console log that has grown is cut to its end, and reads as if it had not been', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-log-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const files = new GuestFiles(dir, dir, guestId);
  await makeDirs(files);
  const lines = Array.from({ length: 200_000 }, (_, i) => `line ${i}\n`).join('');
  await writeFile(files.consoleLog, lines);
  await writeFile(files.qemuLog, 'x'.repeat(300_000));
  await trimLogs(files);
  assert.equal((await readFile(files.consoleLog)).length, 0);
  assert.equal((await readFile(files.qemuLog)).length, 0);
  await writeFile(files.consoleLog, 'after\n', { flag: 'a' });
  assert.equal(await readConsole(files, 2), 'after\n');
  const all = await readConsole(files);
  assert.equal(all.length, CONSOLE_BYTES);
  assert.ok(all.endsWith('line 199999\nafter\n'));
  // Cut again, nothing of what is kept is lost.
  await writeFile(files.consoleLog, lines, { flag: 'a' });
  await trimLogs(files);
  assert.ok((await readConsole(files)).endsWith('line 199999\n'));
});

test('bytes that are no UTF-8 become U+FFFD', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-log-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const files = new GuestFiles(dir, dir, guestId);
  await makeDirs(files);
  await writeFile(files.consoleLog, Buffer.from([0x61, 0xff, 0xc3, 0x28, 0x0a]));
  assert.equal(await readConsole(files), 'a\ufffd\ufffd(\n');
});

test('a record is replaced whole, and a damaged one is none', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'cairn-rec-'));
  t.after(() => rm(dir, { recursive: true, force: true }));
  const files = new GuestFiles(dir, dir, guestId);
  await makeDirs(files);
  const record: GuestRecord = {
    version: 1,
    spec,
    state: 'running',
    reason: '',
    slots: {},
    ports: 8,
    places: {},
    layers: {},
    machineType: 'pc-q35-7.2',
    accelerator: 'tcg',
    cpuModel: 'max',
  };
  await writeRecord(files, record);
  assert.deepEqual(await readRecord(files), record);
  await writeFile(files.record, '{"version": 1, "sp');
  assert.equal(await readRecord(files), undefined);
  assert.equal(await readRecord(new GuestFiles(dir, dir, 'other')), undefined);
});

test('the longest run directory still gives sockets that the kernel takes', () => {
  const files = new GuestFiles('/d', `/${'r'.repeat(RUN_DIR_BYTES - 1)}`, guestId);
  for (const path of [files.qmpSocket, files.serialSocket, files.vncSocket, files.agentSocket, files.memorySocket, files.incomingSocket])
    assert.ok(Buffer.byteLength(path) <= 107, path);
});

test('a process is known by more than its number', async () => {
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  const marker = `cairn-marker-${process.pid}`;
  const marked = spawn('sh', ['-c', 'sleep 60; :', marker], { stdio: 'ignore' });
  try {
    const identity = identify(child.pid ?? 0);
    assert.ok(identity && isAlive(identity));
    assert.equal(isAlive({ ...identity, startTicks: identity.startTicks - 1 }), false);
    assert.equal(isAlive({ ...identity, bootId: 'another boot' }), false);
    assert.equal(identify(2 ** 30), undefined);
    assert.deepEqual(
      (await findByArgument(marker)).map((p) => p.pid),
      [marked.pid],
    );
    assert.deepEqual(await findByArgument(marker, 4_000_000_000), []);
    child.kill('SIGKILL');
    await new Promise((r) => child.once('exit', r));
    assert.equal(isAlive(identity), false);
  } finally {
    child.kill('SIGKILL');
    marked.kill('SIGKILL');
  }
});

test('a mutex runs one after the other, failures included; a keyed one per key', async () => {
  const order: string[] = [];
  const step =
    (name: string, ms: number, fail = false) =>
    async () => {
      order.push(`${name}+`);
      await new Promise((r) => setTimeout(r, ms));
      order.push(`${name}-`);
      if (fail) throw new Error(name);
      return name;
    };
  const mutex = new Mutex();
  const results = await Promise.allSettled([mutex.run(step('a', 20, true)), mutex.run(step('b', 1))]);
  assert.deepEqual(
    results.map((r) => r.status),
    ['rejected', 'fulfilled'],
  );
  assert.deepEqual(order, ['a+', 'a-', 'b+', 'b-']);
  order.length = 0;
  const keyed = new KeyedMutex();
  await Promise.all([keyed.run('x', step('a', 20)), keyed.run('y', step('b', 1)), keyed.run('x', step('c', 1))]);
  assert.deepEqual(order, ['a+', 'b+', 'b-', 'a-', 'c+', 'c-']);
});

test('work that gives up waiting for its turn is never begun, and does not hold up who comes after', async () => {
  const keyed = new KeyedMutex();
  let finish: () => void = () => {};
  const first = keyed.run('x', () => new Promise<void>((r) => (finish = r)));
  let begun = false;
  await assert.rejects(
    keyed.runUnless('x', Promise.reject(new Error('enough')), async () => {
      begun = true;
    }),
    /enough/,
  );
  const third = keyed.run('x', async () => 'third');
  finish();
  await first;
  assert.equal(await third, 'third');
  assert.equal(begun, false);
});

test("QEMU's answers give its version as nova counts it", () => {
  const output =
    '{"QMP": {}}\n{"return": {}}\n{"return": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "id": "version"}\n{"return": {"model": {"props": {"avx": true, "vmx": false, "level": 13}}}, "id": "cpu"}\n';
  assert.deepEqual(parseAnswers(output, true), { version: '7.2.22', major: 7, minor: 2, versionNumber: 7_002_022, seccomp: true, guestCpuFeatures: ['avx'] });
});

test("a host's CPUs, from what the kernel says", () => {
  const cpu = (n: number, socket: number, core: number): string =>
    `processor\t: ${n}\nvendor_id\t: GenuineIntel\nmodel name\t: A CPU\nphysical id\t: ${socket}\ncore id\t\t: ${core}\nflags\t\t: fpu pni sse4_1 avx512_vnni avx512_vpopcntdq sha_ni avx2\n`;
  const text = [cpu(0, 0, 0), cpu(1, 0, 1), cpu(2, 1, 0), cpu(3, 1, 1), cpu(4, 0, 0), cpu(5, 0, 1), cpu(6, 1, 0), cpu(7, 1, 1)].join('\n');
  const facts = parseCpuinfo(text);
  assert.deepEqual(
    { ...facts, features: undefined },
    { vcpus: 8, vendor: 'GenuineIntel', model: 'A CPU', sockets: 2, cores: 2, threads: 2, features: undefined },
  );
  assert.deepEqual(cpuTraits(facts.features), [
    'HW_CPU_X86_AVX2',
    'HW_CPU_X86_AVX512VPOPCNTDQ',
    'HW_CPU_X86_AVX512VNNI',
    'HW_CPU_X86_SHA',
    'HW_CPU_X86_SSE3',
    'HW_CPU_X86_SSE41',
  ]);
  assert.equal(featureName('amx_tile'), 'amx-tile');
});

test("ids exist where the namespace's map has all of them", () => {
  assert.ok(mapped('         0          0 4294967295\n', 0x7000_0001, 65_000));
  assert.ok(!mapped('         0     100000      65536\n', 0x7000_0001, 65_000));
  assert.ok(mapped('         0     100000      65536\n', 65_534, 1));
  assert.ok(!mapped('', 65_534, 1));
});

test("the KVM probe's ROM begins at the reset vector", () => {
  const rom = probeRom();
  assert.equal(rom.length, 65_536);
  assert.equal(rom.subarray(0xfff0, 0xfff5).toString('hex'), 'ea000000f0');
});

test('limits grow with the guest, within what the kernel takes', () => {
  const limits = { vcpus: 4, memoryBytes: 2 ** 30, maxTasks: 100 };
  const written = (v2: boolean, vcpus = 4): Record<string, string> => Object.fromEntries(settings({ ...limits, vcpus }, v2).map((s) => [s.file, s.value]));
  assert.deepEqual(written(true), { 'cpu.weight': '400', 'cpu.max': '500000 100000', 'memory.max': '1073741824', 'pids.max': '100' });
  assert.deepEqual(written(false), {
    'cpu.shares': '4096',
    'cpu.cfs_period_us': '100000',
    'cpu.cfs_quota_us': '500000',
    'memory.limit_in_bytes': '1073741824',
    'pids.max': '100',
  });
  assert.equal(written(true, 255)['cpu.weight'], '10000');
});

test('where no control groups can be made, guests run without, and it is said', async () => {
  const none = await openControlGroups('x', '/nowhere/at/all');
  assert.match(none.description, /^none: /);
  await none.confine(guestId, process.pid, { vcpus: 1, memoryBytes: 1, maxTasks: 1 });
  await none.release(guestId);
  await none.destroy();
});

test("cgroup v1: Cairn's own group per controller", () => {
  const own = parseOwn('9:name=systemd:/\n4:memory:/a/b:c\n1:cpu,cpuacct:/x\n0::/\n');
  assert.equal(own.get('memory'), '/a/b:c');
  assert.equal(own.get('cpuacct'), '/x');
  assert.equal(own.get(''), '/');
});
