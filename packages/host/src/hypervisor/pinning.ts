import { readdir, readFile } from 'node:fs/promises';
import type { HostNumaCell } from '../interface/agent.ts';
import type { GuestHardware } from '../interface/hardware.ts';
import { run } from '../process/run.ts';
import type { Qmp } from './qmp.ts';

/** Reads the kernel's `0-3,8`. */
export const parseCpuList = (text: string): readonly number[] =>
  text
    .trim()
    .split(',')
    .filter((part) => part !== '')
    .flatMap((part) => {
      const [first = '', last = first] = part.split('-');
      return Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => Number(first) + at);
    });

const NODES = '/sys/devices/system/node';

/** Which processors of a host guests have: their own each, or floating over those that are shared (undefined: all that are not dedicated). */
export interface CpuSets {
  readonly dedicated: readonly number[];
  readonly shared: readonly number[] | undefined;
}

/** The host's NUMA nodes. Undefined where the kernel tells of none. */
export async function hostNuma(sets: CpuSets | undefined, root = NODES): Promise<readonly HostNumaCell[] | undefined> {
  const nodes = (await readdir(root).catch(() => [])).flatMap((name) => /^node(\d+)$/.exec(name)?.[1] ?? []).map(Number);
  if (nodes.length === 0) return undefined;
  return await Promise.all(nodes.sort((a, b) => a - b).map((id) => hostNode(id, sets, root)));
}

async function hostNode(id: number, { dedicated, shared }: CpuSets = { dedicated: [], shared: undefined }, root: string): Promise<HostNumaCell> {
  const dir = `${root}/node${id}`;
  const cpus = parseCpuList(await readFile(`${dir}/cpulist`, 'utf8'));
  const memory = await readFile(`${dir}/meminfo`, 'utf8');
  const totalKb = Number(/MemTotal:\s+(\d+) kB/.exec(memory)?.[1] ?? 0);
  const siblings = new Map<string, readonly number[]>();
  for (const cpu of cpus) {
    const list = await readFile(`${dir}/cpu${cpu}/topology/thread_siblings_list`, 'utf8').catch(() => String(cpu));
    siblings.set(list.trim(), parseCpuList(list));
  }
  const sizes = (await readdir(`${dir}/hugepages`).catch(() => [])).flatMap((name) => /^hugepages-(\d+)kB$/.exec(name)?.[1] ?? []).map(Number);
  const huge = await Promise.all(
    sizes.map(async (sizeKb) => ({ sizeKb, total: Number(await readFile(`${dir}/hugepages/hugepages-${sizeKb}kB/nr_hugepages`, 'utf8')) })),
  );
  const hugeKb = huge.reduce((sum, { sizeKb, total }) => sum + sizeKb * total, 0);
  return {
    id,
    sharedCpus: cpus.filter((cpu) => shared?.includes(cpu) ?? !dedicated.includes(cpu)),
    dedicatedCpus: cpus.filter((cpu) => dedicated.includes(cpu)),
    siblings: [...siblings.values()].filter((core) => core.length > 1),
    memoryMb: Math.floor(totalKb / 1_024),
    pages: [{ sizeKb: 4, total: Math.floor((totalKb - hugeKb) / 4) }, ...huge.filter(({ total }) => total > 0)],
  };
}

/** Puts a guest's threads on the host's processors that were chosen for it. Before its first instruction that matters: a guest boots longer than this. */
export async function pinThreads(
  qmp: Qmp,
  pid: number,
  numa: GuestHardware['numa'],
  host: readonly HostNumaCell[] | undefined,
  sets: CpuSets | undefined,
): Promise<void> {
  const shared = host?.flatMap((cell) => cell.sharedCpus) ?? [];
  if (numa === undefined) {
    // who has no processor of its own stays off those that others have, and those that no guest is to have
    if (sets !== undefined && shared.length > 0) await bind(['--all-tasks', '--cpu-list', '--pid', shared.join(','), String(pid)]);
    return;
  }
  const emulator = numa.emulatorCpus.length > 0 ? numa.emulatorCpus : [...new Set([...shared, ...numa.cells.flatMap((cell) => Object.values(cell.pins))])];
  await bind(['--all-tasks', '--cpu-list', '--pid', emulator.join(','), String(pid)]);
  const threads = await qmp.execute<readonly { readonly 'cpu-index': number; readonly 'thread-id': number }[]>('query-cpus-fast');
  for (const { 'cpu-index': index, 'thread-id': thread } of threads) {
    const cell = numa.cells.find((one) => one.pins[String(index)] !== undefined || one.shared.includes(index));
    if (cell === undefined) continue;
    const pin = cell.pins[String(index)];
    const near = host?.find((one) => one.id === cell.hostNode)?.sharedCpus ?? [];
    const cpus = pin === undefined ? near : [pin];
    if (cpus.length > 0) await bind(['--cpu-list', '--pid', cpus.join(','), String(thread)]);
  }
}

const bind = async (args: readonly string[]): Promise<void> => {
  await run('taskset', args, { timeoutMs: 10_000 });
};
