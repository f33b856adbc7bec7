/** A volume. Deleted volumes have no row. */
export interface VolumeRow {
  id: string;
  project_id: string;
  user_id: string;
  name: string | null;
  description: string | null;
  size_gb: number;
  /** creating, downloading, available, reserved, attaching, in-use, detaching, extending, uploading, reverting, deleting, error ... */
  status: string;
  /** detached, reserved, attaching, attached, detaching. */
  attach_status: string;
  /** The status to go back to after extending or uploading. */
  previous_status: string | null;
  migration_status: string | null;
  availability_zone: string | null;
  type_id: string;
  /** The host that has the disk (its name alone; views add the backend); null until it is chosen. */
  host: string | null;
  /** The disk on that host. The volume's own id, until the volume gets another disk under it. */
  disk_id: string;
  service_id: string | null;
  shared_targets: number | null;
  bootable: number;
  multiattach: number;
  snapshot_id: string | null;
  source_volume_id: string | null;
  group_id: string | null;
  /** GiB that the quota counts on top of size_gb while the volume is being extended. */
  growing_gb: number;
  use_quota: number;
  /** `True` or `False` once it was said; admin metadata of upstream, as `attached_mode` is. */
  readonly_flag: string | null;
  attached_mode: string | null;
  /** JSON of the user's key-value pairs, and of the image's properties for bootable volumes; both searchable by MetadataRows. */
  metadata: string;
  image_metadata: string;
  /** The saga that made the volume, for those who wait for it. */
  saga_id: string | null;
  /** The secret of a LUKS volume. */
  encryption_key_id: string | null;
  created_at_ms: number;
  updated_at_ms: number | null;
  launched_at_ms: number | null;
}

/** Makes metadata searchable: one row for each pair, written with the JSON that views show. */
export interface MetadataRow {
  /** The volume or snapshot. */
  owner_id: string;
  /** `user` or `image` of a volume, `snapshot` of a snapshot. */
  kind: string;
  key: string;
  value: string;
}

export interface SnapshotRow {
  id: string;
  volume_id: string;
  project_id: string;
  user_id: string;
  name: string | null;
  description: string | null;
  status: string;
  progress: string;
  size_gb: number;
  type_id: string;
  /** The host and the disk that the snapshot is of. */
  host: string;
  disk_id: string;
  availability_zone: string | null;
  bootable: number;
  group_snapshot_id: string | null;
  use_quota: number;
  metadata: string;
  image_metadata: string;
  saga_id: string | null;
  encryption_key_id: string | null;
  created_at_ms: number;
  updated_at_ms: number | null;
}

/** A server's (or a host's) hold on a volume. Ended ones have no row. */
export interface AttachmentRow {
  id: string;
  volume_id: string;
  /** The volume's project, for lists. */
  project_id: string;
  server_id: string | null;
  attached_host: string | null;
  mountpoint: string | null;
  /** `rw`, `ro`, or upstream's text `null` for "not said yet". */
  attach_mode: string | null;
  /** reserved, attaching, attached, detaching, error_attaching. */
  attach_status: string;
  /** JSON. */
  connector: string | null;
  connection_info: string | null;
  attached_at_ms: number | null;
  /** 1: nova made it for a server, and only nova may end it once the server has the volume. */
  by_compute: number;
  created_at_ms: number;
  updated_at_ms: number | null;
}

export interface TypeRow {
  id: string;
  name: string;
  description: string | null;
  is_public: number;
  qos_specs_id: string | null;
  /** JSON of the extra specs; searchable by TypeSpecRows. */
  extra_specs: string;
  created_at_ms: number;
  updated_at_ms: number | null;
}

export interface TypeSpecRow {
  type_id: string;
  key: string;
  value: string;
}

/** A project that may use a private type. */
export interface TypeAccessRow {
  type_id: string;
  project_id: string;
}

/** A project's own default type. */
export interface DefaultTypeRow {
  project_id: string;
  type_id: string;
}

/** A limit set by an operator. Of a type: `volumes`, `gigabytes` or `snapshots` with its id; of all types: type_id ''. */
export interface QuotaRow {
  project_id: string;
  resource: string;
  type_id: string;
  hard_limit: number;
}

export interface QuotaClassRow {
  class_name: string;
  resource: string;
  type_id: string;
  hard_limit: number;
}

/** What a project uses of a type, written in the transactions that make and remove volumes and snapshots. */
export interface UsageRow {
  project_id: string;
  type_id: string;
  volumes: number;
  volume_gb: number;
  /** What running extensions will add. */
  growing_gb: number;
  snapshots: number;
  snapshot_gb: number;
}

/** Storage of one host: what is promised there, and whether it takes more. */
export interface PoolRow {
  host: string;
  volumes: number;
  provisioned_gb: number;
}

export interface ServiceRow {
  id: string;
  /** cinder-volume, cinder-scheduler. */
  binary: string;
  /** For cinder-volume `<host>@<backend>`. */
  host: string;
  disabled: number;
  disabled_reason: string | null;
  availability_zone: string;
  frozen: number;
  created_at_ms: number;
  updated_at_ms: number | null;
}

/** Tells a user why something failed that had been accepted. */
export interface MessageRow {
  id: string;
  project_id: string;
  request_id: string;
  resource_type: string;
  resource_uuid: string | null;
  action_id: string;
  detail_id: string;
  event_id: string;
  message_level: string;
  created_at_ms: number;
  expires_at_ms: number;
}

export interface TransferRow {
  id: string;
  volume_id: string;
  project_id: string;
  name: string | null;
  salt: string;
  key_hash: string;
  no_snapshots: number;
  source_project_id: string;
  created_at_ms: number;
}

/** A copy of a volume in the backup store. */
export interface BackupRow {
  id: string;
  volume_id: string;
  snapshot_id: string | null;
  /** The backup that an incremental one builds on. */
  parent_id: string | null;
  project_id: string;
  user_id: string;
  name: string | null;
  description: string | null;
  /** creating, available, deleting, restoring, error, error_deleting. */
  status: string;
  fail_reason: string | null;
  size_gb: number;
  container: string | null;
  availability_zone: string | null;
  host: string | null;
  service: string | null;
  /** Under what id the store has its objects. */
  service_metadata: string | null;
  object_count: number;
  restore_volume_id: string | null;
  encryption_key_id: string | null;
  /** JSON: the user's pairs; and what a restored volume gets of the volume's own facts (bootable, image metadata). */
  metadata: string;
  facts: string;
  data_timestamp_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number | null;
}

export interface GroupTypeRow {
  id: string;
  name: string;
  description: string | null;
  is_public: number;
  /** JSON. */
  group_specs: string;
  created_at_ms: number;
  updated_at_ms: number | null;
}

/** Volumes that are snapshotted together. */
export interface GroupRow {
  id: string;
  project_id: string;
  user_id: string;
  name: string | null;
  description: string | null;
  /** creating, available, updating, deleting, error, error_deleting. */
  status: string;
  group_type_id: string;
  availability_zone: string | null;
  host: string | null;
  /** What it was made from. */
  group_snapshot_id: string | null;
  source_group_id: string | null;
  replication_status: string | null;
  created_at_ms: number;
  updated_at_ms: number | null;
}

export interface GroupVolumeTypeRow {
  group_id: string;
  type_id: string;
}

export interface GroupSnapshotRow {
  id: string;
  project_id: string;
  user_id: string;
  name: string | null;
  description: string | null;
  status: string;
  group_id: string;
  group_type_id: string;
  created_at_ms: number;
  updated_at_ms: number | null;
}

/** Limits on the use of volumes, for the types that name them. */
export interface QosRow {
  id: string;
  name: string;
  /** front-end, back-end, both. */
  consumer: string;
  /** JSON. */
  specs: string;
  created_at_ms: number;
  updated_at_ms: number | null;
}

/** How volumes of a type are encrypted. */
export interface EncryptionRow {
  type_id: string;
  id: string;
  provider: string;
  control_location: string;
  cipher: string | null;
  key_size: number | null;
  created_at_ms: number;
  updated_at_ms: number | null;
}

/** A volume's secret, sealed with the cloud's own key. */
export interface KeyRow {
  id: string;
  project_id: string;
  sealed: string;
  created_at_ms: number;
}

export interface CinderTables {
  cinder_backup: BackupRow;
  cinder_group_type: GroupTypeRow;
  cinder_group: GroupRow;
  cinder_group_volume_type: GroupVolumeTypeRow;
  cinder_group_snapshot: GroupSnapshotRow;
  cinder_qos: QosRow;
  cinder_encryption: EncryptionRow;
  cinder_key: KeyRow;
  cinder_volume: VolumeRow;
  cinder_snapshot: SnapshotRow;
  cinder_metadata: MetadataRow;
  cinder_attachment: AttachmentRow;
  cinder_type: TypeRow;
  cinder_type_spec: TypeSpecRow;
  cinder_type_access: TypeAccessRow;
  cinder_default_type: DefaultTypeRow;
  cinder_quota: QuotaRow;
  cinder_quota_class: QuotaClassRow;
  cinder_usage: UsageRow;
  cinder_pool: PoolRow;
  cinder_service: ServiceRow;
  cinder_message: MessageRow;
  cinder_transfer: TransferRow;
}
