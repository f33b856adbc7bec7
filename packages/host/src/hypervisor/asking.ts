import { conflict } from '@cairn/kit/errors/errors';
import { sameLayer } from './blockdev.ts';
import type { DiskLayer, DiskResolver, OpenableDisk } from './open-disks.ts';

interface Question {
  /** A layer that was accepted as the disk's top since the question was put. */
  promised: DiskLayer | undefined;
}

/** More than one snapshot a start is rare; this many in a row are an error. */
const MOST_QUESTIONS = 10;

/**
 * Disks whose layers are being asked for: a guest holds them already and has not opened them yet. Disks may keep its answer back until work
 * that it has asked for is done, so that work must not wait for the guest. A snapshot is simply accepted: the answer will name
 * the new layer, and if it does not (it was on its way already), the question is put again.
 */
export class Asking {
  readonly #byDisk = new Map<string, Set<Question>>();

  has(diskId: string): boolean {
    return this.#byDisk.has(diskId);
  }

  /** Accepts `top` as what the guest will write to. */
  promise(diskId: string, top: DiskLayer): void {
    for (const question of this.#byDisk.get(diskId) ?? []) question.promised = top;
  }

  /** Asks for the layers of a disk. */
  async ask(diskId: string, resolver: DiskResolver): Promise<OpenableDisk> {
    for (let i = 0; i < MOST_QUESTIONS; i++) {
      const question: Question = { promised: undefined };
      const open = this.#byDisk.get(diskId) ?? new Set();
      this.#byDisk.set(diskId, open.add(question));
      try {
        const disk = await resolver(diskId);
        const [top] = disk.layers;
        if (!question.promised || (top && sameLayer(top, question.promised))) return disk;
      } finally {
        open.delete(question);
        if (open.size === 0) this.#byDisk.delete(diskId);
      }
    }
    throw conflict('The disk changes all the time; try again.');
  }
}
