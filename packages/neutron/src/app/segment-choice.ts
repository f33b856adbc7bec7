import type { Tx } from '@cairn/kit/store/store';
import { invalidInput, noNetworkAvailable } from '../errors.ts';
import { insertSegment, rangesOfType, usedIds } from '../store/segments.ts';
import type { SegmentRangeRow, SegmentRow } from '../store/tables.ts';
import type { NeutronApp } from './deps.ts';
import { isTunnel, type Segment, segmentInUse } from './segments.ts';

/** A run of ids that may be given out. */
interface Run {
  readonly physicalNetwork: string;
  readonly first: number;
  readonly last: number;
}

/** How often chance is tried in runs too long to be looked through. */
const TRIES = 20;
/** Up to this many ids what is taken is looked up, so that the last free one is found. */
const SHORT = 4096;

/**
 * Writes a segment on what was asked for, with an id of the ranges that are for the project where none was named. Throws what upstream's type
 * drivers do: taken ones are a conflict, and so many that none is left make NoNetworkAvailable.
 */
export async function reserveSegment(
  app: NeutronApp,
  tx: Tx,
  rest: Omit<SegmentRow, keyof Segment>,
  asked: Segment | undefined,
  projectId: string,
): Promise<SegmentRow> {
  const type = asked?.network_type ?? app.settings.tenantNetworkType;
  const named: Segment = { network_type: type, physical_network: asked?.physical_network ?? '', segmentation_id: asked?.segmentation_id ?? 0 };
  if (named.segmentation_id !== 0 || (type !== 'vlan' && !isTunnel(type))) {
    const row = { ...rest, ...named };
    if (!(await insertSegment(tx, row))) throw segmentInUse(named);
    return row;
  }
  const ranges = (await rangesOfType(tx, type)).filter((range) => named.physical_network === '' || range.physical_network === named.physical_network);
  if (ranges.length === 0 && named.physical_network !== '')
    throw invalidInput(`Physical network ${named.physical_network} requires segmentation_id to be specified when creating a provider network`);
  for (const runs of [ownRuns(ranges, projectId), sharedRuns(ranges, projectId)]) {
    const row = await takeFrom(app, tx, { ...rest, ...named }, runs);
    if (row) return row;
  }
  throw noNetworkAvailable();
}

const runOf = (range: SegmentRangeRow): Run => ({ physicalNetwork: range.physical_network, first: Number(range.minimum), last: Number(range.maximum) });

const ownRuns = (ranges: readonly SegmentRangeRow[], projectId: string): Run[] =>
  projectId === '' ? [] : ranges.filter((range) => range.shared === 0 && range.project_id === projectId).map(runOf);

/** What is for everybody, without what is for other projects alone. */
function sharedRuns(ranges: readonly SegmentRangeRow[], projectId: string): Run[] {
  let runs = ranges.filter((range) => range.shared === 1).map(runOf);
  for (const other of ranges.filter((range) => range.shared === 0 && range.project_id !== projectId).map(runOf))
    runs = runs.flatMap((run) => (run.physicalNetwork === other.physicalNetwork ? without(run, other) : [run]));
  return runs;
}

function without(run: Run, gone: Run): Run[] {
  if (gone.last < run.first || gone.first > run.last) return [run];
  return [
    { ...run, last: gone.first - 1 },
    { ...run, first: gone.last + 1 },
  ].filter((part) => part.first <= part.last);
}

async function takeFrom(app: NeutronApp, tx: Tx, row: SegmentRow, runs: readonly Run[]): Promise<SegmentRow | undefined> {
  const chance = (below: number): number => app.env.ids.bytes(4).readUInt32BE(0) % below;
  const size = (run: Run): number => run.last - run.first + 1;
  const total = runs.reduce((sum, run) => sum + size(run), 0);
  for (let attempt = 0; total > 0 && attempt < TRIES; attempt++) {
    let at = chance(total);
    for (const run of runs) {
      if (at < size(run)) {
        const tried = { ...row, physical_network: run.physicalNetwork, segmentation_id: run.first + at };
        if (await insertSegment(tx, tried)) return tried;
        break;
      }
      at -= size(run);
    }
  }
  for (const run of runs) {
    if (size(run) > SHORT) continue;
    const used = await usedIds(tx, { network_type: row.network_type, physical_network: run.physicalNetwork, minimum: run.first, maximum: run.last });
    const taken = new Set(used.map((each) => each.segmentation_id));
    for (let id = run.first; id <= run.last; id++) {
      const tried = { ...row, physical_network: run.physicalNetwork, segmentation_id: id };
      if (!taken.has(id) && (await insertSegment(tx, tried))) return tried;
    }
  }
  return undefined;
}
