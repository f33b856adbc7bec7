import type { Readable } from 'node:stream';

export type DiskFormat = 'raw' | 'qcow2';
/** Formats that disks are copied to for the world outside, as glance calls them. */
export type ExportFormat = DiskFormat | 'vmdk' | 'vdi' | 'vhd' | 'vhdx' | 'ploop';
/** Formats an image may have; all but raw and qcow2 are converted when cached. */
export type ImageFormat = DiskFormat | 'vmdk' | 'vdi' | 'vhd' | 'vhdx' | 'qed' | 'ploop' | 'iso' | 'ami' | 'ari' | 'aki';

/** An image to boot or clone from. Its declared format was checked by the inspector; the agent checks again before opening. */
export interface ImageSource {
  readonly imageId: string;
  readonly format: ImageFormat;
  readonly sizeBytes: number;
  /** sha512 of the data, hex; part of the cache key. */
  readonly sha512?: string;
  /** The image holds an encrypted disk as it is stored: a disk from it has the same secret, and nothing is encrypted again. */
  readonly encrypted?: boolean;
  /** A file this host may read (same machine); else the agent streams it by HostCallbacks.openImage. */
  readonly path?: string;
}

export type DiskSource =
  | { readonly kind: 'blank' }
  | { readonly kind: 'image'; readonly image: ImageSource }
  | { readonly kind: 'snapshot'; readonly diskId: string; readonly snapshotId: string }
  /** `recrypt`: what its guest sees is copied, so that either may be encrypted and with another secret. Not while a guest has it open. */
  | { readonly kind: 'disk'; readonly diskId: string; readonly recrypt?: boolean }
  /** A config drive: an ISO 9660 image with label `config-2` from these files (path → base64). */
  | { readonly kind: 'files'; readonly label: string; readonly files: Readonly<Record<string, string>> };

/** An encrypted disk has a LUKS header of this many bytes before its data; exports of it have them too. */
export const LUKS_HEADER_BYTES = 2 * 2 ** 20;

/** How a disk's bytes are encrypted (LUKS, version 1). Whoever reads them as they are stored reads no plaintext; guests do. */
export interface DiskEncryption {
  /** The secret that opens it; the host asks the cloud for it by this id (HostCallbacks.diskKey) when it needs it, and keeps it nowhere. */
  readonly keyId: string;
  /** `aes-xts-plain64`. */
  readonly cipher: string;
  /** 256 or 512. */
  readonly keyBits: number;
}

export interface NewDisk {
  readonly diskId: string;
  /** Virtual size, as a guest sees it; 0 with an image means the image's own. */
  readonly sizeBytes: number;
  readonly source: DiskSource;
  /** An encrypted disk; one whose source is an encrypted disk must be one too, whose secret is the same. */
  readonly encryption?: DiskEncryption;
  /** `ephemeral` disks live with a guest, `volume`s by themselves, and `template`s with the host's templates. */
  readonly pool: 'ephemeral' | 'volume' | 'template';
}

export interface ReceivedDisk {
  readonly diskId: string;
  /** Virtual size, as a guest sees it; an encrypted disk's image has LUKS_HEADER_BYTES more. */
  readonly sizeBytes: number;
  /** The image is of an encrypted disk. */
  readonly encryption?: DiskEncryption;
  readonly pool: NewDisk['pool'];
}

export interface DiskInfo {
  readonly diskId: string;
  readonly pool: NewDisk['pool'];
  readonly format: DiskFormat;
  readonly sizeBytes: number;
  readonly usedBytes: number;
  readonly snapshots: readonly string[];
  /** The secret of an encrypted disk. */
  readonly keyId?: string;
}

/**
 * Where a disk is that none of the host's own Disks reaches; whoever opens it guesses nothing. (What all hosts reach by themselves, as a
 * directory or a cluster that they share, is no location: the disk's id names its back end.)
 */
export type DiskLocation = NbdLocation;

/** A disk that another host serves (Disks.serve). Its `key` is a secret: it is for the host that the disk is opened on. */
export interface NbdLocation {
  readonly kind: 'nbd';
  /** The address between the hosts, and the TCP port. */
  readonly address: string;
  readonly port: number;
  readonly exportName: string;
  /** The name and the key (hex) of TLS with a key that both sides have. */
  readonly user: string;
  readonly key: string;
  /** The disk is encrypted, is served as it is stored, and this secret opens it. */
  readonly keyId?: string;
}

export interface ServeRequest {
  /** Names who the disk is for; an export that is there is found again, with the same location. */
  readonly exportId: string;
  /** Several write to it at once, guests of this host as well. */
  readonly shared?: boolean;
  /**
   * The exports of the disk answer, and nothing is read or written through them: the disk is another's at the moment (a guest that comes or goes by
   * live migration). Asked again without it, they are open. Open exports close their files when asked with it.
   */
  readonly waits?: boolean;
}

export interface ServedDisk {
  readonly diskId: string;
  readonly exportIds: readonly string[];
  readonly waits: boolean;
}

/**
 * The disks that the host reaches: its own, and those of back ends (`backends.ts`), told apart by their ids. Files open in a guest are
 * changed through the guest, others by the one wrapper around qemu-img. A source on another back end is copied.
 */
export interface KeptDisks {
  /** Makes an image ready as a base; returns its virtual size. Concurrent calls share one download. */
  cacheImage(image: ImageSource): Promise<{ readonly virtualSizeBytes: number }>;
  dropImage(imageId: string): Promise<void>;
  create(disk: NewDisk): Promise<DiskInfo>;
  /**
   * Makes a disk of what another host exported as qcow2: a standalone image of exactly `sizeBytes`. A disk that is there already is left
   * as it is.
   */
  receive(disk: ReceivedDisk, data: Readable): Promise<DiskInfo>;
  remove(diskId: string): Promise<void>;
  info(diskId: string): Promise<DiskInfo | undefined>;
  list(): Promise<readonly DiskInfo[]>;
  /** Grows only; online when a guest has it open. */
  resize(diskId: string, sizeBytes: number): Promise<DiskInfo>;
  /** A point in time of the disk; the disk itself goes on in an overlay. */
  snapshot(diskId: string, snapshotId: string): Promise<void>;
  removeSnapshot(diskId: string, snapshotId: string): Promise<void>;
  /** Puts the disk back to its newest snapshot. Not while a guest has it open. */
  revert(diskId: string, snapshotId: string): Promise<void>;
  /**
   * Several guests write to the disk at once from now on: what it holds is in one raw layer, copied there if need be, and stays in one; its snapshots
   * and what is made of it are whole copies. Rejects with Conflict while a guest has open what is no such layer.
   */
  share(diskId: string): Promise<void>;
  /**
   * A complete, standalone image of the disk (or of a snapshot) as a stream; live when a guest has it open. Of an encrypted disk it has what is stored:
   * header and ciphertext.
   */
  export(
    diskId: string,
    options: { readonly format: ExportFormat; readonly snapshotId?: string },
  ): Promise<{ readonly stream: Readable; readonly sizeBytes: number }>;
  /** Room in GiB: of the host's own disks, or of a back end. Throws NotFound for one that the host has not. */
  capacity(backend?: string): Promise<{ readonly totalGb: number; readonly freeGb: number }>;
}

/** Disks that other hosts' guests can use as well. */
export interface Disks extends KeptDisks {
  /**
   * Opens a way to the disk for a guest of another host; live work on the disk (snapshots, growing) is done where it is served. Rejects with
   * Conflict while a guest of this host has the disk, unless that guest has gone to another host.
   */
  serve(diskId: string, request: ServeRequest): Promise<NbdLocation>;
  /** Closes one way to the disk, or all. Whoever used it gets no further. */
  unserve(diskId: string, exportId?: string): Promise<void>;
  served(): Promise<readonly ServedDisk[]>;
}
