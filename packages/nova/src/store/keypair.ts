import { type Db, on } from '@cairn/kit/store/store';
import type { Selectable } from 'kysely';
import type { KeypairTable, NovaTables } from './tables.ts';

export type KeypairRow = Selectable<KeypairTable>;

export async function findKeypair(db: Db, userId: string, name: string): Promise<KeypairRow | undefined> {
  return await on<NovaTables>(db).selectFrom('nova_keypair').selectAll().where('user_id', '=', userId).where('name', '=', name).executeTakeFirst();
}
