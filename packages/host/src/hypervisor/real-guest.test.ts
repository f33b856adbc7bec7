import assert from 'node:assert/strict';
import { chmod, copyFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { run } from '../process/run.ts';
import { GuestConsole } from './guest-console.fixture.ts';
import { noNetns, TestHost, TestNetwork, virtioDisk } from './qemu.fixture.ts';

/** A qcow2 image of a small Linux with a login on its serial console (user cirros, password gocubsgo): `cairn image build` makes one. */
const image = process.env.CAIRN_TEST_IMAGE;

test('a Linux guest: boot, plug and unplug, reboot both ways, suspend, snapshot, power off', {
  skip: noNetns || (image ? false : 'needs CAIRN_TEST_IMAGE'),
}, async (t) => {
  const network = await TestNetwork.make(t);
  const host = await TestHost.make(t, { netns: network.netns });
  const took: string[] = [];
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const before = performance.now();
    const result = await work();
    took.push(`${what} ${(performance.now() - before).toFixed(0)} ms`);
    return result;
  };
  const base = join(host.dir, 'image.qcow2');
  await copyFile(image ?? '', base);
  await chmod(base, 0o600);
  const root = join(host.dir, 'root.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', base, '-F', 'qcow2', root, '1G']);
  host.chains.set('root', [
    { format: 'qcow2', path: root },
    { format: 'qcow2', path: base },
  ]);
  const spec = { ...(await host.guest('idle')), memoryMb: 128, disks: [virtioDisk('root', 'vda', { bootIndex: 0 })], nics: [await network.nic()] };
  const { guestId } = spec;

  const console = new GuestConsole(host.guests, guestId);
  const says = console.says.bind(console);
  const shell = console.shell.bind(console);

  await timed('start', () => host.guests.start(spec));
  await timed('login prompt', () => says(/login: /));
  await console.logIn();
  const volume = await host.disk('qcow2', 64);
  await timed('attach disk', () => host.guests.attachDisk(guestId, virtioDisk(volume, 'vdb')));
  await timed('disk in the guest', () =>
    shell(
      'for i in 1 2 3 4 5 6 7 8 9; do [ -b /dev/vdb ] && break; sleep 1; done; echo "size $(cat /sys/block/vdb/size) $(cat /sys/block/vdb/serial)"',
      new RegExp(`size 131072 ${volume.slice(0, 20)}`),
    ),
  );
  await host.guests.openDisks.resize(volume, 128 * 2 ** 20);
  await shell('sleep 1; echo "size $(cat /sys/block/vdb/size)"', /size 262144/);
  await timed('detach disk', () => host.guests.detachDisk(guestId, volume, 30_000));
  await shell('echo "gone: $([ -b /dev/vdb ] || echo yes)"', /gone: yes/);
  const nic = await network.nic();
  await timed('attach NIC', () => host.guests.attachNic(guestId, nic));
  await timed('NIC in the guest', () =>
    shell(
      'for i in 1 2 3 4 5 6 7 8 9; do [ -e /sys/class/net/eth1 ] && break; sleep 1; done; echo "mac $(cat /sys/class/net/eth1/address)"',
      new RegExp(`mac ${nic.mac}`),
    ),
  );
  await timed('detach NIC', () => host.guests.detachNic(guestId, nic.portId, 30_000));
  await shell('echo persistent | sudo tee /root/mark; sync; echo "done $((1+1))"', /done 2/);
  const overlay = join(host.dir, 'root-2.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', root, '-F', 'qcow2', overlay, '1G']);
  await timed('snapshot', () => host.guests.openDisks.snapshotTo('root', { format: 'qcow2', path: overlay }));
  const copy = join(host.dir, 'copy.qcow2');
  await run('qemu-img', ['create', '-q', '-f', 'qcow2', copy, '1G']);
  await timed('live copy', () => host.guests.openDisks.backupTo('root', { format: 'qcow2', path: copy }, { compress: true }));
  await run('qemu-img', ['check', '-q', '-f', 'qcow2', copy]);
  took.push(`copy ${((await stat(copy)).size / 2 ** 20).toFixed(1)} MiB`);
  await shell('X=kept; echo "set"', /set/);
  await timed('suspend', () => host.guests.suspend(guestId));
  took.push(`memory ${((await stat(join(host.options.dataDir, 'guests', guestId, 'memory'))).size / 2 ** 20).toFixed(0)} MiB`);
  host.chains.set('root', [{ format: 'qcow2', path: overlay }, ...(host.chains.get('root') ?? [])]);
  await timed('resume', () => host.guests.resume(spec));
  await shell('echo "variable $X"', /variable kept/);
  let from = await console.length();
  await timed('soft reboot', () => host.guests.rebootSoft(guestId, 60_000));
  await says(/login: /, from);
  await timed('hard reboot', () => host.guests.rebootHard(spec));
  await says(/login: /);
  await console.logIn();
  await shell('sudo cat /root/mark', /persistent\r\n/);
  const { memoryUsedMb, nics, disks } = await host.guests.diagnostics(guestId);
  assert.ok((disks[0]?.readBytes ?? 0) > 2 ** 20 && (nics[0]?.txPackets ?? 0) > 0);
  took.push(`resident ${memoryUsedMb} MiB`);
  from = await console.length();
  await timed('power off', () => host.guests.shutDown(guestId, 60_000));
  assert.match((await host.guests.consoleLog(guestId)).slice(from), /reboot: Power down|System halted|The system is going down/);
  await host.guests.start(spec);
  await timed('remove', () => host.guests.remove(guestId));
  assert.deepEqual(host.events, []);
  t.diagnostic(took.join('; '));
});
