import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { test } from 'node:test';
import { isCairnError } from '@cairn/kit/errors/errors';
import { run } from '../process/run.ts';
import { noNetns, noQemu, smallSpec, TestHost, TestNetwork, virtioDisk } from './qemu.fixture.ts';

const real = { skip: noQemu } as const;
const kind = (name: string) => (error: unknown) => isCairnError(error) && error.kind === name;

test('a disk is attached and detached while the guest runs, each also twice', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('lets devices go');
  await host.guests.start(spec);
  await host.printed(spec.guestId, /hello/);
  const diskId = await host.disk();
  const disk = virtioDisk(diskId, 'vdb');
  const devices = async (): Promise<readonly string[]> => (await host.guests.diagnostics(spec.guestId)).disks.map((d) => d.device);
  for (let round = 0; round < 3; round++) {
    await Promise.all([host.guests.attachDisk(spec.guestId, disk), host.guests.attachDisk(spec.guestId, disk)]);
    assert.deepEqual(await devices(), ['vda', 'vdb']);
    assert.equal(host.guests.openDisks.holder(diskId), spec.guestId);
    await Promise.all([host.guests.detachDisk(spec.guestId, diskId, 20_000), host.guests.detachDisk(spec.guestId, diskId, 20_000)]);
    assert.deepEqual(await devices(), ['vda']);
    assert.equal(host.guests.openDisks.holder(diskId), undefined);
    const [layer] = host.chains.get(diskId) ?? [];
    assert.ok(layer && 'path' in layer);
    if (process.getuid?.() === 0) assert.equal((await stat(layer.path)).uid, 0);
  }
});

test('what was attached is there after a hard reboot, in the same slot, and detaches', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('lets devices go');
  await host.guests.start(spec);
  const [b, c] = await Promise.all([host.disk(), host.disk()]);
  await host.guests.attachDisk(spec.guestId, virtioDisk(b, 'vdb'));
  await host.guests.attachDisk(spec.guestId, virtioDisk(c, 'vdc'));
  await host.guests.rebootHard({ ...spec, disks: [...spec.disks, virtioDisk(c, 'vdc')] });
  await host.printed(spec.guestId, /hello/);
  assert.equal(host.guests.openDisks.holder(b), undefined);
  await host.guests.detachDisk(spec.guestId, c, 20_000);
  assert.equal(host.guests.openDisks.holder(c), undefined);
});

test('a guest that does not let go keeps its disk, and whoever waited is told', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  await host.guests.start(spec);
  await host.printed(spec.guestId, /hello/);
  const diskId = await host.disk();
  await host.guests.attachDisk(spec.guestId, virtioDisk(diskId, 'vdb'));
  await assert.rejects(host.guests.detachDisk(spec.guestId, diskId, 200), (e) => isCairnError(e, 'Conflict') && /did not let go/.test(e.message));
  assert.equal(host.guests.openDisks.holder(diskId), spec.guestId);
  // Asked again while it still has not answered, it is the same.
  await assert.rejects(host.guests.detachDisk(spec.guestId, diskId, 200), kind('Conflict'));
  // A guest that is ended has let go.
  const waiting = host.guests.detachDisk(spec.guestId, diskId, 60_000);
  await new Promise((r) => setTimeout(r, 50));
  await host.guests.shutDown(spec.guestId, 0);
  await waiting;
  assert.equal(host.guests.openDisks.holder(diskId), undefined);
});

test('a disk that cannot be attached leaves nothing open', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  await host.guests.start(spec);
  await assert.rejects(host.guests.attachDisk(spec.guestId, virtioDisk(randomUUID(), 'vdb')), kind('NotFound'));
  const broken = randomUUID();
  host.chains.set(broken, [{ format: 'qcow2', path: await host.file('broken.qcow2', 'this is no qcow2') }]);
  await assert.rejects(host.guests.attachDisk(spec.guestId, virtioDisk(broken, 'vdb')), kind('Unavailable'));
  assert.equal(host.guests.openDisks.holder(broken), undefined);
  const good = await host.disk();
  await assert.rejects(host.guests.attachDisk(spec.guestId, virtioDisk(good, 'vda')), kind('Conflict'));
  await assert.rejects(host.guests.attachDisk(spec.guestId, virtioDisk(good, 'sda', { bus: 'sata' })), kind('Conflict'));
  await assert.rejects(host.guests.attachDisk(spec.guestId, virtioDisk(good, 'sda', { bus: 'scsi' })), kind('Conflict'));
  await host.guests.attachDisk(spec.guestId, virtioDisk(good, 'vdb'));
  assert.deepEqual(
    (await host.guests.diagnostics(spec.guestId)).disks.map((d) => d.device),
    ['vda', 'vdb'],
  );
});

test('no more devices than slots, and the slot of one that went is used again', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('lets devices go');
  await host.guests.start(spec);
  await host.printed(spec.guestId, /hello/);
  const letters = [...'bcdefghij'];
  const ids = await Promise.all(letters.map(() => host.disk('qcow2', 1)));
  const attach = (i: number): Promise<void> => host.guests.attachDisk(spec.guestId, virtioDisk(ids[i] ?? '', `vd${letters[i]}`));
  for (let i = 0; i < 8; i++) await attach(i);
  await assert.rejects(attach(8), (e) => isCairnError(e, 'Conflict') && /free slot/.test(e.message));
  await host.guests.detachDisk(spec.guestId, ids[3] ?? '', 20_000);
  await attach(8);
});

test('disks on scsi are plugged too, where the guest has a controller', real, async (t) => {
  const host = await TestHost.make(t);
  const [root, more] = await Promise.all([host.disk(), host.disk()]);
  const spec = smallSpec({ disks: [virtioDisk(root, 'sda', { bus: 'scsi' })] });
  await host.guests.start(spec);
  await host.guests.attachDisk(spec.guestId, virtioDisk(more, 'sdb', { bus: 'scsi' }));
  // SCSI devices go without the guest's consent.
  await host.guests.detachDisk(spec.guestId, more, 5000);
  assert.equal(host.guests.openDisks.holder(more), undefined);
});

test('plugging into a guest that is off changes nothing, and into a suspended one is refused', real, async (t) => {
  const host = await TestHost.make(t);
  const spec = await host.guest('idle');
  const diskId = await host.disk();
  await assert.rejects(host.guests.attachDisk(spec.guestId, virtioDisk(diskId, 'vdb')), kind('NotFound'));
  await host.guests.start(spec);
  await host.guests.suspend(spec.guestId);
  await assert.rejects(host.guests.attachDisk(spec.guestId, virtioDisk(diskId, 'vdb')), kind('Conflict'));
  await host.guests.shutDown(spec.guestId, 0);
  await host.guests.rebootHard(spec);
  await host.guests.shutDown(spec.guestId, 0);
  await host.guests.attachDisk(spec.guestId, virtioDisk(diskId, 'vdb'));
  await host.guests.detachDisk(spec.guestId, diskId, 1000);
  assert.equal(host.guests.openDisks.holder(diskId), undefined);
});

test('one raw disk is written by two guests', real, async (t) => {
  const host = await TestHost.make(t);
  const diskId = await host.disk('raw');
  const shared = virtioDisk(diskId, 'vdb', { shared: true });
  const [a, b] = await Promise.all([host.guest('idle'), host.guest('lets devices go')]);
  await host.guests.start({ ...a, disks: [...a.disks, shared] });
  await host.guests.start(b);
  await host.printed(b.guestId, /hello/);
  await host.guests.attachDisk(b.guestId, shared);
  assert.deepEqual([...host.guests.openDisks.holders(diskId)].toSorted(), [a.guestId, b.guestId].toSorted());
  await host.guests.openDisks.resize(diskId, 32 * 2 ** 20);
  await host.guests.detachDisk(b.guestId, diskId, 20_000);
  assert.deepEqual(host.guests.openDisks.holders(diskId), [a.guestId]);
});

test('a disk that is not shared is refused to a second guest, which gains no access to it', real, async (t) => {
  const host = await TestHost.make(t);
  const [a, b] = await Promise.all([host.guest('idle'), host.guest('idle')]);
  await Promise.all([host.guests.start(a), host.guests.start(b)]);
  const alone = await host.disk('raw');
  const [layer] = host.chains.get(alone) ?? [];
  assert.ok(layer && 'path' in layer);
  await host.guests.attachDisk(a.guestId, virtioDisk(alone, 'vdc'));
  const owner = (await stat(layer.path)).uid;
  await assert.rejects(host.guests.attachDisk(b.guestId, virtioDisk(alone, 'vdc')), kind('Conflict'));
  await assert.rejects(host.guests.rebootHard({ ...b, disks: [...b.disks, virtioDisk(alone, 'vdc')] }), kind('Conflict'));
  assert.deepEqual(host.guests.openDisks.holders(alone), [a.guestId]);
  assert.equal((await stat(layer.path)).uid, owner);
});

test('what many guests read stays readable when one of them lets go', real, async (t) => {
  const host = await TestHost.make(t);
  const base = await host.disk();
  const [file] = host.chains.get(base) ?? [];
  assert.ok(file && 'path' in file);
  const overlay = await host.overlay(file);
  host.chains.set('overlay', [overlay, file]);
  const cdrom = virtioDisk(base, 'vdb', { kind: 'cdrom', readOnly: true });
  const [a, b, c] = await Promise.all([host.guest('idle'), host.guest('idle'), host.guest('idle')]);
  await host.guests.start({ ...a, disks: [...a.disks, cdrom] });
  await host.guests.start({ ...b, disks: [...b.disks, cdrom] });
  await host.guests.remove(a.guestId);
  await host.guests.remove(b.guestId);
  await host.guests.start({ ...c, disks: [...c.disks, virtioDisk('overlay', 'vdb')] });
  if (process.getuid?.() === 0) assert.equal((await stat(file.path)).mode & 0o777, 0o640);
});

test('cards: at the start, plugged, unplugged, counted, on every model', { skip: noNetns }, async (t) => {
  const network = await TestNetwork.make(t);
  const host = await TestHost.make(t, { netns: network.netns });
  const spec = await host.guest('lets devices go', {
    nics: [await network.nic(), await network.nic({ model: 'e1000' }), await network.nic({ model: 'e1000e' }), await network.nic({ model: 'rtl8139' })],
  });
  await host.guests.start(spec);
  await host.printed(spec.guestId, /hello/);
  const nic = await network.nic();
  const macs = async (): Promise<readonly string[]> => (await host.guests.diagnostics(spec.guestId)).nics.map((n) => n.mac);
  for (let round = 0; round < 2; round++) {
    await host.guests.attachNic(spec.guestId, nic);
    await host.guests.attachNic(spec.guestId, nic);
    assert.deepEqual(await macs(), [...spec.nics.map((n) => n.mac), nic.mac]);
    await host.guests.detachNic(spec.guestId, nic.portId, 20_000);
    await host.guests.detachNic(spec.guestId, nic.portId, 20_000);
    assert.deepEqual(
      await macs(),
      spec.nics.map((n) => n.mac),
    );
  }
  await assert.rejects(host.guests.attachNic(spec.guestId, { ...nic, portId: randomUUID(), tap: 'cairn-none' }), kind('Unavailable'));
  assert.deepEqual(
    await macs(),
    spec.nics.map((n) => n.mac),
  );
  // What the host sends into the tap, the guest receives.
  const [first] = spec.nics;
  assert.ok(first);
  await run('ip', ['-n', network.netns, 'addr', 'add', '10.9.9.1/24', 'dev', first.tap]);
  await run('ping', ['-c', '1', '-W', '1', '10.9.9.2'], { netns: network.netns, okCodes: [1] });
  const [counted] = (await host.guests.diagnostics(spec.guestId)).nics;
  assert.ok(counted && counted.rxPackets > 0 && counted.txPackets === 0, JSON.stringify(counted));
});
