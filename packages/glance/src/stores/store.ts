import type { Readable } from 'node:stream';

/** Where the data of one image is within a store: under a key that glance gave it, or behind a URL that somebody named. */
export interface DataRef {
  readonly key: string | null;
  readonly url: string | null;
}

/** Both ends inclusive. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** Takes one image's data; what was not `finish`ed is not there. */
export interface Sink {
  /** Resolves when the block may be used for other data. Blocks come in order; more than one may be under way. */
  write(block: Buffer): Promise<void>;
  /** The data is whole, durable, and found under its key. */
  finish(): Promise<void>;
  /** Nothing is left. Tolerates being called after anything. */
  abort(): Promise<void>;
}

/**
 * One place for image data. Data never changes under its key: a new upload has a new key. Object stores (S3, Swift) fit here, too:
 * `sink` is a multipart upload, `read` a ranged GET.
 */
export interface ImageStore {
  readonly id: string;
  readonly type: 'file' | 'http';
  readonly description: string;
  readonly weight: number;
  /** A store that takes no data. */
  readonly readOnly: boolean;
  /** At the start: makes its places, and removes its own data that nobody knows, and halves of data. */
  prepare(known: ReadonlySet<string>): Promise<void>;
  /** Begins to take data in under a new key. Throws for a read-only store. */
  sink(key: string, expectedBytes?: number): Promise<Sink>;
  /** Takes a whole file of this machine over as a name or copy of its own; undefined when it cannot, and has to be given the data. */
  adopt?(key: string, path: string): Promise<boolean>;
  /** Throws NotFound when the data is not there, Unavailable when it cannot be reached. */
  read(ref: DataRef, range?: ByteRange): Promise<Readable>;
  /** Length of data behind a URL that somebody names; throws InvalidInput when it cannot be told. */
  sizeOf?(url: string): Promise<number>;
  /** Tolerates absence. Data behind somebody's URL stays. */
  remove(ref: DataRef): Promise<void>;
  /** The location's URL. */
  url(ref: DataRef): string;
  /** A file of this machine that holds the data. */
  path?(ref: DataRef): Promise<string | undefined>;
  /** For `GET /v2/info/stores/detail`. */
  properties(): object;
}
