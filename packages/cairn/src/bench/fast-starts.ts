import { readdirSync, readFileSync } from 'node:fs';
import type { Bench } from './api.ts';
import { median, until } from './load.ts';
import type { Figure } from './report.ts';
import { findNamed, networkFor, statusOf } from './servers.ts';

/** How many servers stand on one template at once while their memory is measured. */
const CLONES = 4;

interface Times {
  readonly activeMs: number;
  /** Its address answers who asks for it on its network. */
  readonly reachableMs: number;
  /** It has taken name and keys from the metadata service; its console says so. */
  readonly itselfMs: number;
}

/**
 * Servers that start from a template beside servers of the same image that boot: to ACTIVE, to the first packet of their own, to having become
 * themselves; and what their memory costs. Where guests are simulated there is only the first.
 */
export async function fastStarts(bench: Bench, rounds: number, real: boolean): Promise<Figure[]> {
  const { load } = bench;
  const net = await networkFor(bench);
  const imageRef = await findNamed(bench, '/image/v2/images?name=cirros', 'images', 'cirros');
  const flavorOf = async (id: string, specs: Readonly<Record<string, string>>): Promise<string> => {
    await load.json({ method: 'POST', path: '/compute/v2.1/flavors', body: { flavor: { id, name: id, ram: 192, vcpus: 1, disk: 1 } } });
    if (Object.keys(specs).length > 0) await load.json({ method: 'POST', path: `/compute/v2.1/flavors/${id}/os-extra_specs`, body: { extra_specs: specs } });
    return id;
  };
  const flavors = { fast: await flavorOf(`bench-fast-${bench.pid}`, { 'cairn:fast_start': 'true' }), plain: await flavorOf(`bench-plain-${bench.pid}`, {}) };
  const start = async (name: string, flavorRef: string): Promise<{ readonly id: string } & Times> => {
    const startMs = performance.now();
    const body = { server: { name, imageRef, flavorRef, networks: [{ uuid: net.id }] } };
    const { server } = await load.json({ method: 'POST', path: '/compute/v2.1/servers', body });
    await until(
      async () => {
        const status = await statusOf(bench, server.id);
        if (status === 'ERROR') throw new Error('the server went to ERROR; "cairn logs" says why');
        return status === 'ACTIVE';
      },
      400_000,
      3,
    );
    const activeMs = performance.now() - startMs;
    if (!real) return { id: server.id, activeMs, reachableMs: Number.NaN, itselfMs: Number.NaN };
    const said = async (pattern: RegExp): Promise<boolean> => pattern.test((await consoleOf(bench, server.id)) ?? '');
    await until(() => said(/=== eth0: [0-9.]+/), 400_000, 10);
    const reachableMs = performance.now() - startMs;
    await until(() => said(new RegExp(`instance ${server.id}`)), 400_000, 10);
    return { id: server.id, activeMs, reachableMs, itselfMs: performance.now() - startMs };
  };
  const remove = async (id: string): Promise<void> => {
    await load.json({ method: 'DELETE', path: `/compute/v2.1/servers/${id}` });
    await until(async () => (await statusOf(bench, id)) === 'GONE', 60_000, 3);
  };
  const several = async (name: string, flavorRef: string): Promise<Times[]> => {
    const times: Times[] = [];
    for (let i = 0; i < rounds; i++) {
      const { id, ...one } = await start(`${name}-${i}`, flavorRef);
      times.push(one);
      await remove(id);
    }
    return times;
  };
  try {
    const first = await start('bench-first', flavors.fast);
    const emulated = isEmulated();
    await remove(first.id);
    const [fast, plain] = [await several('bench-fast', flavors.fast), await several('bench-plain', flavors.plain)];
    const p50 = (times: readonly Times[], key: keyof Times): number => median(times.map((one) => one[key]));
    const figures: Figure[] = [
      { name: 'fast start, the first: POST to ACTIVE', value: first.activeMs, unit: 'ms', note: 'its template is made' },
      {
        name: 'fast start: POST to ACTIVE: p50',
        value: p50(fast, 'activeMs'),
        unit: 'ms',
        goal: 300,
        note: `booting: ${p50(plain, 'activeMs').toFixed(0)} ms`,
      },
    ];
    if (!real) return figures;
    const under = emulated ? 'under emulation' : 'under KVM';
    figures.push(
      {
        name: 'fast start: POST to its own address up: p50',
        value: p50(fast, 'reachableMs'),
        unit: 'ms',
        ...(emulated ? {} : { goal: 1000 }),
        note: `${under}; booting: ${p50(plain, 'reachableMs').toFixed(0)} ms`,
      },
      { name: 'fast start: POST to name and keys: p50', value: p50(fast, 'itselfMs'), unit: 'ms', note: `booting: ${p50(plain, 'itselfMs').toFixed(0)} ms` },
    );
    for (const [name, flavorRef] of Object.entries(flavors)) {
      const ids: string[] = [];
      for (let i = 0; i < CLONES; i++) ids.push((await start(`bench-memory-${i}`, flavorRef)).id);
      const each = median(ids.map(pssOfGuest));
      figures.push({ name: `memory of one of ${CLONES} servers of 192 MB, ${name === 'fast' ? 'from a template' : 'booted'} (PSS)`, value: each, unit: 'MB' });
      for (const id of ids) await remove(id);
    }
    return figures;
  } finally {
    for (const id of Object.values(flavors)) await load.send({ method: 'DELETE', path: `/compute/v2.1/flavors/${id}` });
    await net.remove();
  }
}

async function consoleOf(bench: Bench, id: string): Promise<string | undefined> {
  const answer = await bench.load.send({ method: 'POST', path: `/compute/v2.1/servers/${id}/action`, body: { 'os-getConsoleOutput': {} } });
  return answer.status === 200 ? (JSON.parse(answer.body) as { output: string }).output : undefined;
}

/** The command line of each QEMU on this machine, by process id. */
function guestProcesses(): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      if (/^[^\0]*qemu-system/.test(line)) found.set(pid, line);
    } catch {
      // it has ended meanwhile
    }
  }
  return found;
}

/** Proportional memory of a server's process in MB. */
function pssOfGuest(id: string): number {
  const [pid] = [...guestProcesses()].find(([, line]) => line.includes(`\0-uuid\0${id}\0`)) ?? [];
  return pid === undefined ? Number.NaN : Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]) / 1024;
}

const isEmulated = (): boolean => ![...guestProcesses().values()].some((line) => line.includes('\0-accel\0kvm\0'));
