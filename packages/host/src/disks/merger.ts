import { stat, truncate } from 'node:fs/promises';
import type { Logger } from '@cairn/kit/log/log';
import type { OpenDisks } from '../hypervisor/open-disks.ts';
import type { DiskStore } from './disk-store.ts';
import { type Mergeable, chains } from './layers.ts';
import type { Layout } from './layout.ts';
import type { LiveState } from './live.ts';
import type { Locks } from './locks.ts';
import type { QemuImg } from './qemu-img.ts';
import type { DiskRecord, Layer } from './record.ts';

export interface MergerOptions {
  readonly store: DiskStore;
  readonly layout: Layout;
  readonly qemuImg: QemuImg;
  readonly openDisks: OpenDisks;
  readonly locks: Locks;
  readonly live: LiveState;
  readonly log: Logger;
}

const MAX_ATTEMPTS = 3;

/**
 * Makes chains short again, in the background: when a snapshot or a clone went, the layer that only it needed is merged with the one
 * above. At every moment of a merge the chain reads the same, so it may be interrupted anywhere (by a crash, or since somebody wants the
 * disk); it is then begun anew.
 *
 * Closed, the smaller of the two is written into the other. Open in a guest, the lower is always pulled up into the upper by the guest's
 * QEMU: the other way the guest would write to another file than the record says, and a crash between could not be told afterwards.
 */
export class Merger {
  readonly #options: MergerOptions;
  readonly #queue = new Set<string>();
  readonly #attempts = new Map<string, number>();
  readonly #running = new Map<string, AbortController>();
  /** How many wait for each disk. */
  readonly #wanted = new Map<string, number>();
  #worker: Promise<void> | undefined;
  #stopped = false;

  constructor(options: MergerOptions) {
    this.#options = options;
  }

  /** Looks at a disk's chains, soon. */
  schedule(diskIds: Iterable<string>): void {
    if (this.#stopped) return;
    for (const diskId of diskIds) this.#queue.add(diskId);
    this.#worker ??= this.#work().finally(() => {
      this.#worker = undefined;
      if (this.#queue.size > 0) this.schedule([]);
    });
  }

  /** Runs work that needs the disk (and takes its lock): a merge that has it is broken off, and none begins before the work has the lock. */
  async giveWay<T>(diskId: string, run: (hasLock: () => void) => Promise<T>): Promise<T> {
    this.#wanted.set(diskId, (this.#wanted.get(diskId) ?? 0) + 1);
    let waiting = true;
    const hasLock = (): void => {
      if (!waiting) return;
      waiting = false;
      const left = (this.#wanted.get(diskId) ?? 1) - 1;
      if (left === 0) this.#wanted.delete(diskId);
      else this.#wanted.set(diskId, left);
    };
    this.#running.get(diskId)?.abort();
    try {
      return await run(hasLock);
    } finally {
      hasLock();
    }
  }

  /** Resolves when there is nothing left to merge. */
  async idle(): Promise<void> {
    while (this.#worker) await this.#worker;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#queue.clear();
    for (const abort of this.#running.values()) abort.abort();
    await this.#worker;
  }

  async #work(): Promise<void> {
    // A disk is used soon after what made the merge possible: that goes first.
    await new Promise((resolve) => setImmediate(resolve));
    while (!this.#stopped) {
      const [diskId] = this.#queue;
      if (diskId === undefined) return;
      this.#queue.delete(diskId);
      try {
        if (await this.#mergeOne(diskId)) this.#queue.add(diskId);
      } catch (error) {
        this.#options.log.warn({ disk: diskId, err: error }, 'layers of a disk could not be merged');
        this.#queue.add(diskId);
      }
    }
  }

  #find(diskId: string): Mergeable | undefined {
    const record = this.#options.store.get(diskId);
    if (!record || record.pending) return undefined;
    for (const chain of chains(record)) {
      const merge = this.#options.store.use.mergeable(chain, (m) => (this.#attempts.get(key(m)) ?? 0) >= MAX_ATTEMPTS);
      if (merge) return merge;
    }
    return undefined;
  }

  /** True when the disk's chains changed. */
  async #mergeOne(diskId: string): Promise<boolean> {
    const { store, locks } = this.#options;
    const candidate = this.#find(diskId);
    if (!candidate) return false;
    const affected = store.usersOf(candidate.upper.file);
    return locks.run(affected.map(diskKey), async () => {
      const merge = this.#find(diskId);
      if (!merge || key(merge) !== key(candidate) || store.usersOf(merge.upper.file).join() !== affected.join()) return true;
      if (affected.some((id) => this.#wanted.has(id))) return true;
      const name = key(merge);
      this.#attempts.set(name, (this.#attempts.get(name) ?? 0) + 1);
      const abort = new AbortController();
      for (const id of affected) this.#running.set(id, abort);
      try {
        const records = affected.map((id) => store.need(id));
        const done = await this.#merge(merge, records, abort.signal);
        this.#attempts.delete(name);
        return done;
      } catch (error) {
        // An interrupted merge failed for no reason of its own.
        if (!abort.signal.aborted) throw error;
        this.#attempts.delete(name);
        return true;
      } finally {
        for (const id of affected) this.#running.delete(id);
      }
    });
  }

  async #merge(merge: Mergeable, records: readonly DiskRecord[], signal: AbortSignal): Promise<boolean> {
    const { openDisks } = this.#options;
    const open = records.filter((record) => openDisks.holder(record.diskId) !== undefined && record.layers.some((layer) => layer.file === merge.upper.file));
    const [only] = open;
    // Files that several guests read cannot be changed; when one of them ends, a later change tries again.
    if (open.length > 1 || (only && openDisks.holders(only.diskId).length > 1)) return false;
    if (only) await this.#pullLive(merge, only, signal);
    else if (await this.#commitClosed(merge, records, signal)) return true;
    else await this.#pullClosed(merge, records, signal);
    return true;
  }

  async #pullLive(merge: Mergeable, record: DiskRecord, signal: AbortSignal): Promise<void> {
    const { openDisks, live, store, layout } = this.#options;
    const [top, base] = store.absolute([merge.upper, ...(merge.below ? [merge.below] : [])]);
    if (!top) return;
    await live.during(record.diskId, () => openDisks.pull(record.diskId, { top, ...(base ? { base } : {}) }, { signal }));
    if (record.layers[0]?.file !== merge.upper.file) await layout.freeze(merge.upper.file);
    await this.#dropLower(merge);
  }

  async #pullClosed(merge: Mergeable, records: readonly DiskRecord[], signal: AbortSignal): Promise<void> {
    const { store, layout, qemuImg } = this.#options;
    const chain = below(records, merge.upper);
    const written = records.some((record) => record.layers[0]?.file === merge.upper.file);
    const files = new Map(store.absolute(chain).map((layer) => [layer.path, layer.file]));
    const writing = async (path: string, work: () => Promise<void>): Promise<void> => {
      const file = files.get(path) as string;
      await layout.lend(file);
      try {
        await work();
      } finally {
        if (!written || file !== merge.upper.file) await layout.freeze(file);
      }
    };
    await qemuImg.rebase(store.absolute(chain), merge.below && store.absolute([merge.below])[0], {
      sourceBytes: await this.#bytes(merge.lower),
      signal,
      writing,
    });
    await this.#dropLower(merge);
  }

  /** Writes a disk's own top layer down, where that is less to copy or makes the disk a plain raw file again. */
  async #commitClosed(merge: Mergeable, records: readonly DiskRecord[], signal: AbortSignal): Promise<boolean> {
    const { store, layout, qemuImg } = this.#options;
    const [record] = records;
    if (!record || records.length > 1 || record.layers[0]?.file !== merge.upper.file || record.snapshots.some((s) => s.layers[0]?.file === merge.upper.file))
      return false;
    const [upperBytes, lowerBytes] = await Promise.all([this.#bytes(merge.upper), this.#bytes(merge.lower)]);
    if (upperBytes > lowerBytes && merge.lower.format !== 'raw') return false;
    for (const { file } of [merge.upper, merge.lower]) await layout.lend(file);
    await this.#growTo(record);
    await qemuImg.commit(store.absolute(record.layers), { sourceBytes: upperBytes, signal });
    await store.put({ ...record, layers: record.layers.slice(1) });
    return true;
  }

  /** Gives the second layer the disk's size, as the first has it. */
  async #growTo(record: DiskRecord): Promise<void> {
    const { store, layout, qemuImg } = this.#options;
    const chain = record.layers.slice(1);
    const lower = chain[0] as Layer;
    const path = layout.path(lower.file);
    if (lower.format === 'qcow2') await qemuImg.resize(store.absolute(chain), record.sizeBytes);
    else if ((await stat(path)).size < record.sizeBytes) await truncate(path, record.sizeBytes);
  }

  /** The upper layer has it all now: takes the lower out of every chain. Each record by itself is right before and after. */
  async #dropLower(merge: Mergeable): Promise<void> {
    const { store } = this.#options;
    const without = (chain: readonly Layer[]): readonly Layer[] => chain.filter((layer) => layer.file !== merge.lower.file);
    for (const diskId of store.usersOf(merge.lower.file)) {
      const record = store.need(diskId);
      await store.put({ ...record, layers: without(record.layers), snapshots: record.snapshots.map((s) => ({ ...s, layers: without(s.layers) })) });
    }
  }

  async #bytes(layer: Layer): Promise<number> {
    return (await stat(this.#options.layout.path(layer.file))).blocks * 512;
  }
}

export const diskKey = (diskId: string): string => `disk:${diskId}`;
const key = (merge: Mergeable): string => `${merge.upper.file}|${merge.lower.file}`;

/** The part of any chain from `layer` down. */
function below(records: readonly DiskRecord[], layer: Layer): readonly Layer[] {
  for (const chain of records.flatMap(chains)) {
    const at = chain.findIndex((l) => l.file === layer.file);
    if (at >= 0) return chain.slice(at);
  }
  return [layer];
}
