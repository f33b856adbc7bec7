import type { Kysely } from 'kysely';
import type { EngineName } from '@cairn/kit/store/store';
import { index, table } from './build.ts';

/** Endpoint filters and groups, policies of endpoints, configuration of domains, and who of a directory has which public id. */
export async function domainConfigEndpointFilter(db: Kysely<unknown>, _engine: EngineName): Promise<void> {
  await table(
    db,
    'keystone_endpoint_group',
    [
      ['id', 'text'],
      ['name', 'text'],
      ['description', 'text', 'null'],
      ['filters', 'text'],
    ],
    ['id'],
  );
  await table(
    db,
    'keystone_project_endpoint',
    [
      ['project_id', 'text'],
      ['endpoint_id', 'text'],
    ],
    ['project_id', 'endpoint_id'],
  );
  await index(db, 'keystone_project_endpoint', ['endpoint_id', 'project_id']);
  await table(
    db,
    'keystone_project_endpoint_group',
    [
      ['project_id', 'text'],
      ['endpoint_group_id', 'text'],
    ],
    ['project_id', 'endpoint_group_id'],
  );
  await index(db, 'keystone_project_endpoint_group', ['endpoint_group_id', 'project_id']);
  await table(
    db,
    'keystone_policy_association',
    [
      ['endpoint_id', 'text'],
      ['service_id', 'text'],
      ['region_id', 'text'],
      ['policy_id', 'text'],
    ],
    ['endpoint_id', 'service_id', 'region_id'],
  );
  await index(db, 'keystone_policy_association', ['policy_id']);
  await index(db, 'keystone_policy_association', ['service_id']);
  await index(db, 'keystone_policy_association', ['region_id']);
  await table(
    db,
    'keystone_domain_option',
    [
      ['domain_id', 'text'],
      ['option_group', 'text'],
      ['option_name', 'text'],
      ['value', 'text'],
      ['sensitive', 'integer'],
    ],
    ['domain_id', 'option_group', 'option_name'],
  );
  await table(
    db,
    'keystone_id_mapping',
    [
      ['public_id', 'text'],
      ['domain_id', 'text'],
      ['entity_type', 'text'],
      ['local_id', 'text'],
    ],
    ['public_id'],
  );
  await index(db, 'keystone_id_mapping', ['domain_id', 'entity_type', 'local_id'], true);
  await table(
    db,
    'keystone_nonlocal_user',
    [
      ['user_id', 'text'],
      ['domain_id', 'text'],
      ['name', 'text'],
      ['created_at_ms', 'bigint'],
      ['last_active_at_ms', 'bigint', 'null'],
    ],
    ['user_id'],
  );
  await index(db, 'keystone_nonlocal_user', ['domain_id', 'user_id']);
}
