import type { DiskResolver } from '../hypervisor/open-disks.ts';
import type { KeptDisks } from '../interface/disks.ts';

/** A back end as a host has it. */
export interface DiskRoom {
  readonly disks: KeptDisks;
  /** How a guest opens a disk. */
  readonly resolve: DiskResolver;
  /** Finds what an earlier run left. Called when the hypervisor has found its guests again. */
  start(): Promise<void>;
  /** Ends work in the background. Nothing is lost by it. */
  stop(): Promise<void>;
}
