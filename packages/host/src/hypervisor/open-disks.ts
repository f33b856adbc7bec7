import type { DiskFormat } from '../interface/disks.ts';

/** A block device is read by another driver than a file. */
export interface DeviceFacts {
  /** What is beyond this is not part of the disk; absent: nothing is. A disk that is bounded so does not grow while it is open. */
  readonly sizeBytes?: number;
}

/** One layer of a disk: a file (or another protocol) and the driver that reads it. Nothing is ever probed. */
export type DiskLayer =
  | { readonly format: DiskFormat; readonly path: string /** The path is a block device's. */; readonly device?: DeviceFacts }
  /** What is not a file of this host, as QEMU's own blockdev options: `{ driver: 'nbd', server: {...}, export: 'x' }`. */
  | { readonly format: DiskFormat; readonly protocol: { readonly driver: string } & Readonly<Record<string, unknown>> };

/** What the hypervisor must know to open a disk. */
export interface OpenableDisk {
  /** The layer that the guest writes comes first, then what backs it, down to the base. Never empty. */
  readonly layers: readonly DiskLayer[];
  /** What the layers hold is encrypted (LUKS), and this secret opens it. */
  readonly keyId?: string;
}

/**
 * Given by Disks: how a disk is opened. Called before every open; `OpenDisks.holder` names the guest from before this call on. Until the
 * answer is there, work of OpenDisks on the disk never waits for the guest (see there), so Disks may keep the answer back until
 * such work is done, or do it within the answer.
 */
export type DiskResolver = (diskId: string) => Promise<OpenableDisk>;

/** Given by Disks: the file of a cached image (kernel, ramdisk). */
export type ImageResolver = (imageId: string) => Promise<string>;

export interface CopyOptions {
  /** Compresses the clusters of a qcow2 target. */
  readonly compress?: boolean;
  readonly signal?: AbortSignal;
  readonly onProgress?: (doneBytes: number, totalBytes: number) => void;
}

/**
 * Work on disks that guests have open, done by their own QEMU processes. Disks asks `holder` first: a disk that is held is
 * changed through here, any other with qemu-img. The hypervisor implements it.
 *
 * Files named here are made by Disks beforehand (qemu-img create) and must be reachable by the guest's user; the hypervisor gives
 * them to that user. Every call rejects with Conflict when no guest holds the disk (any longer), and with Unavailable when the
 * guest ends meanwhile. Calls for one disk are done one after the other; a guest that is starting is waited for, 5 s at most.
 * While a guest's question how to open the disk is not answered, snapshots are accepted at once (the guest will open what the answer
 * names, and asks again when that is not the new layer), and all else rejects at once with Conflict.
 */
export interface OpenDisks {
  /** The guest that has the disk open or is about to, from before its `DiskResolver` is called until its process is gone. */
  holder(diskId: string): string | undefined;
  /** All of them; more than one only where a disk is attached as `shared`. */
  holders(diskId: string): readonly string[];
  /** The layers as they are open now, top first: the truth after a crash in the middle of `snapshotTo`, `commit` or `pull`. */
  layers(diskId: string): Promise<readonly DiskLayer[]>;
  /** Grows the disk; the guest is told. */
  resize(diskId: string, sizeBytes: number): Promise<void>;
  /**
   * From now on the guest writes to `overlay` (qcow2, made with the disk's current top layer as its backing file and the same
   * virtual size); what was the top layer stays as it is at this moment. Asked again with the current top layer, does nothing.
   */
  snapshotTo(diskId: string, overlay: DiskLayer): Promise<void>;
  /** As snapshotTo for several disks of one guest at the same moment. */
  snapshotAllTo(overlays: readonly { readonly diskId: string; readonly overlay: DiskLayer }[]): Promise<void>;
  /** Writes the disk as it is at this moment, whole and without backing, to `target` (made beforehand with the disk's virtual size). */
  backupTo(diskId: string, target: DiskLayer, options?: CopyOptions): Promise<void>;
  /**
   * Merges the layers from `top` down into `base`, where `base` stays; the layers from `top` to above `base` are no longer used
   * afterwards. Where `top` is the disk's own top layer the guest writes to `base` from then on. Changes `base`: nothing else may use it.
   */
  commit(diskId: string, range: { readonly top: DiskLayer; readonly base: DiskLayer }, options?: CopyOptions): Promise<void>;
  /**
   * Merges upwards: all that lies between `top` and `base` (exclusive; absent: down to the bottom) is copied into `top`, which is
   * backed by `base` (or by nothing) from then on. Lower layers are left unchanged, so they may be shared with others.
   */
  pull(diskId: string, range: { readonly top: DiskLayer; readonly base?: DiskLayer }, options?: CopyOptions): Promise<void>;
  /** Moves the disk to `target` (made beforehand, same virtual size, no backing) while the guest runs; it writes there from then on. */
  moveTo(diskId: string, target: DiskLayer, options?: CopyOptions): Promise<void>;
}
