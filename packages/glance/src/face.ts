import type { Readable } from 'node:stream';
import type { ImageSource } from '@cairn/host/interface/disks';
import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';

export interface ImageFacts {
  readonly id: string;
  readonly name: string | null;
  readonly status: string;
  readonly visibility: string;
  readonly owner: string | null;
  readonly protected: boolean;
  readonly diskFormat: string | null;
  readonly containerFormat: string | null;
  readonly sizeBytes: number | null;
  readonly virtualSizeBytes: number | null;
  readonly minDiskGb: number;
  readonly minRamMb: number;
  readonly checksum: string | null;
  readonly osHashAlgo: string | null;
  readonly osHashValue: string | null;
  readonly tags: readonly string[];
  /** Additional properties (hw_*, os_*, kernel_id ...). */
  readonly properties: Readonly<Record<string, string>>;
  readonly createdAtMs: number;
  readonly updatedAtMs: number;
}

export interface NewImage {
  /** Minted by the caller, so that a retry finds its own work. */
  readonly id: string;
  readonly name: string;
  readonly diskFormat: string;
  readonly containerFormat: string;
  readonly minDiskGb?: number;
  readonly minRamMb?: number;
  readonly visibility?: 'private' | 'public' | 'shared' | 'community';
  readonly protected?: boolean;
  readonly properties: Readonly<Record<string, string>>;
}

/** What other services may ask of glance. */
export interface GlanceFace {
  /** The image as `ctx` sees it; throws NotFound for what it may not see. */
  image(db: Db, ctx: Context, imageId: string): Promise<ImageFacts>;
  /** Images of this name that `ctx` sees; two at most, as that is one too many already. */
  named(db: Db, ctx: Context, name: string): Promise<readonly ImageFacts[]>;
  /** Where an active image's data is, for hosts. Throws Conflict when it is not active. */
  source(db: Db, imageId: string): Promise<ImageSource>;
  open(imageId: string): Promise<Readable>;
  /**
   * Reads an image through and compares it with its signature. Throws InvalidInput for an image that is not signed or not as it was signed
   * (`SignatureVerificationError`), and for one whose certificate none of `trusted` (ids) vouches for (`CertificateValidationFailed`);
   * undefined: any certificate of the cloud's will do.
   */
  verifySignature(imageId: string, trusted: readonly string[] | undefined, signal?: AbortSignal): Promise<void>;
  /** A queued image owned by the context's project; finds an earlier one with the same id. Checks quota and policy. */
  create(tx: Tx, ctx: Context, image: NewImage): Promise<ImageFacts>;
  /** Takes the data in (hashes, inspection) and makes the image active; again after a failure starts from nothing. */
  upload(imageId: string, data: Readable, signal?: AbortSignal): Promise<void>;
  /** Sets `virtual size`-like facts or properties that only the maker knows. */
  setProperties(tx: Tx, imageId: string, properties: Readonly<Record<string, string | null>>): Promise<void>;
  /** Removes an image that a failed saga made. Tolerates absence. */
  discard(imageId: string): Promise<void>;
}
