/**
 * Which disks are being changed through a guest at the moment. Such a change may wait for a guest that is starting, and that guest asks
 * how to open its disks: it must get its answer without waiting for the change.
 */
export class LiveState {
  readonly #live = new Set<string>();

  has(diskId: string): boolean {
    return this.#live.has(diskId);
  }

  async during<T>(diskId: string, work: () => Promise<T>): Promise<T> {
    this.#live.add(diskId);
    try {
      return await work();
    } finally {
      this.#live.delete(diskId);
    }
  }
}
