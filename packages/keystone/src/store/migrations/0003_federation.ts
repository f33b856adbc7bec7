import { type Kysely, sql } from 'kysely';
import type { EngineName } from '@cairn/kit/store/store';
import { index, table } from './build.ts';

/** Identity providers, their protocols and mappings, service providers, federated users and what their log-ins leave. */
export async function federation(db: Kysely<unknown>, _engine: EngineName): Promise<void> {
  await providers(db);
  await users(db);
  await logins(db);
}

async function providers(db: Kysely<unknown>): Promise<void> {
  await table(
    db,
    'keystone_identity_provider',
    [
      ['id', 'text'],
      ['domain_id', 'text'],
      ['enabled', 'integer'],
      ['description', 'text', 'null'],
      ['authorization_ttl_min', 'integer', 'null'],
    ],
    ['id'],
  );
  await index(db, 'keystone_identity_provider', ['domain_id']);
  await table(
    db,
    'keystone_remote_id',
    [
      ['remote_id', 'text'],
      ['idp_id', 'text'],
    ],
    ['remote_id'],
  );
  await index(db, 'keystone_remote_id', ['idp_id', 'remote_id']);
  await table(
    db,
    'keystone_federation_protocol',
    [
      ['idp_id', 'text'],
      ['id', 'text'],
      ['mapping_id', 'text'],
      ['remote_id_attribute', 'text', 'null'],
    ],
    ['idp_id', 'id'],
  );
  await table(
    db,
    'keystone_mapping',
    [
      ['id', 'text'],
      ['rules', 'text'],
      ['schema_version', 'text'],
    ],
    ['id'],
  );
  await table(
    db,
    'keystone_service_provider',
    [
      ['id', 'text'],
      ['enabled', 'integer'],
      ['description', 'text', 'null'],
      ['auth_url', 'text'],
      ['sp_url', 'text'],
      ['relay_state_prefix', 'text'],
    ],
    ['id'],
  );
  await index(db, 'keystone_service_provider', ['enabled', 'id']);
}

async function users(db: Kysely<unknown>): Promise<void> {
  // who is known by an identity provider alone shares no names with the users of the domain
  await db.schema
    .alterTable('keystone_user')
    .addColumn('federated', 'integer', (c) => c.notNull().defaultTo(0))
    .execute();
  await db.schema.dropIndex('keystone_user_domain_id_name_ix').execute();
  await sql`create unique index keystone_user_local_name_ix on keystone_user (domain_id, name) where federated = 0`.execute(db);
  await table(
    db,
    'keystone_federated_user',
    [
      ['idp_id', 'text'],
      ['protocol_id', 'text'],
      ['unique_id', 'text'],
      ['user_id', 'text'],
      ['display_name', 'text', 'null'],
    ],
    ['idp_id', 'protocol_id', 'unique_id'],
  );
  await index(db, 'keystone_federated_user', ['user_id']);
  await index(db, 'keystone_federated_user', ['unique_id', 'user_id']);
  await index(db, 'keystone_federated_user', ['protocol_id', 'user_id']);
  await table(
    db,
    'keystone_expiring_membership',
    [
      ['user_id', 'text'],
      ['group_id', 'text'],
      ['idp_id', 'text'],
      ['last_verified_at_ms', 'bigint'],
      ['expires_at_ms', 'bigint'],
    ],
    ['user_id', 'group_id', 'idp_id'],
  );
  await index(db, 'keystone_expiring_membership', ['group_id', 'user_id']);
  await index(db, 'keystone_expiring_membership', ['idp_id']);
}

async function logins(db: Kysely<unknown>): Promise<void> {
  // what was proved once and must not be proved by it again: assertion ids, states
  await table(
    db,
    'keystone_federation_used',
    [
      ['id', 'text'],
      ['expires_at_ms', 'bigint'],
    ],
    ['id'],
  );
  await index(db, 'keystone_federation_used', ['expires_at_ms']);
  // a verified assertion between its arrival and the request that fetches the token
  await table(
    db,
    'keystone_federation_session',
    [
      ['id', 'text'],
      ['idp_id', 'text'],
      ['protocol_id', 'text'],
      ['assertion', 'text'],
      ['expires_at_ms', 'bigint'],
    ],
    ['id'],
  );
  await index(db, 'keystone_federation_session', ['expires_at_ms']);
}
