import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';

/** The tables of the first release; see ../tables.ts for what each column means. */
export async function first(db: Kysely<any>, engine: EngineName): Promise<void> {
  const table = (name: string) => db.schema.createTable(name);
  const withSeq = (name: string) =>
    engine === 'postgres'
      ? table(name).addColumn('seq', 'bigint', (c) => c.primaryKey().generatedAlwaysAsIdentity())
      : table(name).addColumn('seq', 'integer', (c) => c.primaryKey().autoIncrement());

  await withSeq('nova_flavor')
    .addColumn('flavor_id', 'text', (c) => c.notNull().unique())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('memory_mb', 'bigint', (c) => c.notNull())
    .addColumn('vcpus', 'bigint', (c) => c.notNull())
    .addColumn('root_gb', 'bigint', (c) => c.notNull())
    .addColumn('ephemeral_gb', 'bigint', (c) => c.notNull())
    .addColumn('swap_mb', 'bigint', (c) => c.notNull())
    .addColumn('rxtx_factor', 'double precision', (c) => c.notNull())
    .addColumn('is_public', 'integer', (c) => c.notNull())
    .addColumn('disabled', 'integer', (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('extra_specs_json', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint')
    .execute();
  await table('nova_flavor_access')
    .addColumn('flavor_id', 'text', (c) => c.notNull())
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('nova_flavor_access_pk', ['flavor_id', 'project_id'])
    .execute();
  await db.schema.createIndex('nova_flavor_access_project').on('nova_flavor_access').columns(['project_id', 'flavor_id']).execute();

  await withSeq('nova_keypair')
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('type', 'text', (c) => c.notNull())
    .addColumn('fingerprint', 'text', (c) => c.notNull())
    .addColumn('public_key', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('nova_keypair_name', ['user_id', 'name'])
    .execute();

  await table('nova_quota')
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('resource', 'text', (c) => c.notNull())
    .addColumn('hard_limit', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('nova_quota_pk', ['project_id', 'user_id', 'resource'])
    .execute();
  await table('nova_quota_class')
    .addColumn('class_name', 'text', (c) => c.notNull())
    .addColumn('resource', 'text', (c) => c.notNull())
    .addColumn('hard_limit', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('nova_quota_class_pk', ['class_name', 'resource'])
    .execute();
  await table('nova_usage')
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('instances', 'bigint', (c) => c.notNull())
    .addColumn('cores', 'bigint', (c) => c.notNull())
    .addColumn('ram_mb', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('nova_usage_pk', ['project_id', 'user_id'])
    .execute();

  await withSeq('nova_server_group')
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('policy', 'text', (c) => c.notNull())
    .addColumn('rules_json', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('nova_server_group_project').on('nova_server_group').columns(['project_id', 'seq']).execute();
  await table('nova_server_group_member')
    .addColumn('group_id', 'text', (c) => c.notNull())
    .addColumn('server_id', 'text', (c) => c.notNull().unique())
    .addPrimaryKeyConstraint('nova_server_group_member_pk', ['group_id', 'server_id'])
    .execute();

  await withSeq('nova_aggregate')
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('name', 'text', (c) => c.notNull().unique())
    .addColumn('metadata_json', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint')
    .execute();
  await table('nova_aggregate_host')
    .addColumn('aggregate_id', 'text', (c) => c.notNull())
    .addColumn('host', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('nova_aggregate_host_pk', ['aggregate_id', 'host'])
    .execute();
  await db.schema.createIndex('nova_aggregate_host_host').on('nova_aggregate_host').columns(['host', 'aggregate_id']).execute();

  await withSeq('nova_service')
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('binary', 'text', (c) => c.notNull())
    .addColumn('disabled', 'integer', (c) => c.notNull())
    .addColumn('disabled_reason', 'text')
    .addColumn('forced_down', 'integer', (c) => c.notNull())
    .addColumn('last_seen_at_ms', 'bigint')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint')
    .addUniqueConstraint('nova_service_host_binary', ['host', 'binary'])
    .execute();

  await withSeq('nova_compute_node')
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('host', 'text', (c) => c.notNull().unique())
    .addColumn('hypervisor_hostname', 'text', (c) => c.notNull())
    .addColumn('hypervisor_type', 'text', (c) => c.notNull())
    .addColumn('hypervisor_version', 'bigint', (c) => c.notNull())
    .addColumn('host_ip', 'text', (c) => c.notNull())
    .addColumn('vcpus', 'bigint', (c) => c.notNull())
    .addColumn('memory_mb', 'bigint', (c) => c.notNull())
    .addColumn('disk_gb', 'bigint', (c) => c.notNull())
    .addColumn('memory_used_mb', 'bigint', (c) => c.notNull())
    .addColumn('disk_free_gb', 'bigint', (c) => c.notNull())
    .addColumn('uptime_seconds', 'bigint', (c) => c.notNull())
    .addColumn('cpu_json', 'text', (c) => c.notNull())
    .addColumn('traits_json', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .execute();

  await withSeq('nova_server')
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('name', 'text', (c) => c.notNull())
    .addColumn('hostname', 'text', (c) => c.notNull())
    .addColumn('description', 'text')
    .addColumn('vm_state', 'text', (c) => c.notNull())
    .addColumn('task_state', 'text')
    .addColumn('power_state', 'integer', (c) => c.notNull())
    .addColumn('task_deadline_at_ms', 'bigint')
    .addColumn('host', 'text')
    .addColumn('node', 'text')
    .addColumn('launched_on', 'text')
    .addColumn('availability_zone', 'text')
    .addColumn('pinned_az', 'text')
    .addColumn('flavor_id', 'text', (c) => c.notNull())
    .addColumn('vcpus', 'bigint', (c) => c.notNull())
    .addColumn('memory_mb', 'bigint', (c) => c.notNull())
    .addColumn('root_gb', 'bigint', (c) => c.notNull())
    .addColumn('ephemeral_gb', 'bigint', (c) => c.notNull())
    .addColumn('flavor_json', 'text', (c) => c.notNull())
    .addColumn('image_id', 'text', (c) => c.notNull())
    .addColumn('image_json', 'text', (c) => c.notNull())
    .addColumn('key_name', 'text')
    .addColumn('key_json', 'text')
    .addColumn('config_drive', 'integer', (c) => c.notNull())
    .addColumn('auto_disk_config', 'integer', (c) => c.notNull())
    .addColumn('locked', 'integer', (c) => c.notNull())
    .addColumn('locked_by', 'text')
    .addColumn('locked_reason', 'text')
    .addColumn('access_ip_v4', 'text')
    .addColumn('access_ip_v6', 'text')
    .addColumn('metadata_json', 'text', (c) => c.notNull())
    .addColumn('hints_json', 'text', (c) => c.notNull())
    .addColumn('root_device', 'text')
    .addColumn('launch_index', 'integer', (c) => c.notNull())
    .addColumn('reservation_id', 'text', (c) => c.notNull())
    .addColumn('fault_json', 'text')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('launched_at_ms', 'bigint')
    .addColumn('terminated_at_ms', 'bigint')
    .addColumn('deleted', 'integer', (c) => c.notNull())
    .addColumn('deleted_at_ms', 'bigint')
    // The long ones last: SQLite then reads the rest of a row without their overflow pages.
    .addColumn('password', 'text', (c) => c.notNull())
    .addColumn('user_data', 'text')
    .addColumn('files_json', 'text', (c) => c.notNull())
    .execute();
  const serverIndex = (name: string, columns: string[]) => db.schema.createIndex(`nova_server_${name}`).on('nova_server').columns(columns).execute();
  await serverIndex('project_created', ['project_id', 'deleted', 'created_at_ms', 'seq', 'id']);
  await serverIndex('created', ['deleted', 'created_at_ms', 'seq', 'id']);
  await serverIndex('host', ['host', 'deleted']);
  await serverIndex('project_updated', ['project_id', 'updated_at_ms']);
  await serverIndex('updated', ['updated_at_ms']);
  await db.schema.createIndex('nova_server_task').on('nova_server').columns(['task_deadline_at_ms']).where('task_deadline_at_ms', 'is not', null).execute();

  await table('nova_server_tag')
    .addColumn('server_id', 'text', (c) => c.notNull())
    .addColumn('tag', 'text', (c) => c.notNull())
    .addPrimaryKeyConstraint('nova_server_tag_pk', ['server_id', 'tag'])
    .execute();
  await table('nova_server_port')
    .addColumn('port_id', 'text', (c) => c.primaryKey())
    .addColumn('server_id', 'text', (c) => c.notNull())
    .addColumn('network_id', 'text', (c) => c.notNull())
    .addColumn('position', 'integer', (c) => c.notNull())
    .addColumn('owned', 'integer', (c) => c.notNull())
    .addColumn('tag', 'text')
    .execute();
  await db.schema.createIndex('nova_server_port_server').on('nova_server_port').columns(['server_id', 'position']).execute();
  await withSeq('nova_block_device')
    .addColumn('id', 'text', (c) => c.notNull().unique())
    .addColumn('server_id', 'text', (c) => c.notNull())
    .addColumn('source_type', 'text', (c) => c.notNull())
    .addColumn('destination_type', 'text', (c) => c.notNull())
    .addColumn('device_type', 'text', (c) => c.notNull())
    .addColumn('disk_bus', 'text', (c) => c.notNull())
    .addColumn('boot_index', 'integer')
    .addColumn('device_name', 'text')
    .addColumn('image_id', 'text')
    .addColumn('snapshot_id', 'text')
    .addColumn('volume_id', 'text')
    .addColumn('volume_type', 'text')
    .addColumn('volume_size_gb', 'bigint')
    .addColumn('attachment_id', 'text')
    .addColumn('disk_id', 'text')
    .addColumn('create_volume', 'integer', (c) => c.notNull())
    .addColumn('guest_format', 'text')
    .addColumn('delete_on_termination', 'integer', (c) => c.notNull())
    .addColumn('tag', 'text')
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .execute();
  await db.schema.createIndex('nova_block_device_server').on('nova_block_device').columns(['server_id', 'seq']).execute();
  await db.schema.createIndex('nova_block_device_volume').on('nova_block_device').columns(['volume_id']).execute();

  await withSeq('nova_action')
    .addColumn('server_id', 'text', (c) => c.notNull())
    .addColumn('request_id', 'text', (c) => c.notNull())
    .addColumn('action', 'text', (c) => c.notNull())
    .addColumn('user_id', 'text', (c) => c.notNull())
    .addColumn('project_id', 'text', (c) => c.notNull())
    .addColumn('message', 'text')
    .addColumn('start_at_ms', 'bigint', (c) => c.notNull())
    .addColumn('updated_at_ms', 'bigint', (c) => c.notNull())
    .addUniqueConstraint('nova_action_request', ['server_id', 'request_id'])
    .execute();
  await db.schema.createIndex('nova_action_server').on('nova_action').columns(['server_id', 'seq']).execute();

  await table('nova_leftover')
    .addColumn('host', 'text', (c) => c.notNull())
    .addColumn('kind', 'text', (c) => c.notNull())
    .addColumn('id', 'text', (c) => c.notNull())
    .addColumn('created_at_ms', 'bigint', (c) => c.notNull())
    .addPrimaryKeyConstraint('nova_leftover_pk', ['host', 'kind', 'id'])
    .execute();
}
