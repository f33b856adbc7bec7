import type { DiskLocation } from '@cairn/host/interface/disks';
import type { Context } from '@cairn/kit/context/context';
import type { Db, Tx } from '@cairn/kit/store/store';

export interface VolumeFacts {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly sizeGb: number;
  readonly projectId: string;
  readonly availabilityZone: string;
  readonly bootable: boolean;
  readonly multiattach: boolean;
  readonly encrypted: boolean;
  readonly volumeType: string | null;
  /** The host whose own storage has it; null for one that every host reaches, or that is nowhere yet. */
  readonly host: string | null;
  readonly imageId: string | null;
  /** Glance metadata of a bootable volume (`volume_image_metadata`). */
  readonly imageMetadata: Readonly<Record<string, string>>;
  /** What its last migration came to, or where it stands; null: there was none. */
  readonly migrationStatus: string | null;
  readonly attachments: readonly AttachmentFacts[];
}

export interface AttachmentFacts {
  readonly id: string;
  readonly volumeId: string;
  readonly serverId: string | null;
  readonly host: string | null;
  readonly device: string | null;
  readonly mode: 'rw' | 'ro';
  readonly status: string;
}

export interface SnapshotFacts {
  readonly id: string;
  readonly volumeId: string;
  readonly status: string;
  readonly sizeGb: number;
}

/** A volume in use on its way to another disk: as the event `volume.move` has it (with `server_id`), and as it is handed back. */
export interface VolumeMove {
  readonly volumeId: string;
  readonly oldDiskId: string;
  readonly newDiskId: string;
  /** The storage of the new disk. */
  readonly storage: string;
  readonly newTypeId?: string;
  readonly newKeyId?: string;
  readonly who: { readonly userId: string; readonly projectId: string | null; readonly requestId: string };
}

/** What other services may ask of cinder. */
export interface CinderFace {
  volume(db: Db, ctx: Context, volumeId: string): Promise<VolumeFacts>;
  /** The snapshot as `ctx` sees it; throws NotFound. */
  snapshot(db: Db, ctx: Context, snapshotId: string): Promise<SnapshotFacts>;
  /** The name of the volume type with this id or name that `ctx` may use; undefined when there is none. */
  volumeTypeName(db: Db, ctx: Context, idOrName: string): Promise<string | undefined>;
  /** The secret that opens an encrypted disk: for the hosts' agents (HostCallbacks.diskKey), never for an answer. */
  diskKey(keyId: string): Promise<string>;
  /**
   * Records a volume with a minted id in `creating` and its saga; finds an earlier one with the same id. Checks quota. `host` has to
   * reach the disk (the server's host): the volume is on its own storage, or on one that all share.
   */
  createVolume(
    tx: Tx,
    ctx: Context,
    volume: {
      readonly id: string;
      readonly name: string;
      readonly sizeGb: number;
      readonly imageId?: string;
      readonly snapshotId?: string;
      readonly sourceVolumeId?: string;
      readonly volumeType?: string;
      readonly availabilityZone?: string;
      readonly host?: string;
    },
  ): Promise<void>;
  /** Resolves when the volume is available; throws its failure's words when it goes to error. */
  untilAvailable(volumeId: string, signal?: AbortSignal): Promise<void>;
  /** Reserves the volume for a server: attachment row in `reserved`/`attaching`. Idempotent by attachment id. Throws Conflict/InvalidInput as upstream. */
  reserve(
    tx: Tx,
    ctx: Context,
    attachment: { readonly id: string; readonly volumeId: string; readonly serverId: string; readonly mode?: 'rw' | 'ro' },
  ): Promise<void>;
  /**
   * The disk that a guest opens on the host, and where it is when that host has it not. `comes`: for a guest that comes by live migration; the host
   * that it is on now keeps the disk until `handOver`. Throws Unavailable while the host that keeps the disk is away.
   */
  connect(
    attachmentId: string,
    host: string,
    options?: { readonly comes?: boolean /** The disk that the volume moves to, in the place of its own. */; readonly move?: VolumeMove },
  ): Promise<{
    readonly diskId: string;
    readonly location?: DiskLocation;
    readonly sizeGb: number;
    readonly multiattach: boolean;
    readonly readOnly: boolean /** Limits of the volume's type that its user applies (`total_iops_sec` ...); absent: none. */;
    readonly qosSpecs?: Readonly<Record<string, string>>;
  }>;
  /** The guest stands still where it was and everything is written: the disk is the guest's on this host from now on. Idempotent, both ways. */
  handOver(attachmentId: string, host: string): Promise<void>;
  /** The host has the disk no longer, whatever its guest there still does. Tolerates absence. */
  disconnect(attachmentId: string, host: string): Promise<void>;
  /** Notes that the volume is used on another host now. */
  moved(tx: Tx, attachmentId: string, host: string): Promise<void>;
  /** The guest has it: volume in-use. A server that is on no host has it too, unconnected and (so far) under no device. */
  complete(tx: Tx, attachmentId: string, device?: string): Promise<void>;
  /** Its server is on no host any longer (`disconnect` came before): the volume is only reserved for it until it is connected to another. Tolerates absence. */
  release(tx: Tx, attachmentId: string): Promise<void>;
  /** `detaching` while the guest lets go; `rollDetaching` takes it back. */
  beginDetaching(tx: Tx, ctx: Context, volumeId: string, serverId: string): Promise<void>;
  rollDetaching(tx: Tx, volumeId: string): Promise<void>;
  /** Ends an attachment: the volume is available again when it was the last. Tolerates absence. */
  detach(tx: Tx, attachmentId: string): Promise<void>;
  /** Begins to write an image over a volume whose server's guest is off; finds a beginning of its own. `untilReimaged` waits. */
  reimage(tx: Tx, ctx: Context, volume: { readonly volumeId: string; readonly imageId: string }): Promise<void>;
  /** Resolves when the volume has its new content; throws when it could not be written. */
  untilReimaged(volumeId: string, signal?: AbortSignal): Promise<void>;
  /**
   * Answers `volume.move`: the server's guest has the new disk, with all that the old one had (`done`), or it has the old one still (`failed`). To be written
   * with what nova itself keeps of the disk. Throws Conflict when the volume is not being moved any longer: the guest is then to have its old disk.
   */
  endMove(tx: Tx, move: VolumeMove, outcome: 'done' | 'failed'): Promise<void>;
  attachmentsOfServer(db: Db, serverId: string): Promise<readonly AttachmentFacts[]>;
  /** Starts deletion (delete_on_termination). Tolerates absence. */
  deleteVolume(tx: Tx, ctx: Context, volumeId: string): Promise<void>;
  /** Starts a snapshot with a minted id (volume-backed createImage); `untilSnapshotAvailable` waits. */
  createSnapshot(
    tx: Tx,
    ctx: Context,
    snapshot: { readonly id: string; readonly volumeId: string; readonly name: string; readonly force: boolean },
  ): Promise<void>;
  untilSnapshotAvailable(snapshotId: string, signal?: AbortSignal): Promise<void>;
  deleteSnapshot(tx: Tx, ctx: Context, snapshotId: string): Promise<void>;
}
