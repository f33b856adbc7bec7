import type { FabricFlaw, FabricObject } from '../../interface/fabric.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { helperKey, helperProbe } from '../plan/helpers.ts';

/** Which of the helpers of connection tracking this kernel has. Asked once for each: what a kernel lacks it gets with a boot. */
export class HelperKnowledge {
  readonly #kernel: Kernel;
  readonly #netns: string;
  readonly #known = new Map<string, Promise<boolean>>();

  constructor(kernel: Kernel, netns: string) {
    this.#kernel = kernel;
    this.#netns = netns;
  }

  /** The object without the helpers that this kernel lacks, which are the flaws. */
  async fit<T extends FabricObject>(object: T, flaws: FabricFlaw[]): Promise<T> {
    if (object.kind !== 'router' || !object.conntrackHelpers?.length) return object;
    const had = await Promise.all(object.conntrackHelpers.map((spec) => this.#has(spec)));
    const missing = object.conntrackHelpers.filter((_, i) => !had[i]);
    if (missing.length === 0) return object;
    for (const { helper, protocol } of missing)
      flaws.push({
        kind: 'router',
        id: object.id,
        isPartial: true,
        message: `The router ${object.id} is without the conntrack helper ${helper} of ${protocol}: the kernel of this host does not have it.`,
      });
    return { ...object, conntrackHelpers: object.conntrackHelpers.filter((_, i) => had[i]) };
  }

  #has(spec: Parameters<typeof helperProbe>[0]): Promise<boolean> {
    const key = helperKey(spec);
    let known = this.#known.get(key);
    if (!known) {
      known = this.#kernel.takes(this.#netns, helperProbe(spec));
      this.#known.set(key, known);
      known.catch(() => this.#known.delete(key));
    }
    return known;
  }
}
