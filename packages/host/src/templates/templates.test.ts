import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { open, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { systemClock } from '@cairn/kit/clock/clock';
import { silentLog } from '@cairn/kit/log/log';
import { detectAccount } from '../hypervisor/account.ts';
import { QemuGuests } from '../hypervisor/guests.ts';
import { noQemu, TestHost, TestNetwork } from '../hypervisor/qemu.fixture.ts';
import type { GuestSpec } from '../interface/guests.ts';
import { SealedMemory } from './memory.ts';
import { noTemplates, TemplateHost } from './templates.fixture.ts';

const skip = await noTemplates();
/** Booting under emulation on a machine that has much else to do. */
const LONG = { skip, timeout: 1_200_000 };

test('guests start from a template, each with an identity and random numbers of its own, and are guests like any other', LONG, async (t) => {
  const network = await TestNetwork.make(t);
  const host = await TemplateHost.make(t, network.netns);
  const took: string[] = [];
  const timed = async <T>(what: string, work: () => Promise<T>): Promise<T> => {
    const before = performance.now();
    const result = await work();
    took.push(`${what} ${(performance.now() - before).toFixed(0)} ms`);
    return result;
  };
  t.after(() => t.diagnostic(took.join('; ')));

  // those who ask at the same time share one, and nobody sees its guest
  const [first, again] = await timed('template', () => Promise.all([host.prepared(), host.prepared()]));
  assert.deepEqual(first, again);
  assert.deepEqual(await host.guests.list(), []);
  const [info] = await host.templates.list();
  assert.deepEqual([info?.state, info?.imageId], ['ready', 'image-1']);
  took.push(`template takes ${((info?.usedBytes ?? 0) / 2 ** 20).toFixed(0)} MiB`);

  const [one, two] = (await Promise.all(['one', 'two'].map(async (name) => host.guest(name, first.disk, [await network.nic()])))) as [GuestSpec, GuestSpec];
  for (const spec of [one, two]) {
    const started = await timed('start', () => host.guests.start(spec, { templateId: first.templateId }));
    assert.deepEqual([started.state, started.fastStart], ['running', { used: true }]);
    await timed('itself', () => host.says(spec.guestId, new RegExp(`=== ${spec.name}: instance ${spec.guestId}, data from: config drive`)));
  }
  assert.equal((await host.guests.start(one, { templateId: first.templateId })).state, 'running', 'asked again it finds its guest');

  const seen: Record<string, Set<string>> = {};
  for (const spec of [one, two]) {
    const said = await host.shell(
      spec.guestId,
      [
        'echo "hostname=$(hostname)"',
        'echo "machine=$(cat /etc/machine-id)"',
        'echo "random=$(head -c 32 /dev/urandom | md5sum)"',
        'echo "boot=$(cat /proc/sys/kernel/random/boot_id)"',
        'echo "mac=$(cat /sys/class/net/eth0/address)"',
        'sudo dropbearkey -t ed25519 -f /run/k > /dev/null',
        'echo "key=$(sudo dropbearkey -y -f /run/k | grep ssh-ed)"',
        'echo "clock=$(date +%s)"',
        `df -m / | awk 'END { print "root=" $2 }'`,
      ].join('; '),
    );
    const facts = Object.fromEntries(said.split('\n').map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]));
    assert.equal(facts['hostname'], spec.name, said);
    assert.equal(facts['mac'], spec.nics[0]?.mac);
    assert.match(facts['machine'] ?? '', /^[0-9a-f]{32}$/);
    assert.match(facts['key'] ?? '', /^ssh-ed25519 /);
    assert.ok(Number(facts['root']) > 900, said);
    assert.ok(Math.abs(Number(facts['clock']) - Date.now() / 1000) < 300, said);
    for (const key of ['machine', 'random', 'boot', 'key']) (seen[key] ??= new Set()).add(facts[key] ?? '');
  }
  for (const [key, values] of Object.entries(seen)) assert.equal(values.size, 2, `${key} is the same in both`);
  took.push(`PSS ${(await Promise.all([one, two].map((spec) => host.pssMb(spec.guestId)))).map((mb) => mb.toFixed(0)).join(', ')} MiB`);

  // suspended and resumed, with all of its memory
  await host.shell(one.guestId, 'echo remembered > /run/mark; sudo sh -c "echo kept > /root/mark"; sync');
  await timed('suspend', () => host.guests.suspend(one.guestId));
  await timed('resume', () => host.guests.resume(one));
  assert.equal(await host.shell(one.guestId, 'cat /run/mark'), 'remembered');

  // found again after a restart of Cairn, with the template, which goes with its image; guests do not mind
  await host.templates.stop();
  await host.disks.stop();
  await host.guests.stop();
  await host.begin();
  assert.deepEqual((await host.guests.list()).map((guest) => guest.state).toSorted(), ['running', 'running']);
  assert.deepEqual(await host.prepared(), first);
  await host.templates.drop('image-1');
  assert.deepEqual(await host.templates.list(), []);
  assert.deepEqual(await readdir(join(host.dir, 'templates')), []);
  assert.equal(await host.shell(two.guestId, 'echo "I am $(hostname)"'), 'I am two');

  // moved while it runs, to a host that knows no template
  const account = await detectAccount();
  const elsewhere = await TestNetwork.make(t);
  for (const nic of two.nics) await elsewhere.nic(nic);
  const other = new QemuGuests({
    dataDir: join(host.dir, 'other'),
    runDir: join(host.dir, 'o'),
    name: `${host.dir.slice(-6)}o`,
    netns: elsewhere.netns,
    account: account && { ...account, firstUid: account.firstUid + 1000 },
    openDisk: (diskId) => host.disks.resolve(diskId),
    imagePath: (imageId) => host.disks.imageFile(imageId),
    clock: systemClock,
    log: silentLog,
    onEvent: () => {},
    accelerator: 'tcg',
  });
  await other.recover();
  t.after(() => other.destroy());
  await host.shell(two.guestId, 'echo taken along > /run/mark; sync');
  await other.receiveLive(two, await host.guests.layout(two.guestId), []);
  await timed('move', () => host.guests.sendLive(two.guestId, { mirror: [], channel: (which) => other.liveChannel(two.guestId, which) }));
  await host.guests.remove(two.guestId);
  await other.finishLive(two.guestId, true);
  const home = host.guests;
  host.guests = other;
  assert.equal(await host.shell(two.guestId, 'cat /run/mark; hostname'), 'taken along\ntwo');
  host.guests = home;

  // a hard reboot boots, from the disk that it has
  await host.guests.rebootHard(one);
  await host.says(one.guestId, /=== one: instance/);
  host.loggedOut(one.guestId);
  assert.equal(await host.shell(one.guestId, 'sudo cat /root/mark; cat /sys/class/virtio-ports/*/name'), 'kept\norg.qemu.guest_agent.0');
});

test('of an image that does not say that it can be kept no template is made, and its guest boots', LONG, async (t) => {
  const host = await TemplateHost.make(t, undefined, { readyMs: 2_000 });
  const asked = await host.templates.prepare(host.spec());
  assert.match(asked.templateId === undefined ? asked.reason : '', /did not say within/);
  assert.deepEqual(await readdir(join(host.dir, 'templates')), []);
  assert.deepEqual(await host.disks.list(), []);
  assert.deepEqual(await host.guests.list(), []);
  // it is not tried again at once
  const startedAt = performance.now();
  assert.deepEqual(await host.templates.prepare(host.spec()), asked);
  assert.ok(performance.now() - startedAt < 1_900, 'nobody waited for a guest');
  assert.deepEqual(
    (await host.templates.list()).map(({ state }) => state),
    ['refused'],
  );
  // what no template can be of
  const { machine } = host.spec();
  for (const [more, why] of [
    [{ machine: { ...machine, firmware: 'uefi' } }, /UEFI/],
    [{ machine: { ...machine, kernel: { imageId: 'k', commandLine: '' } } }, /kernel/],
    [{ machine: { ...machine, tpm: {} } as typeof machine }, /with tpm is not/],
  ] as const) {
    const answer = await host.templates.prepare(host.spec(more));
    assert.match(answer.templateId === undefined ? answer.reason : '', why);
  }
});

/** The guests' processes below a directory. */
const processesOf = async (dir: string): Promise<number> => {
  let count = 0;
  for (const pid of await readdir('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (line.startsWith('qemu-system') && line.includes(dir)) count += 1;
  }
  return count;
};

test('kill -9 while a template is made leaves nothing of it; while guests start from one, no half guest', LONG, async (t) => {
  const host = await TemplateHost.make(t, undefined);
  const child = async (args: readonly string[], until: () => Promise<boolean>): Promise<void> => {
    await host.templates.stop();
    await host.disks.stop();
    await host.guests.stop();
    const cairn = spawn(process.execPath, [join(import.meta.dirname, 'crash.child.fixture.ts'), host.dir, ...args], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const gone = new Promise((resolve) => cairn.once('exit', resolve));
    for (const endMs = Date.now() + 300_000; !(await until()); ) {
      assert.ok(cairn.exitCode === null && Date.now() < endMs, 'the other process did not come so far');
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    cairn.kill('SIGKILL');
    await gone;
    await host.begin();
  };
  await child([], async () => (await processesOf(host.dir)) === 1);
  assert.equal(await processesOf(host.dir), 0);
  assert.deepEqual(await host.guests.list(), []);
  assert.deepEqual(await host.disks.list(), []);
  assert.deepEqual(await readdir(join(host.dir, 'templates')), []);

  const { templateId, disk } = await host.prepared();
  const records = async (): Promise<readonly string[]> => {
    const dir = join(host.dir, 'guests', 'guests');
    return await Promise.all((await readdir(dir)).map((id) => readFile(join(dir, id, 'guest.json'), 'utf8').catch(() => '')));
  };
  await child([templateId], async () => (await records()).some((record) => record.includes('"coming"')));
  // what was there is whole and runs; what was not is not there
  for (const guest of await host.guests.list()) assert.equal(guest.state, 'running');
  assert.equal(await processesOf(host.dir), (await host.guests.list()).length);
  // a disk that was not written to is good for another try
  const root = (await host.disks.list()).find(({ diskId }) => diskId.startsWith('root-'));
  assert.ok(root);
  for (const { guestId } of await host.guests.list()) await host.guests.remove(guestId);
  const spec = await host.guest('again', disk);
  assert.deepEqual((await host.guests.start(spec, { templateId })).fastStart, { used: true });
  // one that was written to is not
  await host.says(spec.guestId, /=== again: instance/);
  await host.shell(spec.guestId, 'sudo sh -c "echo x > /root/x"; sync');
  await host.guests.shutDown(spec.guestId, 0);
  const booted = await host.guests.start(spec, { templateId });
  assert.match(booted.fastStart?.used === false ? booted.fastStart.reason : '', /not as the template left it/);
});

test('nobody changes a memory that guests start from', { skip: skip || noQemu }, async (t) => {
  const host = await TestHost.make(t);
  const file = await host.file('memory', Buffer.alloc(3 * 2 ** 20, 'kept'));
  const sealed = await SealedMemory.of(file);
  if (!sealed) return t.skip('this machine cannot seal memory');
  const path = `/proc/self/fd/${sealed.fd}`;
  const handle = await open(path, 'r+');
  await assert.rejects(handle.write('x', 0), { code: 'EPERM' });
  await assert.rejects(handle.truncate(1), { code: 'EPERM' });
  await handle.close();
  assert.deepEqual(await readFile(path), await readFile(file));
  await sealed.close();
});
