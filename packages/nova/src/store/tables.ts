import type { ColumnType, Generated, GeneratedAlways } from 'kysely';

/**
 * Nova's tables as Kysely sees them. Times are epoch milliseconds, booleans 0/1, `...Json` columns JSON text.
 * `seq` columns grow with insertion and stand for upstream's internal integer ids.
 */
export interface NovaTables {
  nova_flavor: FlavorTable;
  nova_flavor_access: FlavorAccessTable;
  nova_keypair: KeypairTable;
  nova_quota: QuotaTable;
  nova_quota_class: QuotaClassTable;
  nova_usage: UsageTable;
  nova_server_group: ServerGroupTable;
  nova_server_group_member: ServerGroupMemberTable;
  nova_aggregate: AggregateTable;
  nova_aggregate_host: AggregateHostTable;
  nova_service: ServiceTable;
  nova_compute_node: ComputeNodeTable;
  nova_server: ServerTable;
  nova_server_tag: ServerTagTable;
  nova_server_port: ServerPortTable;
  nova_block_device: BlockDeviceTable;
  nova_action: ActionTable;
  nova_leftover: LeftoverTable;
  nova_migration: MigrationTable;
  nova_console_token: ConsoleTokenTable;
  nova_topology: TopologyTable;
  nova_tpm: TpmTable;
  nova_port_room: PortRoomTable;
}

/** A flavor; `flavor_id` is the id that users see. Deleting a flavor removes the row: servers keep a copy of theirs. */
export interface FlavorTable {
  seq: Generated<number>;
  flavor_id: string;
  name: string;
  memory_mb: number;
  vcpus: number;
  root_gb: number;
  ephemeral_gb: number;
  swap_mb: number;
  rxtx_factor: number;
  is_public: number;
  disabled: number;
  description: string | null;
  /** `{ key: text }`. */
  extra_specs_json: string;
  created_at_ms: number;
  updated_at_ms: number | null;
}

/** Projects that may use a flavor which is not public. */
export interface FlavorAccessTable {
  flavor_id: string;
  project_id: string;
}

export interface KeypairTable {
  seq: Generated<number>;
  user_id: string;
  name: string;
  /** `ssh` or `x509`. */
  type: string;
  fingerprint: string;
  public_key: string;
  created_at_ms: number;
}

/** An operator's limit for one resource. `user_id` is '' for the project's own limit. */
export interface QuotaTable {
  project_id: string;
  user_id: string;
  resource: string;
  hard_limit: number;
}

export interface QuotaClassTable {
  class_name: string;
  resource: string;
  hard_limit: number;
}

/** What the live servers of one user in one project use; changed in the transaction that changes the server rows. */
export interface UsageTable {
  project_id: string;
  user_id: string;
  instances: number;
  cores: number;
  ram_mb: number;
}

export interface ServerGroupTable {
  seq: Generated<number>;
  id: string;
  project_id: string;
  user_id: string;
  name: string;
  /** `affinity`, `anti-affinity`, `soft-affinity`, `soft-anti-affinity`. */
  policy: string;
  /** `{ max_server_per_host?: number }`. */
  rules_json: string;
  created_at_ms: number;
}

/** Written at a server's acceptance, removed with the server. */
export interface ServerGroupMemberTable {
  group_id: string;
  server_id: string;
}

export interface AggregateTable {
  seq: Generated<number>;
  id: string;
  name: string;
  /** `{ key: text }`; `availability_zone` makes the aggregate a zone. */
  metadata_json: string;
  created_at_ms: number;
  updated_at_ms: number | null;
}

export interface AggregateHostTable {
  aggregate_id: string;
  host: string;
}

/** A service as `os-services` shows it: `nova-compute` per host (kept by hosts/), and `nova-conductor`, `nova-scheduler` of the control process. */
export interface ServiceTable {
  seq: Generated<number>;
  id: string;
  host: string;
  binary: string;
  disabled: number;
  disabled_reason: string | null;
  forced_down: number;
  /** The last sign of life. */
  last_seen_at_ms: number | null;
  created_at_ms: number;
  updated_at_ms: number | null;
}

/** A hypervisor; `id` is also its resource provider's id in placement. Written by hosts/. */
export interface ComputeNodeTable {
  seq: Generated<number>;
  id: string;
  host: string;
  hypervisor_hostname: string;
  hypervisor_type: string;
  hypervisor_version: number;
  host_ip: string;
  vcpus: number;
  memory_mb: number;
  disk_gb: number;
  memory_used_mb: number;
  disk_free_gb: number;
  uptime_seconds: number;
  /** `HostFacts['cpu']` with `arch`. */
  cpu_json: string;
  /** `HostFacts['numa']`; null for a host that tells none. */
  numa_json: string | null;
  /** `string[]`: the traits that the host offers. */
  traits_json: string;
  created_at_ms: number;
  updated_at_ms: number;
}

/** Processors and pages of a host's NUMA nodes that a server, or a move of it, holds: beside its claim in placement, from and to the same moments. */
export interface TopologyTable {
  /** The server's id, or the migration's that holds what the server had before. */
  consumer_id: string;
  host: string;
  server_id: string;
  /** PlacedTopology. */
  placed_json: string;
}

/** What a port of a server asks for and has on a host, beside the server's claim in placement, from and to the same moments. */
export interface PortRoomTable {
  /** The server's id, or the migration's that holds what the server had before. */
  consumer_id: string;
  host: string;
  port_id: string;
  /** PortRoom['groups']. */
  groups_json: string;
}

/** A server's virtual TPM. */
export interface TpmTable {
  server_id: string;
  /** What its state is encrypted with on the host's disk, sealed (app/tpm-secrets.ts). */
  secret: string;
  /** Its encrypted state on the way from one host to another, base64; null while a host has it. */
  state: string | null;
}

/** A server ("instance" upstream). Rows stay after deletion with `deleted` 1. */
export interface ServerTable {
  seq: GeneratedAlways<number>;
  id: string;
  project_id: string;
  user_id: string;
  name: string;
  hostname: string;
  description: string | null;
  vm_state: string;
  task_state: string | null;
  /** Nova's number: 0 NOSTATE, 1 RUNNING, 3 PAUSED, 4 SHUTDOWN, 6 CRASHED, 7 SUSPENDED. */
  power_state: number;
  /** Until when the present task_state may last; null while there is none. */
  task_deadline_at_ms: number | null;
  host: string | null;
  node: string | null;
  launched_on: string | null;
  /** The zone of its host once placed; before that the requested one. */
  availability_zone: string | null;
  /** The zone that the request named. */
  pinned_az: string | null;
  flavor_id: string;
  vcpus: number;
  memory_mb: number;
  root_gb: number;
  ephemeral_gb: number;
  /** The flavor as it was at acceptance: see StoredFlavor. */
  flavor_json: string;
  /** '' for a server that boots from a volume. */
  image_id: string;
  /** Image facts kept with the server: see StoredImage. */
  image_json: string;
  key_name: string | null;
  /** The public key's facts at acceptance: `{ name, type, public_key }`. */
  key_json: string | null;
  /** Base64, as given. */
  user_data: string | null;
  config_drive: number;
  auto_disk_config: number;
  locked: number;
  locked_by: string | null;
  locked_reason: string | null;
  access_ip_v4: string | null;
  access_ip_v6: string | null;
  metadata_json: string;
  /** `{ path, contents(base64) }[]`: files for the config drive. */
  files_json: string;
  /** Scheduler hints as given. */
  hints_json: string;
  root_device: string | null;
  launch_index: number;
  reservation_id: string;
  /** Encrypted admin password that the guest posted; '' when none. */
  password: string;
  /** `{ code, message, details, created_at_ms }`. */
  fault_json: string | null;
  created_at_ms: number;
  updated_at_ms: number;
  launched_at_ms: number | null;
  terminated_at_ms: number | null;
  deleted: number;
  deleted_at_ms: number | null;
  /** Since when it waits for its end or its restoration; it counts for no quota meanwhile. */
  soft_deleted_at_ms: ColumnType<number | null, number | null | undefined, number | null>;
  shelved_at_ms: ColumnType<number | null, number | null | undefined, number | null>;
  /** The image that a shelved server's root disk is in; null where its root is a volume. */
  shelved_image_id: ColumnType<string | null, string | null | undefined, string | null>;
  /** `string[]`: ids of certificates that may vouch for the one that signed its image; null for none. */
  trusted_certs_json: ColumnType<string | null, string | null | undefined, string | null>;
}

/** A pass to one console of a server, until it is used or expires. */
export interface ConsoleTokenTable {
  /** SHA-256 of the token, hex: what is in the database opens no console. */
  token_hash: string;
  server_id: string;
  /** `novnc`, `serial` ... */
  console_type: string;
  host: string;
  expires_at_ms: number;
}

export interface ServerTagTable {
  server_id: string;
  tag: string;
}

/** A server's network interfaces, in order. */
export interface ServerPortTable {
  port_id: string;
  server_id: string;
  network_id: string;
  position: number;
  /** 1: nova made the port and deletes it with the server. */
  owned: number;
  tag: string | null;
}

/** A block device mapping. `disk_id` is set once the host has it. */
export interface BlockDeviceTable {
  seq: GeneratedAlways<number>;
  /** Also the volume attachment's id. */
  id: string;
  server_id: string;
  /** `image`, `volume`, `snapshot`, `blank`; `files` for the config drive and `rescue` for the disk of a rescued server, which upstream does not count as mappings. */
  source_type: string;
  /** `local` or `volume`. */
  destination_type: string;
  /** `disk` or `cdrom`. */
  device_type: string;
  disk_bus: string;
  boot_index: number | null;
  device_name: string | null;
  image_id: string | null;
  snapshot_id: string | null;
  volume_id: string | null;
  volume_type: string | null;
  volume_size_gb: number | null;
  /** Cinder's attachment, minted here. */
  attachment_id: string | null;
  /** The host's disk: minted with the row for a local disk, told by cinder when a volume is connected. */
  disk_id: string | null;
  /** 1: nova makes the volume. */
  create_volume: number;
  guest_format: string | null;
  delete_on_termination: number;
  tag: string | null;
  created_at_ms: number;
}

/** An action on a server (`os-instance-actions`), one per request. Its events are the steps of the request's saga on the server (kit_saga_step). */
export interface ActionTable {
  seq: GeneratedAlways<number>;
  server_id: string;
  request_id: string;
  action: string;
  user_id: string;
  project_id: string;
  /** `Error` or null. */
  message: string | null;
  start_at_ms: number;
  updated_at_ms: number;
}

/** What could not be taken off a host because it was away; removed when it is back. */
export interface LeftoverTable {
  host: string;
  /** `guest` or `disk`. */
  kind: string;
  id: string;
  created_at_ms: number;
}

/** A move of a server from one host to another; `id` is its uuid, `seq` the number that users see. */
export interface MigrationTable {
  seq: GeneratedAlways<number>;
  id: string;
  server_id: string;
  /** `migration`, `resize`, `live-migration`, `evacuation`. */
  type: string;
  /** Upstream's words: `pre-migrating`, `migrating`, `post-migrating`, `finished`, `confirmed`, `reverted`, `error` ... */
  status: string;
  source_host: string | null;
  source_node: string | null;
  dest_host: string | null;
  dest_node: string | null;
  dest_ip: string | null;
  /** The flavors' `seq`, as upstream's instance_type ids. */
  old_flavor_seq: number | null;
  new_flavor_seq: number | null;
  /** StoredFlavor. */
  old_flavor_json: string;
  new_flavor_json: string;
  /** Where the server stood before, and stands again when the move is taken back. */
  old_vm_state: string;
  /** MovedDisk[]: empty once nothing of the server is on the other side any more. */
  disks_json: string;
  /** 1: the server's rows are those of the destination. */
  at_dest: number;
  /** Who asked. */
  user_id: string;
  project_id: string;
  /** Of a live migration: bytes. */
  memory_total: number | null;
  memory_processed: number | null;
  memory_remaining: number | null;
  disk_total: number | null;
  disk_processed: number | null;
  disk_remaining: number | null;
  created_at_ms: number;
  updated_at_ms: number | null;
}
