import { conflict } from '@cairn/kit/errors/errors';
import type { OpenDisks } from '../hypervisor/open-disks.ts';
import type { DiskStore } from './disk-store.ts';
import { asPublic } from './faults.ts';
import type { Layout } from './layout.ts';
import type { LiveState } from './live.ts';
import { isEmptyLayer } from './qemu-img.ts';
import type { DiskRecord, Layer } from './record.ts';

export interface TopLayersOptions {
  readonly store: DiskStore;
  readonly layout: Layout;
  readonly openDisks: OpenDisks;
  readonly live: LiveState;
}

/** Moves disks to new top layers, so that what they hold stays as it is. All under the disk's lock. */
export class TopLayers {
  readonly #options: TopLayersOptions;

  constructor(options: TopLayersOptions) {
    this.#options = options;
  }

  /** True from before a guest opens the disk until its process is gone. */
  isOpen(diskId: string): boolean {
    return this.#options.openDisks.holder(diskId) !== undefined;
  }

  /** The disk's content as layers that do not change any more; the disk goes on in a new one. */
  async frozen(record: DiskRecord): Promise<readonly Layer[]> {
    const [top, ...rest] = record.layers;
    // Nothing was written since the last time: what lies below is the content.
    const unwritten = top?.format === 'qcow2' && rest.length > 0 && !this.isOpen(record.diskId) && (await isEmptyLayer(this.#options.layout.path(top.file)));
    if (unwritten) return rest;
    await this.cover(record, undefined);
    return record.layers;
  }

  /** Puts a new layer on top of a disk, in its guest if one has it open; what was on top does not change any more. */
  async cover(record: DiskRecord, snapshotId: string | undefined): Promise<DiskRecord> {
    const { diskId } = record;
    if (this.#options.openDisks.holders(diskId).length > 1) throw conflict(`Disk ${diskId} is open in several guests: that has to end first.`);
    const layer = await this.#options.store.newOverlay(record, record.sizeBytes, record.layers);
    const pending = { ...record, pending: { layer, ...(snapshotId === undefined ? {} : { snapshotId }) } };
    try {
      if (this.isOpen(diskId)) await this.#options.store.put(pending);
    } catch (error) {
      await this.#options.store.discard(layer);
      throw error;
    }
    return this.settle(pending);
  }

  async settled(diskId: string): Promise<DiskRecord> {
    const record = this.#options.store.need(diskId);
    return record.pending ? this.settle(record) : record;
  }

  /** Carries a new top layer through: asks the guest to move to it, if one has the disk open, and records it. */
  async settle(record: DiskRecord): Promise<DiskRecord> {
    const { diskId, pending, ...rest } = record;
    if (!pending) return record;
    const { openDisks } = this.#options;
    const target = { format: pending.layer.format, path: this.#options.layout.path(pending.layer.file) };
    // A guest may end and another begin meanwhile. The last look at the holder and the record's change have no guest between them: who
    // comes then waits for the disk's lock in `resolve`.
    for (let attempt = 1; this.isOpen(diskId); attempt++) {
      try {
        await this.#options.live.during(diskId, () => openDisks.snapshotTo(diskId, target));
        break;
      } catch (error) {
        if (!this.isOpen(diskId)) continue;
        const top = await this.#options.live
          .during(diskId, () => openDisks.layers(diskId))
          .then(
            (layers) => layers[0],
            () => undefined,
          );
        if (top && 'path' in top && top.path === target.path) break;
        if (attempt < 3) continue;
        // The guest writes where it wrote before, for certain: as if nothing had been.
        if (top && 'path' in top && top.path === this.#options.store.absolute(record.layers)[0]?.path) await this.#options.store.put({ ...rest, diskId });
        throw asPublic(error, `Disk ${diskId} could not be given a new layer in its guest.`);
      }
    }
    const { snapshotId } = pending;
    const snapshots = snapshotId === undefined ? record.snapshots : [...record.snapshots, { snapshotId, sizeBytes: record.sizeBytes, layers: record.layers }];
    const done = await this.#options.store.put({ ...rest, diskId, layers: [pending.layer, ...record.layers], snapshots });
    await this.#options.layout.freeze((record.layers[0] as Layer).file);
    return done;
  }
}
