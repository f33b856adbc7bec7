import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { type GuestImage, buildGuestImage } from '../guest-image/build.ts';
import { run } from '../process/run.ts';
import { noTemplates } from '../templates/templates.fixture.ts';
import { GuestConsole } from './guest-console.fixture.ts';
import { TestHost, TestNetwork, virtioDisk } from './qemu.fixture.ts';

// A guest that boots hears no request to let a device go: its firmware knows none, and its kernel throws away what came before it listens.
const skip = await noTemplates();
/** From the firmware's first instructions to where the kernel has found its devices and looks for its disks. */
const MOMENTS_MS = [0, 700, 1500, 2500];
/** As long as nova waits (sagas/on-host.ts). */
const WAIT_MS = 160_000;

let dir = '';
let image: GuestImage;
before(async () => {
  if (skip) return;
  dir = await mkdtemp(join(tmpdir(), 'cairn-unplug-'));
  await chmod(dir, 0o711);
  image = await buildGuestImage({ outDir: join(dir, 'image') });
});
after(() => rm(dir, { recursive: true, force: true }));

test('a device that is asked for while the guest boots is let go, whenever that is', { skip }, async (t) => {
  const network = await TestNetwork.make(t);
  const host = await TestHost.make(t, { netns: network.netns });

  const tryAt = async (atMs: number): Promise<string> => {
    const rootId = `root-${atMs}`;
    const root = join(host.dir, `${rootId}.qcow2`);
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-b', image.path, '-F', 'qcow2', root, '1G']);
    host.chains.set(rootId, [
      { format: 'qcow2', path: root },
      { format: 'qcow2', path: image.path },
    ]);
    const [there, late] = [await host.disk(), await host.disk()];
    const [first, second, third] = [await network.nic(), await network.nic(), await network.nic()];
    const disks = [virtioDisk(rootId, 'vda', { bootIndex: 0 }), virtioDisk(there, 'vdb')];
    const spec = { ...(await host.guest('idle')), memoryMb: 128, disks, nics: [first, second] };
    const { guestId } = spec;
    const { guests } = host;
    const beganMs = performance.now();
    await guests.start(spec);
    // some devices are there from the start, others come while it boots
    await Promise.all([guests.attachDisk(guestId, virtioDisk(late, 'vdc')), guests.attachNic(guestId, third)]);
    await sleep(atMs);
    await Promise.all([
      guests.detachDisk(guestId, there, WAIT_MS),
      guests.detachDisk(guestId, late, WAIT_MS),
      guests.detachNic(guestId, second.portId, WAIT_MS),
      guests.detachNic(guestId, third.portId, WAIT_MS),
    ]);
    const tookMs = performance.now() - beganMs;
    const console = new GuestConsole(guests, guestId);
    await console.says(/login: /);
    await console.logIn();
    await console.shell('echo "disks: $(ls /sys/block | grep -c ^vd) cards: $(ls /sys/class/net | grep -c ^eth)"', /disks: 1 cards: 1/);
    // the places that they left take other devices
    await guests.attachDisk(guestId, virtioDisk(late, 'vdb'));
    await console.shell('until [ -b /dev/vdb ]; do sleep 0.2; done; echo "size $(cat /sys/block/vdb/size)"', /size 32768/);
    await guests.remove(guestId);
    return `asked at ${atMs} ms: all gone ${(tookMs / 1000).toFixed(1)} s after the start`;
  };

  const told: string[] = [];
  // two at a time: a machine has two processors at least
  for (let at = 0; at < MOMENTS_MS.length; at += 2) told.push(...(await Promise.all(MOMENTS_MS.slice(at, at + 2).map(tryAt))));
  t.diagnostic(told.join('; '));
  assert.deepEqual(host.events, []);
});
