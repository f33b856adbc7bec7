import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Bench } from './api.ts';
import { cpuMs, median, until } from './load.ts';
import type { Figure } from './report.ts';
import { findNamed, networkFor } from './servers.ts';

const ROUNDS = 3;
/** What a guest of the demo image says on its serial console when its init is through. */
const LOGIN = /login:/;
const LIMIT_MS = 300_000;

/** What the control plane spends on a server: all of the cloud's CPU from the first request to the last ACTIVE. The guests' own is theirs. */
export async function cpuPerServer(bench: Bench, count: number): Promise<Figure[]> {
  const { load, pid, projectId } = bench;
  await load.json({ method: 'PUT', path: `/compute/v2.1/os-quota-sets/${projectId}`, body: { quota_set: { instances: -1, cores: -1, ram: -1 } } });
  await load.json({ method: 'PUT', path: `/network/v2.0/quotas/${projectId}`, body: { quota: { port: -1 } } });
  const net = await networkFor(bench);
  const make = await serverMaker(bench, net.id);
  const all = async (): Promise<{ id: string; name: string; status: string }[]> =>
    ((await load.json({ method: 'GET', path: '/compute/v2.1/servers/detail?name=cpu-' })).servers as { id: string; name: string; status: string }[]) ?? [];
  // seldom, as asking is CPU of the cloud too
  const settled = (): Promise<number> => until(async () => (await all()).every(({ status }) => status !== 'BUILD'), LIMIT_MS, 500);
  const clear = async (): Promise<void> => {
    for (const { id } of await all()) await load.send({ method: 'DELETE', path: `/compute/v2.1/servers/${id}` });
    await until(async () => (await all()).length === 0, LIMIT_MS, 200);
  };
  for (let i = 0; i < count; i++) await load.json(make(`cpu-warm-${i}`));
  await settled();
  await clear();
  const beforeMs = cpuMs(pid);
  for (let i = 0; i < count; i++) await load.json(make(`cpu-${i}`));
  await settled();
  const spentMs = cpuMs(pid) - beforeMs;
  const failed = (await all()).filter(({ status }) => status !== 'ACTIVE').length;
  await clear();
  await net.remove();
  const note = `${count} servers${failed > 0 ? `, ${failed} FAILED` : ''}`;
  return [{ name: 'control-plane CPU per server created', value: spentMs / count, unit: 'ms', goal: 30, note }];
}

/** Guests that really start: until they ask for a login, beside the same QEMU by hand; and what they take beyond their own memory. */
export async function realGuests(bench: Bench): Promise<Figure[]> {
  const { load } = bench;
  const net = await networkFor(bench);
  const make = await serverMaker(bench, net.id);
  const cloud: number[] = [];
  const hand: number[] = [];
  const beyond: number[] = [];
  const directory = mkdtempSync(join(tmpdir(), 'cairn-bench-'));
  try {
    const image = await downloaded(bench, join(directory, 'image'));
    for (let round = 0; round < ROUNDS; round++) {
      const startMs = performance.now();
      const { server } = await load.json(make(`init-${round}`));
      const path = `/compute/v2.1/servers/${server.id}`;
      const asks = async (): Promise<boolean> => {
        const answer = await load.send({ method: 'POST', path: `${path}/action`, body: { 'os-getConsoleOutput': {} } });
        return answer.status === 200 && LOGIN.test((JSON.parse(answer.body) as { output: string }).output);
      };
      await until(asks, LIMIT_MS, 20);
      cloud.push(performance.now() - startMs);
      const mb = beyondRamMb(server.id);
      if (mb !== undefined) beyond.push(mb);
      await load.json({ method: 'DELETE', path });
      await until(async () => (await load.send({ method: 'GET', path })).status === 404, LIMIT_MS, 20);
      hand.push(await byHand(image));
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  await net.remove();
  const bare = median(hand);
  return [
    { name: "the same QEMU by hand: to the guest's login", value: bare, unit: 'ms' },
    { name: "POST /servers to the guest's login: p50", value: median(cloud), unit: 'ms', goal: Math.round(bare + 300) },
    { name: 'memory of a guest beyond its RAM (PSS)', value: median(beyond), unit: 'MB' },
  ];
}

async function serverMaker(bench: Bench, network: string) {
  const imageRef = await findNamed(bench, '/image/v2/images?name=cirros', 'images', 'cirros');
  const flavorRef = await findNamed(bench, '/compute/v2.1/flavors', 'flavors', 'm1.nano');
  return (name: string) => ({
    method: 'POST',
    path: '/compute/v2.1/servers',
    body: { server: { name, imageRef, flavorRef, networks: [{ uuid: network }] } },
  });
}

/** The demo image as a file of ours. */
async function downloaded(bench: Bench, path: string): Promise<string> {
  const id = await findNamed(bench, '/image/v2/images?name=cirros', 'images', 'cirros');
  const answer = await fetch(`${bench.url}/image/v2/images/${id}/file`, { headers: { 'x-auth-token': bench.load.token } });
  if (!answer.ok) throw new Error(`the demo image cannot be downloaded: ${answer.status}`);
  await writeFile(path, Buffer.from(await answer.arrayBuffer()));
  return path;
}

/** Of the QEMU process that has this id: all but the greatest mapping, which is the guest's RAM. Undefined where there is none. */
function beyondRamMb(id: string): number | undefined {
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(id)) continue;
      const mappings = [...readFileSync(`/proc/${pid}/smaps`, 'utf8').matchAll(/^Size:\s+(\d+) kB[^]*?^Pss:\s+(\d+) kB/gm)].map(([, size, pss]) => ({
        size: Number(size),
        pss: Number(pss),
      }));
      const ram = mappings.reduce((greatest, one) => (one.size > greatest.size ? one : greatest), { size: 0, pss: 0 });
      return (mappings.reduce((sum, one) => sum + one.pss, 0) - ram.pss) / 1024;
    } catch {
      // it has ended in the meantime
    }
  }
  return undefined;
}

/** Starts QEMU by hand on the image until its guest asks for a login; milliseconds. */
function byHand(image: string): Promise<number> {
  const startMs = performance.now();
  return new Promise((resolve, reject) => {
    const drive = `file=${image.replaceAll(',', ',,')},format=qcow2,if=virtio,snapshot=on,file.locking=off`;
    const child = spawn(
      'qemu-system-x86_64',
      ['-nodefaults', '-display', 'none', '-machine', 'q35', '-accel', 'tcg,tb-size=32', '-cpu', 'max', '-m', '192', '-drive', drive, '-serial', 'stdio'],
      { stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let said = '';
    let elapsedMs: number | undefined;
    const timer = setTimeout(() => child.kill('SIGKILL'), LIMIT_MS);
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1');
      if (elapsedMs !== undefined || !LOGIN.test(said)) return;
      elapsedMs = performance.now() - startMs;
      child.kill('SIGKILL');
    });
    child.once('error', reject);
    child.once('close', () => {
      clearTimeout(timer);
      if (elapsedMs === undefined) reject(new Error(`the guest by hand did not come up; its console says:\n${said.slice(-1000)}`));
      else resolve(elapsedMs);
    });
  });
}
