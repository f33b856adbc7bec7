import type { Kysely } from 'kysely';
import type { EngineName } from '@cairn/kit/store/store';
import { index, table } from './build.ts';

/** OAuth1: consumers, the requests that they make and the access that users give them. */
export async function authMethods(db: Kysely<unknown>, _engine: EngineName): Promise<void> {
  await table(
    db,
    'keystone_consumer',
    [
      ['id', 'text'],
      ['description', 'text', 'null'],
      ['secret', 'text'],
      ['extra', 'text'],
    ],
    ['id'],
  );
  await table(
    db,
    'keystone_request_token',
    [
      ['id', 'text'],
      ['secret', 'text'],
      ['verifier', 'text', 'null'],
      ['authorizing_user_id', 'text', 'null'],
      ['requested_project_id', 'text'],
      ['role_ids', 'text', 'null'],
      ['consumer_id', 'text'],
      ['expires_at_ms', 'bigint', 'null'],
    ],
    ['id'],
  );
  await index(db, 'keystone_request_token', ['consumer_id']);
  await index(db, 'keystone_request_token', ['expires_at_ms']);
  await table(
    db,
    'keystone_access_token',
    [
      ['id', 'text'],
      ['secret', 'text'],
      ['authorizing_user_id', 'text'],
      ['project_id', 'text'],
      ['role_ids', 'text'],
      ['consumer_id', 'text'],
      ['expires_at_ms', 'bigint', 'null'],
    ],
    ['id'],
  );
  await index(db, 'keystone_access_token', ['authorizing_user_id']);
  await index(db, 'keystone_access_token', ['consumer_id']);
}
