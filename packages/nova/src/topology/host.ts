import type { HostFacts, HostNumaCell } from '@cairn/host/interface/agent';
import type { Db } from '@cairn/kit/store/store';
import type { NovaDeps } from '../app/deps.ts';
import type { ComputeNodeRow } from '../store/compute-node.ts';
import { topologiesOfServer, topologiesOn } from '../store/topology.ts';
import { cellStates, fitTopology, type PlacedTopology } from './fit.ts';
import type { TopologyWish } from './wish.ts';

/** What servers may have of a host's nodes; one that tells none has all that it has in one, and small pages alone. */
function cellsOfHost(row: Pick<ComputeNodeRow, 'numa_json' | 'vcpus' | 'memory_mb'>, { reservedPages }: FitOptions): readonly HostNumaCell[] {
  const cells = row.numa_json === null ? [wholeHost(row.vcpus, row.memory_mb)] : (JSON.parse(row.numa_json) as readonly HostNumaCell[]);
  if (reservedPages.length === 0) return cells;
  const kept = (node: number, sizeKb: number): number =>
    reservedPages.filter((one) => one.node === node && one.sizeKb === sizeKb).reduce((sum, one) => sum + one.count, 0);
  return cells.map((cell) => ({
    ...cell,
    pages: cell.pages.map(({ sizeKb, total }) => ({ sizeKb, total: Math.max(0, total - kept(cell.id, sizeKb)) })),
  }));
}
type FitOptions = Pick<NovaDeps['options'], 'cpuAllocationRatio' | 'ramAllocationRatio' | 'reservedPages'>;

const wholeHost = (vcpus: number, memoryMb: number): HostNumaCell => ({
  id: 0,
  sharedCpus: Array.from({ length: vcpus }, (_, cpu) => cpu),
  dedicatedCpus: [],
  siblings: [],
  memoryMb,
  pages: [{ sizeKb: 4, total: memoryMb * 256 }],
});

/** How many processors of a host servers share, and how many are given to one each. */
export function cpusOf(facts: Pick<HostFacts, 'vcpus' | 'numa'>): { readonly shared: number; readonly dedicated: number } {
  if (facts.numa === undefined) return { shared: facts.vcpus, dedicated: 0 };
  const sum = (count: (cell: HostNumaCell) => number): number => facts.numa?.reduce((total, cell) => total + count(cell), 0) ?? 0;
  return { shared: sum((cell) => cell.sharedCpus.length), dedicated: sum((cell) => cell.dedicatedCpus.length) };
}

/** Where the wish fits on a host beside what is held there; undefined where it does not. */
export function fitOnHost(
  options: FitOptions,
  node: Pick<ComputeNodeRow, 'numa_json' | 'vcpus' | 'memory_mb'>,
  held: readonly PlacedTopology[],
  wish: TopologyWish,
): PlacedTopology | undefined {
  return fitTopology(wish, cellStates(cellsOfHost(node, options), held), options.ramAllocationRatio, options.cpuAllocationRatio);
}

export const heldOn = async (db: Db, host: string): Promise<readonly PlacedTopology[]> => (await topologiesOn(db, [host])).get(host) ?? [];

/**
 * Where a server's guest sits on its host. While a resize on one host waits for its confirmation two claims are there: the one that fits the
 * server's memory of now is meant, and of two alike the server's own.
 */
export async function topologyOfServer(
  db: Db,
  server: { readonly id: string; readonly host: string | null; readonly memory_mb: number; readonly vcpus: number },
): Promise<PlacedTopology | undefined> {
  if (server.host === null) return undefined;
  const held = await topologiesOfServer(db, server.id, server.host);
  const fits = ({ placed }: (typeof held)[number]): boolean =>
    placed.cells.reduce((sum, cell) => sum + cell.memoryMb, 0) === server.memory_mb &&
    placed.cells.reduce((sum, cell) => sum + cell.shared.length + Object.keys(cell.pins).length, 0) === server.vcpus;
  const fitting = held.filter(fits);
  return (fitting.find(({ consumerId }) => consumerId === server.id) ?? fitting[0])?.placed;
}
