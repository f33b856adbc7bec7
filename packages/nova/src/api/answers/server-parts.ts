import { inside, named, nullable } from '@cairn/kit/http/answers';
import Type from 'typebox';
import { IntegerOrNull, Links, page, TextOrNull, Time, TimeOrNull } from './common.ts';

const Interface = named('ServerInterface', {
  net_id: Type.String(),
  port_id: Type.String(),
  mac_addr: Type.String(),
  port_state: Type.String(),
  fixed_ips: Type.Array(Type.Object({ subnet_id: Type.String(), ip_address: Type.String() })),
  tag: TextOrNull,
});
export const InterfaceList = inside('interfaceAttachments', Type.Array(Interface));
export const OneInterface = inside('interfaceAttachment', Interface);

const VolumeAttachment = named('ServerVolumeAttachment', {
  volumeId: Type.String(),
  serverId: Type.String(),
  device: Type.Optional(TextOrNull),
  tag: TextOrNull,
  delete_on_termination: Type.Boolean(),
  attachment_id: TextOrNull,
  bdm_uuid: Type.String(),
});
export const VolumeAttachmentList = inside('volumeAttachments', Type.Array(VolumeAttachment));
export const OneVolumeAttachment = inside('volumeAttachment', VolumeAttachment);

const action = {
  action: Type.String(),
  instance_uuid: Type.String(),
  request_id: Type.String(),
  user_id: Type.String(),
  project_id: Type.String(),
  start_time: Time,
  message: TextOrNull,
  updated_at: Time,
};
const ActionEvent = named('ServerActionEvent', {
  event: Type.String(),
  start_time: Time,
  finish_time: TimeOrNull,
  result: nullable(Type.Union([Type.Literal('Success'), Type.Literal('Error')])),
  // for administrators
  traceback: Type.Optional(TextOrNull),
  host: Type.Optional(TextOrNull),
  hostId: Type.String(),
  details: Type.Optional(TextOrNull),
});
export const ActionList = page('instanceActions', named('ServerAction', action), 'links');
export const OneAction = inside('instanceAction', named('ServerActionDetail', { ...action, events: Type.Array(ActionEvent) }));

export const Diagnostics = named('ServerDiagnostics', {
  state: Type.String(),
  driver: Type.String(),
  hypervisor: Type.String(),
  hypervisor_os: Type.String(),
  uptime: IntegerOrNull,
  config_drive: Type.Boolean(),
  num_cpus: Type.Integer(),
  num_nics: Type.Integer(),
  num_disks: Type.Integer(),
  cpu_details: Type.Array(Type.Object({ id: Type.Integer(), time: IntegerOrNull, utilisation: IntegerOrNull })),
  nic_details: Type.Array(
    Type.Object({
      mac_address: Type.String(),
      rx_octets: IntegerOrNull,
      rx_errors: IntegerOrNull,
      rx_drop: IntegerOrNull,
      rx_packets: IntegerOrNull,
      rx_rate: IntegerOrNull,
      tx_octets: IntegerOrNull,
      tx_errors: IntegerOrNull,
      tx_drop: IntegerOrNull,
      tx_packets: IntegerOrNull,
      tx_rate: IntegerOrNull,
    }),
  ),
  disk_details: Type.Array(
    Type.Object({
      read_bytes: IntegerOrNull,
      read_requests: IntegerOrNull,
      write_bytes: IntegerOrNull,
      write_requests: IntegerOrNull,
      errors_count: IntegerOrNull,
    }),
  ),
  memory_details: Type.Object({ maximum: IntegerOrNull, used: IntegerOrNull }),
});

const migration = {
  id: Type.Integer(),
  uuid: Type.String(),
  // hosts are for administrators
  source_compute: TextOrNull,
  source_node: TextOrNull,
  dest_compute: TextOrNull,
  dest_node: TextOrNull,
  dest_host: TextOrNull,
  status: Type.String(),
  created_at: Time,
  updated_at: TimeOrNull,
  user_id: TextOrNull,
  project_id: TextOrNull,
};
const Migration = named('Migration', {
  ...migration,
  instance_uuid: Type.String(),
  old_instance_type_id: IntegerOrNull,
  new_instance_type_id: IntegerOrNull,
  migration_type: Type.String(),
  // of a live migration in progress
  links: Type.Optional(Links),
});
export const MigrationList = page('migrations', Migration);

const LiveMigration = named('LiveMigration', {
  ...migration,
  server_uuid: Type.String(),
  disk_processed_bytes: IntegerOrNull,
  disk_remaining_bytes: IntegerOrNull,
  disk_total_bytes: IntegerOrNull,
  memory_processed_bytes: IntegerOrNull,
  memory_remaining_bytes: IntegerOrNull,
  memory_total_bytes: IntegerOrNull,
});
export const LiveMigrationList = inside('migrations', Type.Array(LiveMigration));
export const OneLiveMigration = inside('migration', LiveMigration);
