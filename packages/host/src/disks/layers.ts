import { BASES } from './layout.ts';
import type { DiskRecord, Layer } from './record.ts';

/** Every chain of a disk: what is written, each snapshot, and the top layer to come. */
export function chains(record: DiskRecord): readonly (readonly Layer[])[] {
  const all: (readonly Layer[])[] = [record.layers, ...record.snapshots.map((s) => s.layers)];
  if (record.pending) all.push([record.pending.layer, ...record.layers]);
  return all;
}

/** Two layers that could be one: nothing but `upper` is built on `lower`, and no disk or snapshot ends there. */
export interface Mergeable {
  readonly upper: Layer;
  readonly lower: Layer;
  /** What backs `lower`; from then on it backs `upper`. */
  readonly below: Layer | undefined;
}

/**
 * Who uses which layer file. Nothing is counted on disk: the counts follow from the records, so they cannot drift. A layer that no
 * chain names can be removed; one that only carries a single other layer can be merged into that.
 */
export class LayerUse {
  readonly #uses = new Map<string, number>();
  readonly #heads = new Map<string, number>();
  /** For each layer those directly above it, with the number of chains that say so. */
  readonly #above = new Map<string, Map<string, number>>();
  /** For each layer the disks that have it in a chain, with the number of chains. */
  readonly #disks = new Map<string, Map<string, number>>();

  add(record: DiskRecord): void {
    for (const chain of chains(record)) this.#count(record.diskId, chain, 1);
  }

  remove(record: DiskRecord): void {
    for (const chain of chains(record)) this.#count(record.diskId, chain, -1);
  }

  disksOf(file: string): readonly string[] {
    return [...(this.#disks.get(file)?.keys() ?? [])];
  }

  isUsed(file: string): boolean {
    return this.#uses.has(file);
  }

  /** The first place in a chain where two layers can be made one; base images stay, they are for everyone. */
  mergeable(chain: readonly Layer[], except: (merge: Mergeable) => boolean): Mergeable | undefined {
    for (let i = 1; i < chain.length; i++) {
      const [upper, lower] = [chain[i - 1], chain[i]];
      if (!upper || !lower || lower.file.startsWith(`${BASES}/`) || this.#heads.has(lower.file) || this.#above.get(lower.file)?.size !== 1) continue;
      const merge = { upper, lower, below: chain[i + 1] };
      if (!except(merge)) return merge;
    }
    return undefined;
  }

  #count(diskId: string, chain: readonly Layer[], by: number): void {
    chain.forEach((layer, i) => {
      bump(this.#uses, layer.file, by);
      bumpIn(this.#disks, layer.file, diskId, by);
      const above = chain[i - 1];
      if (!above) bump(this.#heads, layer.file, by);
      else bumpIn(this.#above, layer.file, above.file, by);
    });
  }
}

function bumpIn(maps: Map<string, Map<string, number>>, outer: string, inner: string, by: number): void {
  const map = maps.get(outer) ?? new Map<string, number>();
  bump(map, inner, by);
  if (map.size === 0) maps.delete(outer);
  else maps.set(outer, map);
}

function bump(counts: Map<string, number>, key: string, by: number): void {
  const count = (counts.get(key) ?? 0) + by;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
