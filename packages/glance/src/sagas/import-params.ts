import type { ImportMethod } from '../options.ts';
import type { Stored } from '../stores/intake.ts';

/** A store to bring data to, with the key that it gets there: minted once, so that a retry finds its own work. */
export interface Destination {
  readonly store: string;
  readonly key: string;
}

export interface ImportParams {
  readonly taskId: string;
  readonly imageId: string;
  readonly method: ImportMethod;
  readonly destinations: readonly Destination[];
  /** One store that fails, fails all. */
  readonly mustSucceed: boolean;
  /** Of web-download. */
  readonly uri?: string | undefined;
  /** Of glance-download: an image of another cloud's glance. */
  readonly remote?: { readonly url: string; readonly imageId: string } | undefined;
  /** Of who asked. */
  readonly roles: readonly string[];
}

/** A file in the staging area, with what was found while it came in. */
export type Arrived = Pick<Stored, 'sizeBytes' | 'md5' | 'hash'> & { readonly file: string };

/** A file that is ready for the stores. */
export interface Prepared extends Arrived {
  readonly virtualSizeBytes: number | null;
  /** Set where the import changed it. */
  readonly diskFormat: string | null;
  readonly containerFormat: string | null;
  /** What the image was declared to be before that. */
  readonly declared: { readonly disk_format: string | null; readonly container_format: string | null };
}
