import type { ImageSource } from './disks.ts';
import type { GuestDisk, GuestSpec } from './guests.ts';

/** What a guest must have in common with the template that it is started from: everything but who it is, its further disks and its cards. */
export interface TemplateSpec {
  readonly image: ImageSource;
  /** The root disk's virtual size. */
  readonly sizeBytes: number;
  readonly root: Omit<GuestDisk, 'diskId'>;
  readonly machine: Omit<GuestSpec, 'guestId' | 'name' | 'disks' | 'nics'>;
}

/** A template to start from, with what the guest's root disk has to be made of; or why there is none. */
export type PreparedTemplate =
  | { readonly templateId: string; readonly disk: { readonly diskId: string; readonly snapshotId: string } }
  | { readonly templateId?: undefined; readonly reason: string };

export interface TemplateInfo {
  readonly templateId: string;
  readonly imageId: string;
  readonly state: 'making' | 'ready' | 'refused';
  /** Why it is refused, for users. */
  readonly reason?: string;
  readonly memoryMb: number;
  /** What it takes of the host's disk. */
  readonly usedBytes: number;
  /** When it was made, or when its making began. Unix epoch milliseconds. */
  readonly atMs: number;
}

/**
 * Machines that were kept, memory and disk, when their image had booted and before they were anybody's. Guests start from them in a fraction
 * of a boot (docs/fast-starts.md). A template knows no user, no network and no secret: it is as public as its image.
 */
export interface Templates {
  /**
   * Finds the template of an image and a machine, or makes it, which takes as long as the image boots; those who ask meanwhile wait for the
   * same one. An image that cannot be one is remembered for a while. Rejects only when the signal aborts or the host stops: a template
   * that cannot be is an answer.
   */
  prepare(spec: TemplateSpec, signal?: AbortSignal): Promise<PreparedTemplate>;
  list(): Promise<readonly TemplateInfo[]>;
  /** Forgets all templates of an image. Guests that were started from them go on. */
  drop(imageId: string): Promise<void>;
}
