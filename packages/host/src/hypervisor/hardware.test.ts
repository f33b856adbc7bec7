import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { GuestSpec } from '../interface/guests.ts';
import type { GuestHardware } from '../interface/hardware.ts';
import { findFirmware } from './firmware.ts';
import { parseCpuList } from './pinning.ts';
import { findSwtpm } from './tpm.ts';
import { GuestFiles, type GuestRecord, readRecord, writeRecord } from './record.ts';
import { isAlive } from './process-identity.ts';
import { noQemu, TestHost } from './qemu.fixture.ts';

const concurrency = 2;
const swtpm = await findSwtpm(process.env.CAIRN_TEST_SWTPM ?? 'swtpm');
const noTpm = noQemu || (swtpm === undefined ? 'needs swtpm (package swtpm), or CAIRN_TEST_SWTPM that names it' : false);
const firmwareDirs = process.env.CAIRN_TEST_FIRMWARE === undefined ? [] : [process.env.CAIRN_TEST_FIRMWARE];
const noSecureBoot = noQemu || ((await findFirmware(firmwareDirs, true)) === undefined ? 'needs OVMF with secure boot (package ovmf)' : false);

/** QEMU itself says whether it takes a machine: every kind of device here, in both machine types. */
const MACHINES: readonly (readonly [string, 'q35' | 'pc', GuestHardware])[] = [
  ['watchdog, limited randomness, tablet, sound', 'q35', { watchdog: 'reset', rngLimit: { bytes: 1_024, periodMs: 500 }, tablet: 'usb', sound: 'ich9' }],
  ['the same on pc', 'pc', { watchdog: 'poweroff', rngLimit: { bytes: 1_024, periodMs: 500 }, tablet: 'virtio', sound: 'ac97' }],
  ['display, SCSI and packed rings', 'q35', { video: { model: 'virtio' }, scsi: 'lsisas1068', packedRings: true, usb: 'qemu-xhci' }],
  ['another display', 'pc', { video: { model: 'cirrus', memoryMb: 16 }, sound: 'sb16', usb: 'nec-xhci', serialPorts: 3, bootMenu: true }],
  ['no display', 'q35', { video: { model: 'none' }, hpet: false, iommu: 'virtio', sound: 'es1370' }],
  ['Intel IOMMU', 'q35', { iommu: 'intel', hpet: true, sound: 'ich6' }],
  ['nothing told of the hypervisor', 'q35', { hidesHypervisor: true, pmu: false, video: { model: 'bochs' } }],
];

for (const [name, machine, hardware] of MACHINES) {
  test(`a machine with ${name} starts, and takes another disk while it runs`, { skip: noQemu, concurrency }, async (t) => {
    const host = await TestHost.make(t);
    const disks = [{ diskId: await host.disk(), device: 'sda', bus: 'scsi' as const, kind: 'disk' as const }];
    const spec = await host.guest('idle', { machine, hardware });
    await host.guests.start({ ...spec, disks: [...spec.disks, ...disks] });
    await host.printed(spec.guestId, /hello/);
    await host.guests.attachDisk(spec.guestId, { diskId: await host.disk(), device: 'vdb', bus: 'virtio', kind: 'disk' });
    assert.equal((await host.guests.info(spec.guestId)).state, 'running');
  });
}

test('sockets, cores and threads, and NUMA nodes of a guest', { skip: noQemu }, async (t) => {
  const host = await TestHost.make(t);
  const cell = (id: number, shared: number[]) => ({ id, hostNode: 0, shared, pins: {}, memoryMb: 32, pageSizeKb: null });
  const hardware: GuestHardware = {
    cpuTopology: { sockets: 1, cores: 2, threads: 2 },
    numa: { cells: [cell(0, [0, 1]), cell(1, [2, 3])], emulatorCpus: [] },
  };
  const spec = await host.guest('idle', { vcpus: 4, memoryMb: 64, hardware });
  const { pid } = await host.guests.start(spec);
  await host.printed(spec.guestId, /hello/);
  const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
  assert.ok(argv.includes('cpus=4,sockets=1,cores=2,threads=2'));
  assert.ok(argv.includes('node,nodeid=1,memdev=ram-node1,cpus=2,cpus=3'));
});

/** Which processors each thread of a process may use. */
const threadsOf = (pid: number): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(`/proc/${pid}/task`).map((tid) => [
      readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim(),
      /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync(`/proc/${pid}/task/${tid}/status`, 'utf8'))?.[1] ?? '',
    ]),
  );

test('a pinned processor runs where it was put, and guests without one stay away from there', {
  skip: noQemu || (availableParallelism() < 2 ? 'needs two processors' : false),
}, async (t) => {
  const allowed = parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '');
  const [shared, dedicated] = [allowed[0] as number, allowed.at(-1) as number];
  const host = await TestHost.make(t, { cpus: { dedicated: [dedicated], shared: undefined } });
  const facts = await host.guests.describe();
  assert.deepEqual(
    facts.numa?.flatMap((cell) => cell.dedicatedCpus),
    [dedicated],
  );
  const hardware: GuestHardware = {
    numa: { cells: [{ id: 0, hostNode: 0, shared: [1], pins: { '0': dedicated }, memoryMb: 64, pageSizeKb: null }], emulatorCpus: [] },
  };
  const pinned = await host.guest('idle', { vcpus: 2, hardware });
  const { pid = 0 } = await host.guests.start(pinned);
  assert.equal(threadsOf(pid).get('CPU 0/TCG') ?? threadsOf(pid).get('CPU 0/KVM'), String(dedicated));
  const floating = await host.guest('idle');
  const other = await host.guests.start(floating);
  for (const [thread, cpus] of threadsOf(other.pid ?? 0))
    assert.ok(!parseCpuList(cpus).includes(dedicated) && parseCpuList(cpus).includes(shared), `${thread} may use ${cpus}`);
});

const secret = 'ab'.repeat(32);

test('what encrypts the state of a TPM is not kept beside it', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'cairn-record-'));
  t.after(() => rmSync(dir, { recursive: true }));
  const files = new GuestFiles(dir, dir, randomUUID());
  mkdirSync(files.dir, { recursive: true });
  const spec = { guestId: randomUUID(), hardware: { tpm: { version: '2.0', model: 'tpm-crb', secret, state: 'c3RhdGU=' } } } as unknown as GuestSpec;
  await writeRecord(files, { version: 1, spec } as GuestRecord);
  assert.equal((await readRecord(files))?.spec.hardware?.tpm?.model, 'tpm-crb');
  for (const name of readdirSync(files.dir)) assert.ok(!readFileSync(join(files.dir, name), 'utf8').includes(secret));
});

test('a virtual TPM keeps its encrypted state over reboots, restarts of Cairn and the way to another host', { skip: noTpm }, async (t) => {
  const options = { swtpm: swtpm as string };
  const host = await TestHost.make(t, options);
  assert.ok((await host.guests.describe()).traits.includes('COMPUTE_SECURITY_TPM_2_0'));
  const tpm = { version: '2.0', model: 'tpm-crb', secret } as const;
  const spec = await host.guest('idle', { hardware: { tpm } });
  const files = new GuestFiles(host.options.dataDir, host.options.runDir, spec.guestId);
  const { pid } = await host.guests.start(spec);
  await host.printed(spec.guestId, /hello/);
  const state = `${files.tpmDir}/tpm2-00.permall`;
  const first = (await readRecord(files))?.tpm;
  assert.ok(first && isAlive(first));
  assert.ok(!readFileSync(`/proc/${first.pid}/cmdline`, 'utf8').includes(secret) && !readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(secret));
  if (host.options.account) assert.equal((await stat(state)).uid, (await readRecord(files))?.uid, 'the state is the guest’s user’s');
  const told = await host.guests.tpmState(spec.guestId);
  assert.ok(told);

  await host.restart();
  assert.ok(isAlive(first), 'it outlives Cairn, as its guest does');
  await host.guests.rebootHard(spec);
  const second = (await readRecord(files))?.tpm;
  assert.ok(second && second.pid !== first.pid && isAlive(second));
  for (const end = Date.now() + 10_000; isAlive(first) && Date.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 5));
  assert.ok(!isAlive(first), 'it ends with its QEMU');
  await host.guests.shutDown(spec.guestId, 0);
  const saved = (await host.guests.tpmState(spec.guestId)) as string;

  const other = await TestHost.make(t, options);
  const there = await other.guest('idle', { guestId: spec.guestId, hardware: { tpm: { ...tpm, state: saved } } });
  await other.guests.start(there);
  await other.printed(spec.guestId, /hello/);
  await other.guests.shutDown(spec.guestId, 0);
  // what another secret encrypted is no TPM's state
  await assert.rejects(other.guests.start({ ...there, hardware: { tpm: { ...tpm, secret: 'cd'.repeat(32) } } }), /cannot be started|could not be started/);
  const third = (await readRecord(new GuestFiles(other.options.dataDir, other.options.runDir, spec.guestId)))?.tpm;
  await other.guests.start(there);
  await other.guests.remove(spec.guestId);
  assert.ok(third === undefined || !isAlive(third));
  await assert.rejects(stat(`${other.options.dataDir}/guests/${spec.guestId}`));
});

test('a TPM 1.2 on pc', { skip: noTpm }, async (t) => {
  const host = await TestHost.make(t, { swtpm: swtpm as string });
  const spec = await host.guest('idle', { machine: 'pc', hardware: { tpm: { version: '1.2', model: 'tpm-tis', secret } } });
  await host.guests.start(spec);
  await host.printed(spec.guestId, /hello/);
});

test('a host without swtpm says so, and offers no TPM', { skip: noQemu }, async (t) => {
  const host = await TestHost.make(t, { swtpm: '/nowhere/swtpm' });
  assert.ok(!(await host.guests.describe()).traits.some((trait) => trait.includes('TPM')));
  const spec = await host.guest('idle', { hardware: { tpm: { version: '2.0', model: 'tpm-tis', secret } } });
  await assert.rejects(host.guests.start(spec), /Install the package swtpm/);
  assert.equal((await host.guests.info(spec.guestId)).state, 'absent');
});

test('secure boot: firmware that boots what is signed alone', { skip: noSecureBoot }, async (t) => {
  const host = await TestHost.make(t, { firmwareDirs });
  assert.ok((await host.guests.describe()).traits.includes('COMPUTE_SECURITY_UEFI_SECURE_BOOT'));
  const spec = await host.guest('idle', { firmware: 'uefi', memoryMb: 256, hardware: { secureBoot: true } });
  const { pid } = await host.guests.start(spec);
  const argv = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  assert.match(argv, /smm=on/);
  assert.match(argv, /property=secure,value=on/);
  assert.match(argv, /OVMF_CODE[^"]*(ms|secboot)[^"]*\.fd/);
  const stateless = await host.guest('idle', { firmware: 'uefi', memoryMb: 256, hardware: { statelessFirmware: true } });
  const other = await host.guests.start(stateless);
  assert.ok(!readFileSync(`/proc/${other.pid}/cmdline`, 'utf8').includes('pflash1'));
});
