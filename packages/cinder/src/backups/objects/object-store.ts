import type { Readable } from 'node:stream';

/** Data of an object, as often as it is asked for: a failed request is made again. */
export interface ObjectBody {
  readonly sizeBytes: number;
  /** Hexadecimal. */
  readonly md5: string;
  readonly sha256: string;
  stream(): Readable;
}

/**
 * Objects in containers of a store somewhere else, by HTTP. Failures are CairnErrors: NotFound; Unavailable for what may go by, after it was tried
 * several times; Conflict with words for what will not.
 */
export interface ObjectStore {
  /** Throws NotFound for a container that is not there and may not be made. */
  makeContainer(container: string, signal: AbortSignal): Promise<void>;
  put(container: string, name: string, body: ObjectBody, signal: AbortSignal): Promise<void>;
  /** The whole object. Longer than `maxBytes` is Conflict. */
  get(container: string, name: string, maxBytes: number, signal: AbortSignal): Promise<Buffer>;
  /** An object while it comes, for what does not fit into memory: `take` reads it, again when the connection broke. */
  read<T>(container: string, name: string, take: (data: Readable) => Promise<T>, signal: AbortSignal): Promise<T>;
  /** Names that begin with `prefix`; none where there is no such container. */
  list(container: string, prefix: string, signal: AbortSignal): Promise<readonly string[]>;
  /** Tolerates absence. */
  remove(container: string, name: string, signal: AbortSignal): Promise<void>;
}
