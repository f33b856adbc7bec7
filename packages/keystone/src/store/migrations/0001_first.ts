import type { Kysely } from 'kysely';
import type { EngineName } from '@cairn/kit/store/store';
import { index, table } from './build.ts';

export async function first(db: Kysely<unknown>, _engine: EngineName): Promise<void> {
  await resources(db);
  await identity(db);
  await assignment(db);
  await catalog(db);
  await delegation(db);
  await limits(db);
  await bookkeeping(db);
}

async function resources(db: Kysely<unknown>): Promise<void> {
  await table(
    db,
    'keystone_project',
    [
      ['id', 'text'],
      ['name', 'text'],
      ['domain_id', 'text'],
      ['parent_id', 'text', 'null'],
      ['description', 'text', 'null'],
      ['enabled', 'integer'],
      ['is_domain', 'integer'],
      ['options', 'text'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_project', ['domain_id', 'name'], true);
  await index(db, 'keystone_project', ['parent_id', 'id']);
  await index(db, 'keystone_project', ['is_domain', 'id']);
  await index(db, 'keystone_project', ['domain_id', 'id']);
  await index(db, 'keystone_project', ['name', 'id']);
  await table(
    db,
    'keystone_project_tag',
    [
      ['project_id', 'text'],
      ['name', 'text'],
    ],
    ['project_id', 'name'],
  );
}

async function identity(db: Kysely<unknown>): Promise<void> {
  await table(
    db,
    'keystone_user',
    [
      ['id', 'text'],
      ['domain_id', 'text'],
      ['name', 'text'],
      ['enabled', 'integer'],
      ['default_project_id', 'text', 'null'],
      ['options', 'text'],
      ['extra', 'text'],
      ['created_at_ms', 'bigint'],
      ['last_active_at_ms', 'bigint', 'null'],
      ['failed_auth_count', 'integer'],
      ['failed_auth_at_ms', 'bigint', 'null'],
    ],
    ['id'],
  );
  await index(db, 'keystone_user', ['domain_id', 'name'], true);
  await index(db, 'keystone_user', ['domain_id', 'id']);
  await index(db, 'keystone_user', ['name', 'id']);
  await index(db, 'keystone_user', ['default_project_id']);
  await table(
    db,
    'keystone_password',
    [
      ['user_id', 'text'],
      ['ordinal', 'integer'],
      ['password_hash', 'text', 'null'],
      ['created_at_ms', 'bigint'],
      ['expires_at_ms', 'bigint', 'null'],
      ['self_service', 'integer'],
    ],
    ['user_id', 'ordinal'],
  );
  await table(
    db,
    'keystone_group',
    [
      ['id', 'text'],
      ['domain_id', 'text'],
      ['name', 'text'],
      ['description', 'text', 'null'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_group', ['domain_id', 'name'], true);
  await index(db, 'keystone_group', ['domain_id', 'id']);
  await index(db, 'keystone_group', ['name', 'id']);
  await table(
    db,
    'keystone_membership',
    [
      ['user_id', 'text'],
      ['group_id', 'text'],
    ],
    ['user_id', 'group_id'],
  );
  await index(db, 'keystone_membership', ['group_id', 'user_id']);
}

async function assignment(db: Kysely<unknown>): Promise<void> {
  await table(
    db,
    'keystone_role',
    [
      ['id', 'text'],
      ['name', 'text'],
      ['domain_id', 'text'],
      ['description', 'text', 'null'],
      ['options', 'text'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_role', ['name', 'domain_id'], true);
  await index(db, 'keystone_role', ['domain_id', 'id']);
  await table(
    db,
    'keystone_implied_role',
    [
      ['prior_role_id', 'text'],
      ['implied_role_id', 'text'],
    ],
    ['prior_role_id', 'implied_role_id'],
  );
  await index(db, 'keystone_implied_role', ['implied_role_id']);
  await table(
    db,
    'keystone_assignment',
    [
      ['type', 'text'],
      ['actor_id', 'text'],
      ['target_id', 'text'],
      ['role_id', 'text'],
      ['inherited', 'integer'],
    ],
    ['actor_id', 'target_id', 'type', 'role_id', 'inherited'],
  );
  await index(db, 'keystone_assignment', ['target_id', 'type']);
  await index(db, 'keystone_assignment', ['role_id']);
}

async function catalog(db: Kysely<unknown>): Promise<void> {
  await table(
    db,
    'keystone_region',
    [
      ['id', 'text'],
      ['description', 'text'],
      ['parent_region_id', 'text', 'null'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_region', ['parent_region_id', 'id']);
  await table(
    db,
    'keystone_service',
    [
      ['id', 'text'],
      ['type', 'text'],
      ['name', 'text', 'null'],
      ['enabled', 'integer'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_service', ['type', 'id']);
  await table(
    db,
    'keystone_endpoint',
    [
      ['id', 'text'],
      ['service_id', 'text'],
      ['region_id', 'text', 'null'],
      ['interface', 'text'],
      ['url', 'text'],
      ['enabled', 'integer'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_endpoint', ['service_id', 'id']);
  await index(db, 'keystone_endpoint', ['region_id', 'id']);
}

async function delegation(db: Kysely<unknown>): Promise<void> {
  await table(
    db,
    'keystone_credential',
    [
      ['id', 'text'],
      ['user_id', 'text'],
      ['project_id', 'text', 'null'],
      ['type', 'text'],
      ['encrypted_blob', 'text'],
      ['key_hash', 'text'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_credential', ['user_id', 'id']);
  await index(db, 'keystone_credential', ['project_id']);
  await index(db, 'keystone_credential', ['key_hash', 'id']);
  await table(
    db,
    'keystone_policy',
    [
      ['id', 'text'],
      ['type', 'text'],
      ['blob', 'text'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await table(
    db,
    'keystone_application_credential',
    [
      ['id', 'text'],
      ['user_id', 'text'],
      ['project_id', 'text', 'null'],
      ['name', 'text'],
      ['description', 'text', 'null'],
      ['secret_hash', 'text'],
      ['expires_at_us', 'bigint', 'null'],
      ['unrestricted', 'integer'],
    ],
    ['id'],
  );
  await index(db, 'keystone_application_credential', ['user_id', 'name'], true);
  await index(db, 'keystone_application_credential', ['user_id', 'id']);
  await index(db, 'keystone_application_credential', ['project_id']);
  await table(
    db,
    'keystone_application_credential_role',
    [
      ['application_credential_id', 'text'],
      ['role_id', 'text'],
    ],
    ['application_credential_id', 'role_id'],
  );
  await table(
    db,
    'keystone_access_rule',
    [
      ['id', 'text'],
      ['user_id', 'text'],
      ['service', 'text'],
      ['path', 'text'],
      ['method', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_access_rule', ['user_id', 'service', 'path', 'method'], true);
  await index(db, 'keystone_access_rule', ['user_id', 'id']);
  await table(
    db,
    'keystone_application_credential_access_rule',
    [
      ['application_credential_id', 'text'],
      ['access_rule_id', 'text'],
    ],
    ['application_credential_id', 'access_rule_id'],
  );
  await index(db, 'keystone_application_credential_access_rule', ['access_rule_id']);
  await table(
    db,
    'keystone_trust',
    [
      ['id', 'text'],
      ['trustor_user_id', 'text'],
      ['trustee_user_id', 'text'],
      ['project_id', 'text', 'null'],
      ['impersonation', 'integer'],
      ['expires_at_ms', 'bigint', 'null'],
      ['remaining_uses', 'integer', 'null'],
      ['redelegated_trust_id', 'text', 'null'],
      ['redelegation_count', 'integer'],
      ['deleted_at_ms', 'bigint', 'null'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_trust', ['trustor_user_id', 'id']);
  await index(db, 'keystone_trust', ['trustee_user_id', 'id']);
  await index(db, 'keystone_trust', ['project_id']);
  await index(db, 'keystone_trust', ['redelegated_trust_id']);
  await table(
    db,
    'keystone_trust_role',
    [
      ['trust_id', 'text'],
      ['role_id', 'text'],
    ],
    ['trust_id', 'role_id'],
  );
}

async function limits(db: Kysely<unknown>): Promise<void> {
  await table(
    db,
    'keystone_registered_limit',
    [
      ['id', 'text'],
      ['service_id', 'text'],
      ['region_id', 'text'],
      ['resource_name', 'text'],
      ['default_limit', 'integer'],
      ['description', 'text', 'null'],
    ],
    ['id'],
  );
  await index(db, 'keystone_registered_limit', ['service_id', 'resource_name', 'region_id'], true);
  await table(
    db,
    'keystone_limit',
    [
      ['id', 'text'],
      ['registered_limit_id', 'text'],
      ['project_id', 'text', 'null'],
      ['domain_id', 'text', 'null'],
      ['resource_limit', 'integer'],
      ['description', 'text', 'null'],
    ],
    ['id'],
  );
  await index(db, 'keystone_limit', ['registered_limit_id', 'project_id'], true);
  await index(db, 'keystone_limit', ['project_id']);
  await index(db, 'keystone_limit', ['domain_id']);
}

async function bookkeeping(db: Kysely<unknown>): Promise<void> {
  await table(
    db,
    'keystone_revocation_event',
    [
      ['id', 'bigint'],
      ['audit_id', 'text', 'null'],
      ['audit_chain_id', 'text', 'null'],
      ['user_id', 'text', 'null'],
      ['project_id', 'text', 'null'],
      ['domain_id', 'text', 'null'],
      ['role_id', 'text', 'null'],
      ['trust_id', 'text', 'null'],
      ['consumer_id', 'text', 'null'],
      ['access_token_id', 'text', 'null'],
      ['issued_before_ms', 'bigint'],
      ['expires_at_ms', 'bigint', 'null'],
      ['revoked_at_ms', 'bigint'],
    ],
    ['id'],
  );
  for (const column of ['audit_id', 'audit_chain_id', 'user_id', 'project_id', 'domain_id', 'role_id', 'trust_id', 'consumer_id', 'access_token_id']) {
    await index(db, 'keystone_revocation_event', [column, 'issued_before_ms']);
  }
  await index(db, 'keystone_revocation_event', ['revoked_at_ms']);
  await table(
    db,
    'keystone_revision',
    [
      ['id', 'integer'],
      ['seq', 'bigint'],
    ],
    ['id'],
  );
  await (db as Kysely<{ keystone_revision: { id: number; seq: number } }>).insertInto('keystone_revision').values({ id: 1, seq: 0 }).execute();
  await table(
    db,
    'keystone_change',
    [
      ['seq', 'bigint'],
      ['keys', 'text'],
      ['at_ms', 'bigint'],
    ],
    ['seq'],
  );
  await index(db, 'keystone_change', ['at_ms']);
}
