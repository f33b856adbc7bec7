import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Beside } from '../support/beside.ts';
import { type TestNamespace, traces } from '../support/netns.ts';
import { RealCloud, type RealServer } from '../support/real-cloud.ts';
import type { Relay } from '../support/relay.ts';

// Two real hosts on this machine: guests of one network on both, and every way in which a server goes from one to the other.
const H1 = `${hostname()}-1`;
const H2 = `${hostname()}-2`;
const MOVE_MS = 90_000;
/** Guests' processes have no rights: they fetch memory as it is touched only where the operator gives that to all. */
const POST_COPY = existsSync('/proc/sys/vm/unprivileged_userfaultfd') && readFileSync('/proc/sys/vm/unprivileged_userfaultfd', 'utf8').trim() === '1';

let before0: string[] = [];
let cloud: RealCloud;
let http: Relay;
let namespace: TestNamespace;
let data = '';
let one: RealServer;
let two: RealServer;

const within = (address: string, command: string, limitMs = 90_000): Promise<string> => cloud.within(address, command, limitMs);
const hostOf = async (id: string): Promise<unknown> => (await cloud.server(id))['OS-EXT-SRV-ATTR:host'];
const act = async (id: string, body: object, version = '2.79'): Promise<void> => {
  const headers = { 'openstack-api-version': `compute ${version}` };
  const { status, body: answer } = await http.call('POST', `/compute/v2.1/servers/${id}/action`, body, { headers });
  assert.ok(status < 300, `${status} ${JSON.stringify(answer)}`);
};
const until = (id: string, status: string): Promise<void> => cloud.until(id, status, MOVE_MS);

before(async () => {
  before0 = traces();
  cloud = await RealCloud.up('hosts', { args: ['--hosts', '2'], env: { CAIRN_COMPUTE_LIVE_POST_COPY: 'true' } });
  ({ http, namespace, data } = cloud);
  await cloud.allow({ protocol: 'icmp', remote_ip_prefix: '172.24.4.0/24' });
  [one, two] = await Promise.all([cloud.launch('one', { availability_zone: `nova:${H1}` }), cloud.launch('two', { availability_zone: `nova:${H2}` })]);
});
after(async () => await cloud?.remove());

test('guests on two hosts are in one network, each reached from outside', { timeout: 200_000 }, async () => {
  assert.deepEqual([await hostOf(one.id), await hostOf(two.id)], [H1, H2]);
  // from one to two only the rule lets in that names the group's own members, wherever they are
  assert.match(await within(one.floatingIp, `ping -c 3 -W 5 ${two.fixedIp}`), / 0% packet loss/);
  assert.match(await within(two.floatingIp, `ping -c 3 -W 5 ${one.fixedIp}`), / 0% packet loss/);
});

test('a running server goes to the other host with its memory and its disk, and traffic follows', { timeout: 200_000 }, async () => {
  const upSeconds = Number(await within(one.floatingIp, 'echo on-the-disk > /home/cirros/kept; sync; cut -d. -f1 /proc/uptime'));
  const ping = namespace.run('ping', ['-i', '0.1', '-c', '80', '-W', '2', '-q', one.floatingIp], { timeoutMs: 60_000 });
  await act(one.id, { 'os-migrateLive': { host: null, block_migration: 'auto' } });
  await until(one.id, 'ACTIVE');
  assert.equal(await hostOf(one.id), H2);
  const lost = Number(/(\d+(?:\.\d+)?)% packet loss/.exec((await ping).output)?.[1] ?? 100);
  assert.ok(lost < 40, `${lost} % of the packets were lost`);
  const [kept, later] = (await within(one.floatingIp, 'cat /home/cirros/kept; cut -d. -f1 /proc/uptime')).trim().split('\n');
  assert.equal(kept, 'on-the-disk');
  assert.ok(Number(later) >= upSeconds, `it was up for ${upSeconds} s before, and is for ${later} s now`);
  assert.deepEqual(readdirSync(join(data, 'hosts', '1', 'disks', 'ephemeral')), []);
});

/** Sets a router's flag while it is down. */
async function setDistributed(distributed: boolean): Promise<void> {
  const path = `/network/v2.0/routers/${cloud.routerId}`;
  for (const router of [{ admin_state_up: false }, { distributed }, { admin_state_up: true }]) await http.ok('PUT', path, { router });
}

/** Until a neighbour outside reaches an address by a MAC that is as wanted. */
async function untilOutside(address: string, isWanted: (mac: string) => boolean): Promise<void> {
  for (const end = Date.now() + MOVE_MS; ; await sleep(200)) {
    const { code } = await namespace.run('ping', ['-n', '-q', '-c', '1', '-w', '5', address], { timeoutMs: 30_000 });
    const mac = /lladdr (\S+)/.exec(namespace.sync('ip', ['neigh', 'show', address]))?.[1];
    if (code === 0 && mac !== undefined && isWanted(mac)) return;
    assert.ok(Date.now() < end, `${address} is answered for by ${mac ?? 'nobody'}`);
  }
}

test('a floating IP of a distributed router goes with its running server from host to host, connections included', { timeout: 400_000 }, async () => {
  await setDistributed(true);
  const [agent] = (await http.ok('GET', `/network/v2.0/routers/${cloud.routerId}/l3-agents`)).agents;
  const [gateway] = (await http.ok('GET', `/network/v2.0/ports?device_id=${cloud.routerId}&device_owner=network:router_gateway`)).ports;
  const answeredAt = (host: unknown): Promise<void> => untilOutside(one.floatingIp, (mac) => (mac === gateway.mac_address) === (host === agent.host));
  const here = await hostOf(one.id);
  await answeredAt(here);
  await within(one.floatingIp, 'true');
  // the guest counts aloud over a connection from outside, all the time
  const counting = new Beside(namespace, 'ssh', cloud.ssh(one.floatingIp, 'i=0; while sleep 1; do i=$((i+1)); echo tick $i.; done'));
  const ping = new Beside(namespace, 'ping', ['-n', '-i', '0.1', one.floatingIp]);
  try {
    await counting.says(/tick 1\./, MOVE_MS);
    for (const host of [here === H1 ? H2 : H1, here]) {
      await act(one.id, { 'os-migrateLive': { host, block_migration: 'auto' } });
      await until(one.id, 'ACTIVE');
      assert.equal(await hostOf(one.id), host);
      await answeredAt(host);
      const last = Number(/tick (\d+)\.\s*$/.exec(counting.output)?.[1]);
      await counting.says(new RegExp(`tick ${last + 2}\\.`), MOVE_MS);
    }
  } finally {
    await counting.end();
    const [, sent, received] = /(\d+) packets transmitted, (\d+) received/.exec(await ping.end()) ?? [];
    process.stdout.write(`pings: ${sent} sent, ${received} answered\n`);
    assert.ok(Number(received) > Number(sent) * 0.6, `of ${sent} packets only ${received} were answered`);
  }
  await setDistributed(false);
  await untilOutside(one.floatingIp, (mac) => mac === gateway.mac_address);
});

const hurry = POST_COPY
  ? 'goes on before its memory has come'
  : 'stands still until all has come, as this kernel gives no post-copy to processes without rights';
test(`a server that is made to complete its move ${hurry}`, { timeout: 300_000 }, async () => {
  const held = 'sudo md5sum /mnt/held';
  const sum = await within(two.floatingIp, `sudo sh -c 'mount -t tmpfs t /mnt; head -c 16777216 /dev/urandom > /mnt/held'; ${held}`);
  await act(two.id, { 'os-migrateLive': { host: H1, block_migration: 'auto' } });
  const headers = { 'openstack-api-version': 'compute 2.79' };
  const path = `/compute/v2.1/servers/${two.id}/migrations`;
  let id: unknown;
  for (const end = Date.now() + MOVE_MS; id === undefined; await sleep(50)) {
    const [migration] = (await http.call('GET', path, undefined, { headers })).body.migrations;
    if (migration?.status === 'running') id = migration.id;
    assert.ok(Date.now() < end, `the migration does not run: ${JSON.stringify(migration)}`);
  }
  // its disk is still on its way, and its memory follows at once when that is over there
  const { status, body } = await http.call('POST', `${path}/${String(id)}/action`, { force_complete: null }, { headers });
  assert.equal(status, 202, JSON.stringify(body));
  const { migrations } = (await http.call('GET', `/compute/v2.1/os-migrations?instance_uuid=${two.id}`, undefined, { headers })).body;
  assert.equal(migrations[0].status, POST_COPY ? 'running (post-copy)' : 'running');
  await until(two.id, 'ACTIVE');
  assert.equal(await hostOf(two.id), H1);
  assert.equal(await within(two.floatingIp, held), sum, 'its memory is what it was');
  await act(two.id, { 'os-migrateLive': { host: H2, block_migration: 'auto' } });
  await until(two.id, 'ACTIVE');
  assert.equal(await within(two.floatingIp, held), sum);
});

test('a cold migration brings the disk along, and can be taken back', { timeout: 300_000 }, async () => {
  await act(one.id, { migrate: null });
  await until(one.id, 'VERIFY_RESIZE');
  assert.equal(await hostOf(one.id), H1);
  assert.match(await within(one.floatingIp, 'cat /home/cirros/kept'), /on-the-disk/);
  await act(one.id, { revertResize: null });
  await until(one.id, 'ACTIVE');
  assert.equal(await hostOf(one.id), H2);
  assert.match(await within(one.floatingIp, 'cat /home/cirros/kept'), /on-the-disk/);
  assert.deepEqual(readdirSync(join(data, 'hosts', '1', 'disks', 'ephemeral')), []);
});

/** A volume that a host keeps. */
async function volumeOn(host: string): Promise<string> {
  const headers = { 'openstack-api-version': 'volume 3.70' };
  for (let i = 0; i < 6; i++) {
    const { volume } = await http.ok('POST', '/volume/v3/volumes', { volume: { size: 1, name: `v${i}` } });
    for (;;) {
      const { volume: now } = (await http.call('GET', `/volume/v3/volumes/${volume.id}`, undefined, { headers })).body;
      assert.notEqual(now.status, 'error');
      if (now.status === 'available' && now['os-vol-host-attr:host'].startsWith(`${host}@`)) return volume.id;
      if (now.status === 'available') break;
      await sleep(100);
    }
  }
  throw new Error(`no volume was made on ${host}`);
}
async function untilVolume(id: string, status: string): Promise<void> {
  for (const end = Date.now() + MOVE_MS; ; await sleep(200)) {
    const { volume } = await http.ok('GET', `/volume/v3/volumes/${id}`);
    if (volume.status === status) return;
    if (Date.now() > end || volume.status.startsWith('error')) assert.fail(`volume ${id} is ${String(volume.status)}, not ${status}`);
  }
}
const write = (text: string, at: number): Promise<string> =>
  within(one.floatingIp, `printf ${text} | sudo dd of=/dev/vdb bs=1M seek=${at} conv=notrunc,fsync 2>/dev/null; echo done`);
const read = async (length: number, at: number): Promise<string> =>
  (
    await within(one.floatingIp, `sudo sh -c 'echo 3 > /proc/sys/vm/drop_caches; dd if=/dev/vdb bs=1M skip=${at} count=1 2>/dev/null | head -c ${length}'`)
  ).trim();
const exporterOf = (host: 1 | 2): { readonly pid: number } | undefined => {
  const dir = join(data, 'hosts', String(host), 'guests', 'exports');
  const [found] = readdirSync(dir);
  return found === undefined ? undefined : JSON.parse(readFileSync(join(dir, found, 'export.json'), 'utf8')).process;
};

test('a volume goes with its server from host to host; what serves it may be killed, and it grows meanwhile', { timeout: 400_000 }, async () => {
  assert.equal(await hostOf(one.id), H2);
  const volumeId = await volumeOn(H2);
  await http.ok('POST', `/compute/v2.1/servers/${one.id}/os-volume_attachments`, { volumeAttachment: { volumeId } });
  await untilVolume(volumeId, 'in-use');
  await write('on-its-own-host', 1);
  assert.equal(exporterOf(2), undefined);

  await act(one.id, { 'os-migrateLive': { host: null, block_migration: 'auto' } });
  await until(one.id, 'ACTIVE');
  assert.equal(await hostOf(one.id), H1);
  assert.equal(await read(15, 1), 'on-its-own-host');
  await write('from-another-host', 2);

  const before = exporterOf(2)?.pid as number;
  process.kill(before, 'SIGKILL');
  await write('after-the-kill', 3);
  assert.equal(await read(17, 2), 'from-another-host');
  assert.notEqual(exporterOf(2)?.pid, before);

  const headers = { 'openstack-api-version': 'volume 3.42' };
  assert.equal((await http.call('POST', `/volume/v3/volumes/${volumeId}/action`, { 'os-extend': { new_size: 2 } }, { headers })).status, 202);
  await untilVolume(volumeId, 'in-use');
  for (const end = Date.now() + 30_000; (await within(one.floatingIp, 'cat /sys/block/vdb/size')).trim() !== String(2 * 2 ** 21); await sleep(500))
    assert.ok(Date.now() < end, 'the guest does not see that its volume has grown');
  await write('beyond-the-old-end', 1500);
  const { snapshot } = await http.ok('POST', '/volume/v3/snapshots', { snapshot: { volume_id: volumeId, force: true } });
  for (let status = ''; status !== 'available'; await sleep(100)) {
    status = (await http.ok('GET', `/volume/v3/snapshots/${snapshot.id}`)).snapshot.status;
    assert.notEqual(status, 'error');
  }
  await write('after-the-snapshot', 4);

  await act(one.id, { 'os-migrateLive': { host: null, block_migration: 'auto' } });
  await until(one.id, 'ACTIVE');
  assert.equal(await hostOf(one.id), H2);
  assert.equal(await read(14, 3), 'after-the-kill');
  assert.equal(await read(18, 4), 'after-the-snapshot');
  assert.equal(await read(18, 1500), 'beyond-the-old-end');
  for (const end = Date.now() + 30_000; exporterOf(2) !== undefined; await sleep(200))
    assert.ok(Date.now() < end, 'the volume is still served to the host that the server left');
});

test('a lost host: its routers and servers go on elsewhere, and it is clean when it is back', { timeout: 300_000 }, async () => {
  await act(one.id, { migrate: { host: H1 } });
  await until(one.id, 'VERIFY_RESIZE');
  await act(one.id, { confirmResize: null });
  await until(one.id, 'ACTIVE');
  await cloud.cairn(['host', 'stop', H1]);
  const headers = { 'openstack-api-version': 'compute 2.53' };
  const { services } = (await http.call('GET', `/compute/v2.1/os-services?host=${H1}`, undefined, { headers })).body;
  const service = `/compute/v2.1/os-services/${services[0].id}`;
  // what a fencing agent says; without it the host counts as lost once its signs of life are old enough
  assert.equal((await http.call('PUT', service, { forced_down: true }, { headers })).status, 200);
  await act(one.id, { evacuate: {} });
  await until(one.id, 'ACTIVE');
  assert.equal(await hostOf(one.id), H2);
  assert.match(await within(one.floatingIp, 'ls /home/cirros; hostname'), /one/);
  assert.match(await within(two.floatingIp, `ping -c 3 -W 5 ${one.fixedIp}`), / 0% packet loss/);
  assert.equal(await read(18, 1500), 'beyond-the-old-end', 'its volume is what it was');
  await cloud.cairn(['host', 'start', H1]);
  assert.equal((await http.call('PUT', service, { forced_down: false }, { headers })).status, 200);
  for (const end = Date.now() + 30_000; readdirSync(join(data, 'hosts', '1', 'disks', 'ephemeral')).length > 0; await sleep(200))
    assert.ok(Date.now() < end, 'what the lost host had is still there');
  assert.match(await within(one.floatingIp, 'hostname'), /one/);
});

test('down --destroy leaves no trace of either host', { timeout: 300_000 }, async () => {
  await cloud.cairn(['down', '--destroy']);
  assert.equal(existsSync(data), false);
  // what went away meanwhile is not this cloud's to answer for
  assert.deepEqual(
    traces().filter((t) => !t.includes(namespace.name) && !before0.includes(t)),
    [],
  );
});
