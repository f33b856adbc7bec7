import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { AccessTokenTable, ConsumerTable, KeystoneTables, RequestTokenTable } from './tables.ts';

export function findConsumer(db: Db, id: string): Promise<ConsumerTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_consumer').selectAll().where('id', '=', id).executeTakeFirst();
}

export function listConsumers(db: Db): Promise<ConsumerTable[]> {
  return on<KeystoneTables>(db).selectFrom('keystone_consumer').selectAll().orderBy('id').execute();
}

export async function insertConsumer(tx: Tx, row: ConsumerTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_consumer').values(row).execute();
}

export async function updateConsumer(tx: Tx, id: string, change: Pick<ConsumerTable, 'description' | 'extra'>): Promise<void> {
  await on<KeystoneTables>(tx).updateTable('keystone_consumer').set(change).where('id', '=', id).execute();
}

/** The consumer and all that it asked for; returns the ids of its access tokens. */
export async function deleteConsumer(tx: Tx, id: string): Promise<string[]> {
  const db = on<KeystoneTables>(tx);
  await db.deleteFrom('keystone_request_token').where('consumer_id', '=', id).execute();
  const tokens = await db.deleteFrom('keystone_access_token').where('consumer_id', '=', id).returning('id').execute();
  await db.deleteFrom('keystone_consumer').where('id', '=', id).execute();
  return tokens.map((token) => token.id);
}

export function findRequestToken(db: Db, id: string): Promise<RequestTokenTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_request_token').selectAll().where('id', '=', id).executeTakeFirst();
}

export async function insertRequestToken(tx: Tx, row: RequestTokenTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_request_token').values(row).execute();
}

/** Request tokens that expired before: nobody can use them any more. */
export async function deleteExpiredRequestTokens(tx: Tx, beforeMs: number): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_request_token').where('expires_at_ms', '<', beforeMs).execute();
}

export async function authorizeRequestToken(
  tx: Tx,
  id: string,
  change: Pick<RequestTokenTable, 'authorizing_user_id' | 'verifier' | 'role_ids'>,
): Promise<void> {
  await on<KeystoneTables>(tx).updateTable('keystone_request_token').set(change).where('id', '=', id).execute();
}

/** Takes the request token away; false where another request was quicker. */
export async function takeRequestToken(tx: Tx, id: string): Promise<boolean> {
  return (await on<KeystoneTables>(tx).deleteFrom('keystone_request_token').where('id', '=', id).returning('id').executeTakeFirst()) !== undefined;
}

export function findAccessToken(db: Db, id: string): Promise<AccessTokenTable | undefined> {
  return on<KeystoneTables>(db).selectFrom('keystone_access_token').selectAll().where('id', '=', id).executeTakeFirst();
}

export function accessTokensOfUser(db: Db, userId: string): Promise<AccessTokenTable[]> {
  return on<KeystoneTables>(db).selectFrom('keystone_access_token').selectAll().where('authorizing_user_id', '=', userId).orderBy('id').execute();
}

export async function insertAccessToken(tx: Tx, row: AccessTokenTable): Promise<void> {
  await on<KeystoneTables>(tx).insertInto('keystone_access_token').values(row).execute();
}

export async function deleteAccessToken(tx: Tx, id: string): Promise<void> {
  await on<KeystoneTables>(tx).deleteFrom('keystone_access_token').where('id', '=', id).execute();
}
