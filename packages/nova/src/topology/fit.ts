import type { GuestNumaCell } from '@cairn/host/interface/hardware';
import type { HostNumaCell } from '@cairn/host/interface/agent';
import type { CellWish, PageWish, TopologyWish } from './wish.ts';

/** One NUMA node of a guest as it sits on its host; kept with the server. */
export interface PlacedCell extends GuestNumaCell {
  /** Nobody else gets the other threads of its cores. */
  readonly isolated: boolean;
  /** Threads of one core that it gets together. */
  readonly siblings: readonly (readonly number[])[];
}

/** Where a server's processors and memory sit on its host. */
export interface PlacedTopology {
  readonly cells: readonly PlacedCell[];
  /** The host's processor that runs what emulates the machine, where that is isolated. */
  readonly emulatorCpus: readonly number[];
}

/** What a host's NUMA node has and what of it is taken. */
export interface CellState {
  readonly cell: HostNumaCell;
  readonly usedCpus: ReadonlySet<number>;
  readonly usedMemoryMb: number;
  /** Pages in use by their size in KiB. */
  readonly usedPages: ReadonlyMap<number, number>;
}

/** What these servers take of a host. */
export function cellStates(cells: readonly HostNumaCell[], placed: readonly PlacedTopology[]): readonly CellState[] {
  return cells.map((cell) => {
    const usedCpus = new Set<number>();
    const usedPages = new Map<number, number>();
    let usedMemoryMb = 0;
    for (const topology of placed) {
      for (const cpu of topology.emulatorCpus) if (cell.dedicatedCpus.includes(cpu)) usedCpus.add(cpu);
      for (const one of topology.cells) {
        if (one.hostNode !== cell.id) continue;
        usedMemoryMb += one.memoryMb;
        for (const cpu of Object.values(one.pins)) {
          usedCpus.add(cpu);
          if (one.isolated) for (const thread of cell.siblings.find((core) => core.includes(cpu)) ?? []) usedCpus.add(thread);
        }
        if (one.pageSizeKb !== null) usedPages.set(one.pageSizeKb, (usedPages.get(one.pageSizeKb) ?? 0) + (one.memoryMb * 1_024) / one.pageSizeKb);
      }
    }
    return { cell, usedCpus, usedMemoryMb, usedPages };
  });
}

/**
 * Puts a server's nodes on a host's, each on one of its own, or says that they do not fit (undefined). Nodes with the least room that still suffice
 * come first, so that large ones stay free (upstream packs the same way).
 */
export function fitTopology(wish: TopologyWish, states: readonly CellState[], ramRatio: number, cpuRatio: number): PlacedTopology | undefined {
  if (wish.cells.length > states.length) return undefined;
  const order = [...states].sort((a, b) => b.usedCpus.size - a.usedCpus.size || b.usedMemoryMb - a.usedMemoryMb || a.cell.id - b.cell.id);
  const place = (at: number, taken: ReadonlySet<number>): readonly (readonly [CellState, PlacedCell, readonly number[]])[] | undefined => {
    const wanted = wish.cells[at];
    if (wanted === undefined) return [];
    for (const state of order) {
      if (taken.has(state.cell.id)) continue;
      const extra = at === 0 && wish.emulatorThreads === 'isolate' ? 1 : 0;
      const one = fitCell(wanted, wish, state, extra, ramRatio, cpuRatio);
      if (one === undefined) continue;
      const rest = place(at + 1, new Set([...taken, state.cell.id]));
      if (rest !== undefined) return [[state, one.placed, one.emulatorCpus], ...rest];
    }
    return undefined;
  };
  const found = place(0, new Set());
  return found === undefined ? undefined : { cells: found.map(([, cell]) => cell), emulatorCpus: found.flatMap(([, , cpus]) => cpus) };
}

function fitCell(
  wanted: CellWish,
  wish: TopologyWish,
  state: CellState,
  extra: number,
  ramRatio: number,
  cpuRatio: number,
): { readonly placed: PlacedCell; readonly emulatorCpus: readonly number[] } | undefined {
  const { cell } = state;
  if (wanted.shared.length > cell.sharedCpus.length * cpuRatio) return undefined;
  const pageSizeKb = pagesFor(wish.pageSize, wanted.memoryMb, state);
  if (pageSizeKb === undefined) return undefined;
  // pinned memory is never promised twice
  const ratio = pageSizeKb === null && wish.dedicatedCpus === 0 ? ramRatio : 1;
  if (state.usedMemoryMb + wanted.memoryMb > cell.memoryMb * ratio) return undefined;
  const cpus = choose(wanted.dedicated.length + extra, wish, state);
  if (cpus === undefined) return undefined;
  const [own, emulatorCpus] = [cpus.slice(0, wanted.dedicated.length), cpus.slice(wanted.dedicated.length)];
  const pins = Object.fromEntries(wanted.dedicated.map((vcpu, at) => [String(vcpu), own[at] as number]));
  const isolated = wish.threads === 'isolate';
  const placed: PlacedCell = {
    id: wanted.id,
    hostNode: cell.id,
    shared: wanted.shared,
    pins,
    memoryMb: wanted.memoryMb,
    pageSizeKb,
    isolated,
    siblings: isolated ? [] : siblingsOf(pins, cell.siblings),
  };
  return { placed, emulatorCpus };
}

/** The guest's processors that sit on threads of one core. */
function siblingsOf(pins: Readonly<Record<string, number>>, cores: HostNumaCell['siblings']): readonly (readonly number[])[] {
  return cores.map((core) => Object.entries(pins).flatMap(([vcpu, cpu]) => (core.includes(cpu) ? [Number(vcpu)] : []))).filter((threads) => threads.length > 1);
}

/** Free dedicated processors of a node for so many of a guest, by its policy for threads; undefined when there are not enough. */
function choose(count: number, { threads }: TopologyWish, { cell, usedCpus }: CellState): readonly number[] | undefined {
  if (count === 0) return [];
  const dedicated = new Set(cell.dedicatedCpus);
  const cores = (cell.siblings.length > 0 ? cell.siblings : cell.dedicatedCpus.map((cpu) => [cpu])).map((core) => ({
    free: core.filter((cpu) => dedicated.has(cpu) && !usedCpus.has(cpu)),
    whole: core.every((cpu) => !usedCpus.has(cpu)),
    size: core.length,
  }));
  const take = (from: readonly (readonly number[])[]): readonly number[] | undefined => {
    const cpus = from.flat().slice(0, count);
    return cpus.length < count ? undefined : cpus;
  };
  if (threads === 'isolate') return take(cores.filter(({ free, whole }) => whole && free.length > 0).map(({ free }) => free.slice(0, 1)));
  if (threads === 'require') {
    // whole cores, whose threads the guest sees as threads
    return count % 2 === 0 ? take(cores.flatMap(({ free }) => (free.length < 2 ? [] : [free.slice(0, free.length - (free.length % 2))]))) : undefined;
  }
  // whole cores first, then what is left of others, so that cores stay whole as long as can be
  return take([...cores].sort((a, b) => b.free.length - a.free.length).map(({ free }) => free));
}

/** The page size of a node's memory: null where the guest does not care, undefined where the node has no such pages left. */
function pagesFor(wish: PageWish | undefined, memoryMb: number, state: CellState): number | null | undefined {
  if (wish === undefined) return null;
  const sizes = [...state.cell.pages].sort((a, b) => b.sizeKb - a.sizeKb);
  const smallest = Math.min(...sizes.map(({ sizeKb }) => sizeKb));
  const fits = ({ sizeKb, total }: HostNumaCell['pages'][number]): boolean => {
    const needed = (memoryMb * 1_024) / sizeKb;
    return Number.isInteger(needed) && total - (state.usedPages.get(sizeKb) ?? 0) >= needed;
  };
  const allowed = sizes.filter(({ sizeKb }) =>
    wish === 'any' ? true : wish === 'small' ? sizeKb === smallest : wish === 'large' ? sizeKb > smallest : sizeKb === wish,
  );
  return allowed.find(fits)?.sizeKb;
}
