import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { TestNamespace, traces } from '../support/netns.ts';
import { Relay } from '../support/relay.ts';

// Servers with real guests whose cloud is killed while they are being built: after another `up` every one of them is whole or says why not,
// and nothing of them is left when they are deleted. What a kill between two given steps does is tested in the services; here it is any moment.
const root = join(import.meta.dirname, '..', '..');
const cairn = join(root, 'cairn');
const seed = Number(process.env.CAIRN_KILL_SEED ?? Math.floor(Math.random() * 2 ** 31));
const ROUNDS = Number(process.env.CAIRN_KILL_ROUNDS ?? 2);
const WINDOW_MS = 1_500;
const SETTLE_MS = 60_000;

const name = `cairnkill${process.pid}`;
// guests run as users of their own, who must be able to reach their disks
const data = mkdtempSync('/var/tmp/cairn-kill-');
chmodSync(data, 0o711);
const switchNamespace = `cairn-${createHash('sha256').update(data).digest('hex').slice(0, 4)}-switch`;
let before0: string[] = [];
let namespace: TestNamespace;
let http: Relay;
let image = '';

/** The moment of a round, in milliseconds after its requests were sent. Rounds lie in different parts of the window. */
const moment = (round: number): number => {
  const hash = createHash('sha256').update(`${seed}/${round}`).digest().readUInt32BE() / 2 ** 32;
  return Math.floor(((((seed + round) % ROUNDS) + hash) * WINDOW_MS) / ROUNDS);
};

const run = async (args: readonly string[]): Promise<void> => {
  const { code, output } = await namespace.run(cairn, [...args, '--data', data], { timeoutMs: 600_000 });
  assert.equal(code, 0, output);
};
const login = (): Promise<void> =>
  http.login(Object.fromEntries([...readFileSync(join(data, 'openrc'), 'utf8').matchAll(/^export (\w+)='(.*)'$/gm)].map((m) => [m[1], m[2]])));
const facts = (): { pid: number; url: string } => JSON.parse(readFileSync(join(data, 'run', 'cairn.json'), 'utf8'));

/** Command lines of the guests whose files lie below the data directory, by process. */
function guests(): { pid: number; line: string }[] {
  return readdirSync('/proc')
    .filter((p) => /^\d+$/.test(p))
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return line.startsWith('qemu-system') && line.includes(data) ? [{ pid: Number(pid), line }] : [];
      } catch {
        return [];
      }
    });
}

/** The network namespace of a process, and of all bridges, in words that compare. */
const networkOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/net`);
const switchNetwork = (): string => namespace.sync('ip', ['netns', 'exec', switchNamespace, 'readlink', '/proc/self/ns/net']).trim();

/** Taps in the namespace of all bridges. */
const taps = (): string[] =>
  namespace
    .sync('ip', ['-n', switchNamespace, '-o', 'link'])
    .split('\n')
    .flatMap((line) => /^\d+: (tap[^:@]+)/.exec(line)?.[1] ?? [])
    .sort();
const disks = (pool: 'ephemeral' | 'volumes'): string[] => readdirSync(join(data, 'host', 'disks', pool)).sort();

const used = async (): Promise<object> => {
  const { absolute } = (await http.ok('GET', '/compute/v2.1/limits')).limits;
  const volumes = (await http.ok('GET', '/volume/v3/limits')).limits.absolute;
  return {
    instances: absolute.totalInstancesUsed,
    cores: absolute.totalCoresUsed,
    ramMb: absolute.totalRAMUsed,
    volumes: volumes.totalVolumesUsed,
    volumeGb: volumes.totalGigabytesUsed,
  };
};
const provider = async (): Promise<string> => (await http.ok('GET', '/placement/resource_providers')).resource_providers[0].uuid;
const usages = async (): Promise<Record<string, number>> => (await http.ok('GET', `/placement/resource_providers/${await provider()}/usages`)).usages;
const computePorts = async (): Promise<{ id: string; device_id: string; status: string }[]> =>
  (await http.ok('GET', '/network/v2.0/ports')).ports.filter((p: { device_owner: string }) => p.device_owner.startsWith('compute:'));

/** Everything that servers have, anywhere. */
const possessions = async (): Promise<object> => ({
  servers: (await http.ok('GET', '/compute/v2.1/servers')).servers.length,
  guests: guests().map((g) => g.pid),
  directories: readdirSync(join(data, 'host', 'guests', 'guests')),
  taps: taps(),
  ports: (await computePorts()).map((p) => p.id),
  allocations: (await http.ok('GET', `/placement/resource_providers/${await provider()}/allocations`)).allocations,
  usages: await usages(),
  ephemeral: disks('ephemeral'),
  volumeDisks: disks('volumes'),
  volumes: (await http.ok('GET', '/volume/v3/volumes')).volumes,
  used: await used(),
});

before(async () => {
  before0 = traces();
  namespace = new TestNamespace(name);
  await run(['up', '--yes']);
  http = new Relay(namespace, facts().url);
  await login();
  image = (await http.ok('GET', '/image/v2/images?name=cirros')).images[0].id;
});
after(async () => {
  http?.close();
  await run(['down', '--destroy']).finally(() => namespace.remove());
  rmSync(data, { recursive: true, force: true });
  assert.deepEqual(
    traces().filter((t) => !before0.includes(t) && /qdhcp|switch/.test(t) && t.includes(switchNamespace.slice(0, 11))),
    [],
  );
});

for (let round = 0; round < ROUNDS; round++) {
  const killAfterMs = moment(round);
  test(`servers survive a kill ${killAfterMs} ms after they were asked for, and leave nothing (CAIRN_KILL_SEED=${seed})`, { timeout: 600_000 }, async (t) => {
    const { network } = await http.ok('POST', '/network/v2.0/networks', { network: { name: `kill-${round}` } });
    await http.ok('POST', '/network/v2.0/subnets', { subnet: { network_id: network.id, ip_version: 4, cidr: '10.66.0.0/24' } });
    const start = await possessions();
    const flavors = { 42: { vcpus: 1, ramMb: 192, diskGb: 1 }, 84: { vcpus: 1, ramMb: 256, diskGb: 1 } };
    const server = (i: number): object => ({
      name: `kill-${i}`,
      flavorRef: i === 1 ? '84' : '42',
      networks: [{ uuid: network.id }],
      // one has its root disk on a volume that is its own
      ...(i === 2
        ? {
            block_device_mapping_v2: [
              { boot_index: 0, uuid: image, source_type: 'image', destination_type: 'volume', volume_size: 1, delete_on_termination: true },
            ],
          }
        : { imageRef: image }),
    });

    // four requests at once, and the kill in the midst of what they started
    const { pid } = facts();
    const asked = Promise.allSettled([0, 1, 2, 3].map((i) => http.call('POST', '/compute/v2.1/servers', { server: server(i) })));
    await sleep(killAfterMs);
    process.kill(pid, 'SIGKILL');
    const answers = await asked;
    const accepted = answers.flatMap((a) => (a.status === 'fulfilled' && a.value.status === 202 ? [a.value.body.server.id as string] : []));
    for (const a of answers) if (a.status === 'fulfilled') assert.equal(a.value.status, 202, JSON.stringify(a.value.body));
    t.diagnostic(`killed after ${killAfterMs} ms: ${accepted.length} of 4 accepted, ${guests().length} guests ran`);

    await run(['up', '--yes']);
    const upAtMs = Date.now();
    await login();
    type Server = { id: string; name: string; status: string; flavor: { original_name?: string; id: string }; fault?: { message: string } };
    const list = async (): Promise<Server[]> => (await http.ok('GET', '/compute/v2.1/servers/detail')).servers;
    const known = (await list()).map((s) => s.id);
    // what was accepted is there; a request that was cut off may have been carried out or not
    for (const id of accepted) assert.ok(known.includes(id), `server ${id} was accepted and is not there`);
    let now = await list();
    while (now.some((s) => s.status === 'BUILD') && Date.now() - upAtMs < SETTLE_MS) {
      await sleep(50);
      now = await list();
    }
    t.diagnostic(
      `after up: ${now.map((s) => `${s.name} ${s.status}${s.fault ? ` (${s.fault.message})` : ''}`).join(', ') || 'no servers'}; ${((Date.now() - upAtMs) / 1000).toFixed(1)} s`,
    );
    for (const s of now) {
      assert.match(s.status, /^(ACTIVE|ERROR)$/, `${s.name} is ${s.status} after ${SETTLE_MS} ms`);
      if (s.status === 'ERROR') assert.ok(s.fault?.message, `${s.name} is in ERROR without a reason`);
    }

    const active = now.filter((s) => s.status === 'ACTIVE');
    const ports = await computePorts();
    const processes = guests();
    const expected = { VCPU: 0, MEMORY_MB: 0, DISK_GB: 0 };
    for (const s of active) {
      assert.equal(processes.filter((g) => g.line.includes(`-uuid ${s.id}`)).length, 1, `${s.name}: QEMU processes`);
      const own = ports.filter((p) => p.device_id === s.id);
      assert.equal(own.length, 1, `${s.name}: ports`);
      assert.equal(taps().filter((tap) => tap === `tap${own[0]?.id.slice(0, 11)}`).length, 1, `${s.name}: taps`);
      const flavor = flavors[s.flavor.id as '42'];
      const onVolume = s.name === 'kill-2';
      const { allocations } = await http.ok('GET', `/placement/allocations/${s.id}`);
      const resources = { VCPU: flavor.vcpus, MEMORY_MB: flavor.ramMb, ...(!onVolume && { DISK_GB: flavor.diskGb }) };
      assert.deepEqual(
        Object.values(allocations).map((a) => (a as { resources: object }).resources),
        [resources],
        `${s.name}: allocations`,
      );
      expected.VCPU += flavor.vcpus;
      expected.MEMORY_MB += flavor.ramMb;
      expected.DISK_GB += onVolume ? 0 : flavor.diskGb;
    }
    // a guest that outlived the cloud is still on the network
    for (const g of processes) assert.equal(networkOf(g.pid), switchNetwork(), 'network namespace of a guest');
    // nothing beside what these servers have
    assert.equal(processes.length, active.length, 'QEMU processes');
    assert.equal(taps().length, active.length, 'taps');
    assert.deepEqual(
      ports.map((p) => p.device_id).filter((id) => !now.some((s) => s.id === id)),
      [],
      'ports without a server',
    );
    assert.deepEqual({ ...expected }, { VCPU: 0, MEMORY_MB: 0, DISK_GB: 0, ...(await usages()) }, 'usages');
    assert.equal(disks('ephemeral').length, active.filter((s) => s.name !== 'kill-2').length, 'disks');
    assert.equal(disks('volumes').length, active.filter((s) => s.name === 'kill-2').length, 'disks of volumes');

    for (const s of now) await http.ok('DELETE', `/compute/v2.1/servers/${s.id}`);
    const endMs = Date.now() + SETTLE_MS;
    while ((await list()).length > 0 && Date.now() < endMs) await sleep(50);
    // the volume goes after its server
    while ((await http.ok('GET', '/volume/v3/volumes')).volumes.length > 0 && Date.now() < endMs) await sleep(50);
    assert.deepEqual(await possessions(), start);
    await http.ok('DELETE', `/network/v2.0/networks/${network.id}`);
  });
}
