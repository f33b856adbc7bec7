import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { Bench } from './api.ts';
import { median, pssMb, until } from './load.ts';
import type { Figure } from './report.ts';

/** A network of the bench's own with a subnet; gone with `remove`. */
export async function networkFor(bench: Bench): Promise<{ id: string; remove(): Promise<void> }> {
  const { load } = bench;
  const { network: made } = await load.json({ method: 'POST', path: '/network/v2.0/networks', body: { network: { name: 'bench-servers' } } });
  await load.json({ method: 'POST', path: '/network/v2.0/subnets', body: { subnet: { network_id: made.id, ip_version: 4, cidr: '10.250.0.0/16' } } });
  return {
    id: made.id,
    remove: async () => {
      await until(async () => (await load.send({ method: 'DELETE', path: `/network/v2.0/networks/${made.id}` })).status !== 409, 20_000, 100);
    },
  };
}

/** The id of what has this name in a list. */
export const findNamed = async (bench: Bench, path: string, key: string, name: string): Promise<string> => {
  const found = ((await bench.load.json({ method: 'GET', path })) as Record<string, { id: string; name: string }[]>)[key]?.find((x) => x.name === name);
  if (!found) throw new Error(`there is no ${key.slice(0, -1)} ${name}`);
  return found.id;
};

export const statusOf = async (bench: Bench, id: string): Promise<string> => {
  const answer = await bench.load.send({ method: 'GET', path: `/compute/v2.1/servers/${id}` });
  if (answer.status === 404) return 'GONE';
  return JSON.parse(answer.body).server.status as string;
};

/** One server after another: accepted, ACTIVE, rebooted, gone; with the bare QEMU beside it when guests are real. */
export async function servers(bench: Bench, rounds: number, real: boolean): Promise<Figure[]> {
  const { load } = bench;
  const net = await networkFor(bench);
  const imageRef = await findNamed(bench, '/image/v2/images?name=cirros', 'images', 'cirros');
  const flavorRef = await findNamed(bench, '/compute/v2.1/flavors', 'flavors', 'm1.nano');
  const accepted: number[] = [];
  const active: number[] = [];
  const reboot: number[] = [];
  const gone: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const startMs = performance.now();
    const { server } = await load.json({
      method: 'POST',
      path: '/compute/v2.1/servers',
      body: { server: { name: `bench-${i}`, imageRef, flavorRef, networks: [{ uuid: net.id }] } },
    });
    accepted.push(performance.now() - startMs);
    await until(
      async () => {
        const status = await statusOf(bench, server.id);
        if (status === 'ERROR') throw new Error('the server went to ERROR; "cairn logs" says why');
        return status === 'ACTIVE';
      },
      60_000,
      3,
    );
    active.push(performance.now() - startMs);
    const rebootMs = performance.now();
    await load.json({ method: 'POST', path: `/compute/v2.1/servers/${server.id}/action`, body: { reboot: { type: 'HARD' } } });
    await until(async () => (await statusOf(bench, server.id)) === 'ACTIVE', 60_000, 3);
    reboot.push(performance.now() - rebootMs);
    const deleteMs = performance.now();
    await load.json({ method: 'DELETE', path: `/compute/v2.1/servers/${server.id}` });
    await until(async () => (await statusOf(bench, server.id)) === 'GONE', 60_000, 3);
    gone.push(performance.now() - deleteMs);
  }
  await net.remove();
  const bare = real ? median(await bareQemu(5)) : 0;
  return [
    ...(real ? [{ name: 'bare QEMU: spawn to running', value: bare, unit: 'ms' as const, note: 'the same machine type without any cloud' }] : []),
    { name: 'POST /servers accepted: p50', value: median(accepted), unit: 'ms', goal: 15 },
    { name: 'POST /servers to ACTIVE: p50', value: median(active), unit: 'ms', ...(real && { goal: Math.round(bare + 300) }) },
    { name: 'hard reboot: p50', value: median(reboot), unit: 'ms', goal: 700 },
    { name: 'delete to gone: p50', value: median(gone), unit: 'ms', goal: 500 },
  ];
}

/** Starts QEMU by hand, without disk or network, until its CPUs run. */
async function bareQemu(rounds: number): Promise<number[]> {
  const times: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const socket = join('/tmp', `cairn-bench-${process.pid}-${i}.sock`);
    const startMs = performance.now();
    const child = spawn(
      'qemu-system-x86_64',
      ['-nodefaults', '-display', 'none', '-machine', 'q35', '-accel', 'tcg,tb-size=32', '-m', '192', '-qmp', `unix:${socket},server=on,wait=off`],
      { stdio: 'ignore' },
    );
    await until(() => greets(socket), 10_000, 2);
    times.push(performance.now() - startMs);
    child.kill('SIGKILL');
    await new Promise((resolve) => child.once('exit', resolve));
    rmSync(socket, { force: true });
  }
  return times;
}

const greets = (path: string): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = connect(path);
    socket.once('data', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });

/** Many servers at once on simulated hosts: from the first request to the last ACTIVE. */
export async function thousand(bench: Bench, count: number): Promise<Figure[]> {
  const { load, projectId } = bench;
  await load.json({ method: 'PUT', path: `/compute/v2.1/os-quota-sets/${projectId}`, body: { quota_set: { instances: -1, cores: -1, ram: -1 } } });
  await load.json({
    method: 'PUT',
    path: `/network/v2.0/quotas/${projectId}`,
    body: { quota: { port: -1, network: -1, subnet: -1, security_group: -1, security_group_rule: -1 } },
  });
  const net = await networkFor(bench);
  const imageRef = await findNamed(bench, '/image/v2/images?name=cirros', 'images', 'cirros');
  const flavorRef = await findNamed(bench, '/compute/v2.1/flavors', 'flavors', 'm1.nano');
  const beforeMb = pssMb(bench.pid);
  const startMs = performance.now();
  let next = 0;
  const ids: string[] = [];
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      while (next < count) {
        const i = next++;
        const { server } = await load.json({
          method: 'POST',
          path: '/compute/v2.1/servers',
          body: { server: { name: `many-${i}`, imageRef, flavorRef, networks: [{ uuid: net.id }] } },
        });
        ids.push(server.id);
      }
    }),
  );
  const acceptedMs = performance.now() - startMs;
  await until(
    async () => {
      const { servers: building } = await load.json({ method: 'GET', path: '/compute/v2.1/servers?status=BUILD&limit=1' });
      return building.length === 0;
    },
    300_000,
    50,
  );
  const seconds = (performance.now() - startMs) / 1000;
  const eachKb = ((pssMb(bench.pid) - beforeMb) * 1024) / count;
  const { servers: failed } = await load.json({ method: 'GET', path: '/compute/v2.1/servers/detail?status=ERROR&limit=1000' });
  const deleteMs = performance.now();
  await Promise.all(
    Array.from({ length: 16 }, async () => {
      for (let id = ids.pop(); id !== undefined; id = ids.pop()) await load.send({ method: 'DELETE', path: `/compute/v2.1/servers/${id}` });
    }),
  );
  await until(async () => (await load.json({ method: 'GET', path: '/compute/v2.1/servers?limit=1' })).servers.length === 0, 300_000, 50);
  const deleted = (performance.now() - deleteMs) / 1000;
  await net.remove();
  return [
    { name: `${count} servers on simulated hosts: all accepted`, value: acceptedMs / 1000, unit: 's' },
    {
      name: `${count} servers on simulated hosts: all ACTIVE`,
      value: seconds,
      unit: 's',
      goal: (10 * count) / 1000,
      note: failed.length > 0 ? `${failed.length} FAILED: ${failed[0].fault?.message}` : 'none failed',
    },
    { name: `${count} servers deleted`, value: deleted, unit: 's' },
    { name: "memory of Cairn per server (PSS, simulated hosts' own included)", value: eachKb, unit: 'kB' },
  ];
}
