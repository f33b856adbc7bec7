import { randomUUID } from 'node:crypto';
import type { EngineName } from '@cairn/kit/store/store';
import type { Kysely } from 'kysely';
import { buildWith, nullable } from './build.ts';

/** Backups, groups, QoS specs and encryption; ../tables.ts says what each column means. */
export async function whole(db: Kysely<any>, engine: EngineName): Promise<void> {
  const { table, index } = buildWith(db, engine);

  await table(
    'cinder_backup',
    {
      id: 'text',
      volume_id: 'text',
      snapshot_id: 'text?',
      parent_id: 'text?',
      project_id: 'text',
      user_id: 'text',
      name: 'text?',
      description: 'text?',
      status: 'text',
      fail_reason: 'text?',
      size_gb: 'int',
      container: 'text?',
      availability_zone: 'text?',
      host: 'text?',
      service: 'text?',
      object_count: 'int',
      restore_volume_id: 'text?',
      encryption_key_id: 'text?',
      metadata: 'text',
      facts: 'text',
      data_timestamp_ms: 'int?',
      created_at_ms: 'int',
      updated_at_ms: 'int?',
    },
    ['id'],
  );
  await index('cinder_backup_project', 'cinder_backup', ['project_id', 'created_at_ms', 'id']);
  await index('cinder_backup_all', 'cinder_backup', ['created_at_ms', 'id']);
  await index('cinder_backup_volume', 'cinder_backup', ['volume_id', 'created_at_ms', 'id']);
  await index('cinder_backup_parent', 'cinder_backup', [nullable('parent_id'), 'id']);

  const named = { id: 'text', name: 'text?', description: 'text?', created_at_ms: 'int', updated_at_ms: 'int?' } as const;
  await table('cinder_group_type', { ...named, is_public: 'int', group_specs: 'text' }, ['id']);
  await db.schema.createIndex('cinder_group_type_name').unique().on('cinder_group_type').column('name').execute();
  await index('cinder_group_type_all', 'cinder_group_type', ['created_at_ms', 'id']);
  // upstream's migrations make this type: consistency groups are groups of it
  await db
    .insertInto('cinder_group_type')
    .values({
      id: randomUUID(),
      name: 'default_cgsnapshot_type',
      description: 'Default group type for migrating cgsnapshot',
      is_public: 1,
      group_specs: '{"consistent_group_snapshot_enabled":"<is> True"}',
      created_at_ms: Date.now(),
      updated_at_ms: null,
    })
    .execute();
  await table(
    'cinder_group',
    {
      ...named,
      project_id: 'text',
      user_id: 'text',
      status: 'text',
      group_type_id: 'text',
      availability_zone: 'text?',
      host: 'text?',
      group_snapshot_id: 'text?',
      source_group_id: 'text?',
      replication_status: 'text?',
    },
    ['id'],
  );
  await index('cinder_group_project', 'cinder_group', ['project_id', 'created_at_ms', 'id']);
  await index('cinder_group_all', 'cinder_group', ['created_at_ms', 'id']);
  await index('cinder_group_of_type', 'cinder_group', ['group_type_id', 'id']);
  await table('cinder_group_volume_type', { group_id: 'text', type_id: 'text' }, ['group_id', 'type_id']);
  await index('cinder_group_volume_type_type', 'cinder_group_volume_type', ['type_id', 'group_id']);
  await table('cinder_group_snapshot', { ...named, project_id: 'text', user_id: 'text', status: 'text', group_id: 'text', group_type_id: 'text' }, ['id']);
  await index('cinder_group_snapshot_project', 'cinder_group_snapshot', ['project_id', 'created_at_ms', 'id']);
  await index('cinder_group_snapshot_all', 'cinder_group_snapshot', ['created_at_ms', 'id']);
  await index('cinder_group_snapshot_group', 'cinder_group_snapshot', ['group_id', 'created_at_ms', 'id']);
  await index('cinder_volume_group', 'cinder_volume', [nullable('group_id'), 'created_at_ms', 'id']);
  await index('cinder_snapshot_group', 'cinder_snapshot', [nullable('group_snapshot_id'), 'created_at_ms', 'id']);

  await table('cinder_qos', { id: 'text', name: 'text', consumer: 'text', specs: 'text', created_at_ms: 'int', updated_at_ms: 'int?' }, ['id']);
  await db.schema.createIndex('cinder_qos_name').unique().on('cinder_qos').column('name').execute();
  await index('cinder_qos_all', 'cinder_qos', ['created_at_ms', 'id']);
  await index('cinder_type_qos', 'cinder_type', [nullable('qos_specs_id'), 'id']);

  await table(
    'cinder_encryption',
    {
      type_id: 'text',
      id: 'text',
      provider: 'text',
      control_location: 'text',
      cipher: 'text?',
      key_size: 'int?',
      created_at_ms: 'int',
      updated_at_ms: 'int?',
    },
    ['type_id'],
  );
  await table('cinder_key', { id: 'text', project_id: 'text', sealed: 'text', created_at_ms: 'int' }, ['id']);

  for (const name of ['cinder_volume', 'cinder_snapshot']) await db.schema.alterTable(name).addColumn('encryption_key_id', 'text').execute();
  await index('cinder_volume_key', 'cinder_volume', [nullable('encryption_key_id'), 'id']);
}
