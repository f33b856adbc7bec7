import type { Readable } from 'node:stream';

/** In whose name a backup's objects are reached, for stores that have users of their own: the cloud's. */
export interface Account {
  readonly userId: string;
  readonly projectId: string;
  /** What limits the user's token: what is done in their name has the same limits. */
  readonly trustId?: string;
  readonly applicationCredentialId?: string;
}

/** Where a backup's objects are. */
export interface BackupPlace {
  /** Container or bucket; null where the driver has none. */
  readonly container: string | null;
  /** What their names begin with (`service_metadata` of upstream's rows). */
  readonly place: string;
}

/** A backup as its driver knows it. */
export interface BackupRef extends BackupPlace {
  readonly id: string;
  readonly account: Account;
}

/** What a volume was, in words that travel with its backup. */
export interface VolumeFacts {
  readonly name: string | null;
  readonly bootable: boolean;
  readonly typeId: string | null;
  readonly metadata: Readonly<Record<string, string>>;
  readonly imageMetadata: Readonly<Record<string, string>>;
}

export interface BackupWrite {
  readonly volumeId: string;
  readonly sizeBytes: number;
  /** What an increment builds on. */
  readonly parent?: BackupRef;
  readonly name: string | null;
  readonly description: string | null;
  readonly createdAtMs: number;
  readonly parentId: string | null;
  readonly facts: VolumeFacts;
  readonly signal: AbortSignal;
  /** Called now and then with 0 to 100, and the objects that are stored so far. */
  readonly onProgress?: (percent: number, objects: number) => Promise<void>;
}

export interface BackupFound {
  readonly objects: number;
  /** Of the volume, at most. */
  readonly sizeBytes: number;
  /** What the store has of the volume; undefined where the record is expected to have it. */
  readonly facts?: VolumeFacts;
}

/**
 * One way of keeping backups. All of them are run through driver.suite.fixture.ts. What is wrong with the store is told in CairnErrors with
 * words for the user: Unavailable for what may go by, Conflict and NotFound for what will not.
 */
export interface BackupDriver {
  /** Upstream's class, as `backup_service` of exported records names it. */
  readonly service: string;
  /** Places are in containers, so that equal ones of different containers are different. */
  readonly hasContainers: boolean;
  /** Where a new backup goes. Its row has this before the first object is written, so nothing is lost track of. Throws InvalidInput for a container that cannot be. */
  placeFor(ask: { readonly id: string; readonly volumeId: string; readonly container: string | null; readonly nowMs: number }): BackupPlace;
  /** Where an imported record says that a backup is; undefined where no backup of this driver can be there. */
  importedPlace(record: { readonly id: string; readonly container: string | null; readonly place: string | null }): BackupPlace | undefined;
  /** Stores a raw stream; again, it begins anew. Memory is constant. */
  write(ref: BackupRef, raw: Readable, ask: BackupWrite): Promise<{ readonly objects: number }>;
  /**
   * The last of the chain (full backup first) as a standalone qcow2 image of `sizeBytes`, made while it is read: every block is checked before it
   * is given out. The stream fails with BackupDamaged.
   */
  read(chain: readonly BackupRef[], sizeBytes: number, signal: AbortSignal): Promise<Readable>;
  /** What there is of a backup that is imported. Throws when it is not there, or not whole. */
  inspect(ref: BackupRef, signal: AbortSignal): Promise<BackupFound>;
  /** Removes a backup's objects. Tolerates absence. */
  remove(ref: BackupRef, signal: AbortSignal): Promise<void>;
}
