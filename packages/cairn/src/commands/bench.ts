import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Bench, images, network, tokens, volumes } from '../bench/api.ts';
import { imageData } from '../bench/image-data.ts';
import { consoleFigures } from '../bench/console.ts';
import { fastStarts } from '../bench/fast-starts.ts';
import { growth } from '../bench/growth.ts';
import { cpuPerServer, realGuests } from '../bench/guests.ts';
import { Load, pssMb } from '../bench/load.ts';
import { manyPorts } from '../bench/many-ports.ts';
import { networkLive } from '../bench/network-live.ts';
import { candidates } from '../bench/placement.ts';
import { type Figure, figuresTable } from '../bench/report.ts';
import { servers, thousand } from '../bench/servers.ts';
import type { CommonFlags } from '../config.ts';
import { askControl } from '../daemon/control.ts';
import { type Paths, pathsOf } from '../daemon/paths.ts';
import { running, startDaemon, untilGone } from '../daemon/process.ts';
import { Steps } from '../terminal/progress.ts';
import { adminClient } from './admin-client.ts';
import { settingsOf } from './shared.ts';

const PARTS = [
  'start',
  'memory',
  'tokens',
  'network',
  'network-live',
  'many-ports',
  'images',
  'image-data',
  'volumes',
  'servers',
  'fast-starts',
  'server-cpu',
  'guests',
  'thousand',
  'placement',
  'growth',
] as const;
type Part = (typeof PARTS)[number];

/** `cairn bench`: measures the running cloud; what needs many hosts is measured on a simulated one of its own. */
export async function bench(flags: CommonFlags & { json?: boolean; only?: string; console?: boolean }): Promise<void> {
  const print = (figures: readonly Figure[]): void =>
    void process.stdout.write(flags.json ? `${JSON.stringify(figures, null, 1)}\n` : `${figuresTable(figures)}\n`);
  if (flags.console) return print(await onSimulated(2, consoleFigures));
  const { config, paths } = settingsOf(flags);
  const wanted = flags.only?.split(',') ?? PARTS;
  for (const part of wanted) if (!(PARTS as readonly string[]).includes(part)) throw new Error(`there is no part ${part}; the parts are: ${PARTS.join(', ')}`);
  const wants = (part: Part): boolean => wanted.includes(part);
  const there = running(paths);
  if (!there) throw new Error('no cloud runs here; "./cairn up" first');
  const steps = new Steps();
  const figures: Figure[] = [];
  const real = config.hypervisor.type === 'qemu';
  const mine = await open(paths);
  const take = async (part: Part, work: () => Promise<Figure[]>): Promise<void> => {
    if (!wants(part)) return;
    steps.step(part);
    figures.push(...(await work()));
  };
  await take('memory', async () => [{ name: 'memory idle (PSS)', value: pssMb(there.pid), unit: 'MB', goal: 250 }]);
  await take('start', startTime);
  await take('tokens', () => tokens(mine));
  await take('network', () => network(mine));
  if (real && config.hypervisor.hosts === 1) await take('network-live', () => networkLive(mine, paths.instance));
  await take('many-ports', () => onSimulated(1, manyPorts));
  await take('images', () => images(mine));
  await take('image-data', () => imageData(mine));
  await take('volumes', () => volumes(mine));
  await take('servers', () => servers(mine, real ? 7 : 30, real));
  await take('server-cpu', () => cpuPerServer(mine, real ? 8 : 200));
  if (real) await take('guests', () => realGuests(mine));
  await take('fast-starts', () => fastStarts(mine, 3, real));
  mine.load.close();
  await take('thousand', () => onSimulated(100, (simulated) => thousand(simulated, 1_000)));
  await take('placement', () => onSimulated(1_000, (simulated) => candidates(simulated, 1_000)));
  await take('growth', grown);
  steps.done();
  print(figures);
}

async function open(paths: Paths): Promise<Bench> {
  const there = running(paths);
  if (!there) throw new Error('the cloud is not running');
  const admin = await adminClient(paths);
  const load = new Load(there.url, there.pid);
  load.token = admin.token;
  const { token } = (await load.json({ method: 'GET', path: '/identity/v3/auth/tokens', headers: { 'x-subject-token': admin.token } })) as {
    token: { project: { id: string }; user: { id: string } };
  };
  const { adminPassword } = JSON.parse(readFileSync(paths.secrets, 'utf8')) as { adminPassword: string };
  return { load, pid: there.pid, url: there.url, imagesDir: paths.images, adminPassword, projectId: token.project.id, userId: token.user.id };
}

/** A simulated cloud of the bench's own in a scratch directory, gone afterwards. */
async function onSimulated(hosts: number, work: (bench: Bench) => Promise<Figure[]>): Promise<Figure[]> {
  const paths = pathsOf(mkdtempSync(join(tmpdir(), 'cairn-bench-')));
  try {
    const started = await startDaemon(
      paths,
      main,
      ['--data', paths.data, '--hypervisor', 'simulated', '--hosts', String(hosts), '--listen', '127.0.0.1:0'],
      () => {},
    );
    const simulated = await open(paths);
    try {
      return await work(simulated);
    } finally {
      simulated.load.close();
      const ticks = running(paths)?.startTicks ?? '';
      await askControl(paths, { ask: 'down', guests: 'keep' });
      await untilGone(started.pid, ticks, 30_000);
    }
  } finally {
    rmSync(paths.data, { recursive: true, force: true });
  }
}

/** A simulated cloud that is stopped to be filled, and started again. */
async function grown(): Promise<Figure[]> {
  const paths = pathsOf(mkdtempSync(join(tmpdir(), 'cairn-bench-')));
  try {
    return await growth({
      database: paths.database,
      start: async () => {
        await startDaemon(paths, main, ['--data', paths.data, '--hypervisor', 'simulated', '--hosts', '100', '--listen', '127.0.0.1:0'], () => {});
        return open(paths);
      },
      stop: async (bench) => {
        bench.load.close();
        const ticks = running(paths)?.startTicks ?? '';
        await askControl(paths, { ask: 'down', guests: 'keep' });
        if (!(await untilGone(bench.pid, ticks, 60_000))) throw new Error('the simulated cloud does not stop');
      },
    });
  } finally {
    rmSync(paths.data, { recursive: true, force: true });
  }
}

const main = join(import.meta.dirname, '..', 'main.ts');

/** From nothing to all endpoints answering: a first start, and one on data that is there. */
async function startTime(): Promise<Figure[]> {
  const paths = pathsOf(mkdtempSync(join(tmpdir(), 'cairn-bench-')));
  const times: number[] = [];
  try {
    for (let i = 0; i < 3; i++) {
      const startMs = performance.now();
      const started = await startDaemon(paths, main, ['--data', paths.data, '--hypervisor', 'simulated', '--listen', '127.0.0.1:0'], () => {});
      times.push(performance.now() - startMs);
      const ticks = running(paths)?.startTicks ?? '';
      await askControl(paths, { ask: 'down', guests: 'keep' });
      await untilGone(started.pid, ticks, 30_000);
    }
  } finally {
    rmSync(paths.data, { recursive: true, force: true });
  }
  return [
    { name: 'start, new data: to ready', value: (times[0] ?? 0) / 1000, unit: 's', goal: 60 },
    { name: 'start, warm: to ready', value: Math.min(...times.slice(1)) / 1000, unit: 's', goal: 2 },
  ];
}
