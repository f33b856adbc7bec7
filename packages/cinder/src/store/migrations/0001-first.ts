import { randomUUID } from 'node:crypto';
import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { buildWith, nullable } from './build.ts';

/** The tables of the first release; ../tables.ts says what each column means. */
export async function first(db: Kysely<any>, engine: EngineName): Promise<void> {
  const { table, index } = buildWith(db, engine);

  await table(
    'cinder_volume',
    {
      id: 'text',
      project_id: 'text',
      user_id: 'text',
      name: 'text?',
      description: 'text?',
      size_gb: 'int',
      status: 'text',
      attach_status: 'text',
      previous_status: 'text?',
      migration_status: 'text?',
      availability_zone: 'text?',
      type_id: 'text',
      host: 'text?',
      disk_id: 'text',
      service_id: 'text?',
      shared_targets: 'int?',
      bootable: 'int',
      multiattach: 'int',
      snapshot_id: 'text?',
      source_volume_id: 'text?',
      group_id: 'text?',
      growing_gb: 'int',
      use_quota: 'int',
      readonly_flag: 'text?',
      attached_mode: 'text?',
      metadata: 'text',
      image_metadata: 'text',
      saga_id: 'text?',
      created_at_ms: 'int',
      updated_at_ms: 'int?',
      launched_at_ms: 'int?',
    },
    ['id'],
  );
  // one project's and everybody's volumes: by age (the default), by name, by size, by status; those of a type, of a host, of a snapshot
  await index('cinder_volume_project', 'cinder_volume', ['project_id', 'created_at_ms', 'id']);
  await index('cinder_volume_all', 'cinder_volume', ['created_at_ms', 'id']);
  await index('cinder_volume_project_name', 'cinder_volume', ['project_id', nullable('name'), 'created_at_ms', 'id']);
  await index('cinder_volume_project_status', 'cinder_volume', ['project_id', 'status', 'created_at_ms', 'id']);
  await index('cinder_volume_project_size', 'cinder_volume', ['project_id', 'size_gb', 'created_at_ms', 'id']);
  await index('cinder_volume_name', 'cinder_volume', [nullable('name'), 'created_at_ms', 'id']);
  await index('cinder_volume_status', 'cinder_volume', ['status', 'created_at_ms', 'id']);
  await index('cinder_volume_type', 'cinder_volume', ['type_id', 'created_at_ms', 'id']);
  await index('cinder_volume_host', 'cinder_volume', [nullable('host'), 'created_at_ms', 'id']);
  await index('cinder_volume_source', 'cinder_volume', [nullable('source_volume_id'), 'id']);
  await index('cinder_volume_snapshot', 'cinder_volume', [nullable('snapshot_id'), 'id']);

  await table(
    'cinder_snapshot',
    {
      id: 'text',
      volume_id: 'text',
      project_id: 'text',
      user_id: 'text',
      name: 'text?',
      description: 'text?',
      status: 'text',
      progress: 'text',
      size_gb: 'int',
      type_id: 'text',
      host: 'text',
      disk_id: 'text',
      availability_zone: 'text?',
      bootable: 'int',
      group_snapshot_id: 'text?',
      use_quota: 'int',
      metadata: 'text',
      image_metadata: 'text',
      saga_id: 'text?',
      created_at_ms: 'int',
      updated_at_ms: 'int?',
    },
    ['id'],
  );
  await index('cinder_snapshot_project', 'cinder_snapshot', ['project_id', 'created_at_ms', 'id']);
  await index('cinder_snapshot_all', 'cinder_snapshot', ['created_at_ms', 'id']);
  await index('cinder_snapshot_project_name', 'cinder_snapshot', ['project_id', nullable('name'), 'created_at_ms', 'id']);
  await index('cinder_snapshot_project_status', 'cinder_snapshot', ['project_id', 'status', 'created_at_ms', 'id']);
  await index('cinder_snapshot_volume', 'cinder_snapshot', ['volume_id', 'created_at_ms', 'id']);
  await index('cinder_snapshot_name', 'cinder_snapshot', [nullable('name'), 'created_at_ms', 'id']);
  await index('cinder_snapshot_status', 'cinder_snapshot', ['status', 'created_at_ms', 'id']);

  await table('cinder_metadata', { owner_id: 'text', kind: 'text', key: 'text', value: 'text' }, ['owner_id', 'kind', 'key']);
  // not on the value: an image's description may be longer than PostgreSQL puts into an index
  await index('cinder_metadata_key', 'cinder_metadata', ['key', 'kind', 'owner_id']);

  await table(
    'cinder_attachment',
    {
      id: 'text',
      volume_id: 'text',
      project_id: 'text',
      server_id: 'text?',
      attached_host: 'text?',
      mountpoint: 'text?',
      attach_mode: 'text?',
      attach_status: 'text',
      connector: 'text?',
      connection_info: 'text?',
      attached_at_ms: 'int?',
      by_compute: 'int',
      created_at_ms: 'int',
      updated_at_ms: 'int?',
    },
    ['id'],
  );
  await index('cinder_attachment_volume', 'cinder_attachment', ['volume_id', 'created_at_ms', 'id']);
  await index('cinder_attachment_server', 'cinder_attachment', [nullable('server_id'), 'created_at_ms', 'id']);
  await index('cinder_attachment_project', 'cinder_attachment', ['project_id', 'created_at_ms', 'id']);
  await index('cinder_attachment_all', 'cinder_attachment', ['created_at_ms', 'id']);

  await table(
    'cinder_type',
    {
      id: 'text',
      name: 'text',
      description: 'text?',
      is_public: 'int',
      qos_specs_id: 'text?',
      extra_specs: 'text',
      created_at_ms: 'int',
      updated_at_ms: 'int?',
    },
    ['id'],
  );
  await db.schema.createIndex('cinder_type_name').unique().on('cinder_type').column('name').execute();
  await index('cinder_type_all', 'cinder_type', ['created_at_ms', 'id']);
  await table('cinder_type_spec', { type_id: 'text', key: 'text', value: 'text' }, ['type_id', 'key']);
  await table('cinder_type_access', { type_id: 'text', project_id: 'text' }, ['type_id', 'project_id']);
  await table('cinder_default_type', { project_id: 'text', type_id: 'text' }, ['project_id']);
  await index('cinder_default_type_type', 'cinder_default_type', ['type_id', 'project_id']);

  await table('cinder_quota', { project_id: 'text', resource: 'text', type_id: 'text', hard_limit: 'int' }, ['project_id', 'resource', 'type_id']);
  await table('cinder_quota_class', { class_name: 'text', resource: 'text', type_id: 'text', hard_limit: 'int' }, ['class_name', 'resource', 'type_id']);
  await table(
    'cinder_usage',
    { project_id: 'text', type_id: 'text', volumes: 'int', volume_gb: 'int', growing_gb: 'int', snapshots: 'int', snapshot_gb: 'int' },
    ['project_id', 'type_id'],
  );

  await table('cinder_pool', { host: 'text', volumes: 'int', provisioned_gb: 'int' }, ['host']);
  await table(
    'cinder_service',
    {
      id: 'text',
      binary: 'text',
      host: 'text',
      disabled: 'int',
      disabled_reason: 'text?',
      availability_zone: 'text',
      frozen: 'int',
      created_at_ms: 'int',
      updated_at_ms: 'int?',
    },
    ['id'],
  );
  await db.schema.createIndex('cinder_service_host').unique().on('cinder_service').columns(['host', 'binary']).execute();

  await table(
    'cinder_message',
    {
      id: 'text',
      project_id: 'text',
      request_id: 'text',
      resource_type: 'text',
      resource_uuid: 'text?',
      action_id: 'text',
      detail_id: 'text',
      event_id: 'text',
      message_level: 'text',
      created_at_ms: 'int',
      expires_at_ms: 'int',
    },
    ['id'],
  );
  await index('cinder_message_project', 'cinder_message', ['project_id', 'created_at_ms', 'id']);
  await index('cinder_message_all', 'cinder_message', ['created_at_ms', 'id']);
  await index('cinder_message_expiry', 'cinder_message', ['expires_at_ms', 'id']);

  await table(
    'cinder_transfer',
    {
      id: 'text',
      volume_id: 'text',
      project_id: 'text',
      name: 'text?',
      salt: 'text',
      key_hash: 'text',
      no_snapshots: 'int',
      source_project_id: 'text',
      created_at_ms: 'int',
    },
    ['id'],
  );
  await index('cinder_transfer_project', 'cinder_transfer', ['project_id', 'created_at_ms', 'id']);
  await index('cinder_transfer_all', 'cinder_transfer', ['created_at_ms', 'id']);
  await db.schema.createIndex('cinder_transfer_volume').unique().on('cinder_transfer').column('volume_id').execute();

  // upstream's migrations make this type, so that there is always a default
  await db
    .insertInto('cinder_type')
    .values({
      id: randomUUID(),
      name: '__DEFAULT__',
      description: 'Default Volume Type',
      is_public: 1,
      qos_specs_id: null,
      extra_specs: '{}',
      created_at_ms: Date.now(),
      updated_at_ms: null,
    })
    .execute();
}
