import { type ListPage, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type Insertable, sql } from 'kysely';
import type { KeypairRow } from './keypair.ts';
import type { KeypairTable, NovaTables } from './tables.ts';

const q = (db: Db) => on<NovaTables>(db);

/** A user's keypairs by name. */
export function listKeypairs(
  db: Db,
  userId: string,
  page: { readonly limit: number | undefined; readonly marker: string | undefined; readonly unknownMarker: (marker: string | number) => Error },
): Promise<ListPage<KeypairRow>> {
  return listRows<KeypairRow>(
    db,
    { table: 'nova_keypair', id: 'name', columns: { name: 'name' }, maxLimit: 1_000, unknownMarker: page.unknownMarker },
    {
      sort: [{ field: 'name', direction: 'asc' }],
      limit: page.limit,
      marker: page.marker,
      scope: (query) => query.where(sql<boolean>`nova_keypair.user_id = ${userId}`),
    },
  );
}

export async function countKeypairs(db: Db, userId: string): Promise<number> {
  const row = await q(db)
    .selectFrom('nova_keypair')
    .select((e) => e.fn.countAll<number>().as('n'))
    .where('user_id', '=', userId)
    .executeTakeFirstOrThrow();
  return Number(row.n);
}

export const insertKeypair = (tx: Tx, row: Insertable<KeypairTable>): Promise<KeypairRow> =>
  q(tx).insertInto('nova_keypair').values(row).returningAll().executeTakeFirstOrThrow();

export async function deleteKeypair(tx: Tx, userId: string, name: string): Promise<boolean> {
  const result = await q(tx).deleteFrom('nova_keypair').where('user_id', '=', userId).where('name', '=', name).executeTakeFirst();
  return Number(result.numDeletedRows) > 0;
}
