import type { DiskResolver } from '../hypervisor/open-disks.ts';
import type { Disks } from '../interface/disks.ts';

/** What an agent needs of a back end: the disks, and how a guest opens one. */
export interface DiskRoom extends Disks {
  /** Finds what an earlier run left. Called when the hypervisor has found its guests again. */
  start(): Promise<void>;
  /** Ends work in the background. Nothing is lost by it. */
  stop(): Promise<void>;
  readonly resolve: DiskResolver;
}
