import { type Db, on } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import type { DataTables } from './data-tables.ts';
import type { GlanceTables } from './tables.ts';

// How much a project uses, from the index of owners (glance/db/sqlalchemy/api.py, user_get_storage_usage and its neighbours).

const q = (db: Db) => on<GlanceTables & DataTables>(db);
const GONE = ['killed', 'deleted', 'pending_delete'] as const;
const UPLOADING = ['saving', 'uploading', 'importing'] as const;
/** An image with data is also copied to further stores. */
const COPYING = sql<boolean>`exists (select 1 from glance_image_property p where p.image_id = i.id and p.name = 'os_glance_importing_to_stores' and p.value <> '')`;

/** Bytes of a project's images in all stores; each store that has a copy counts. Without the image `exceptId`. */
export async function storedBytes(db: Db, owner: string, exceptId?: string): Promise<number> {
  let query = q(db)
    .selectFrom('glance_image as i')
    .select(sql<number | string | null>`sum(i.size_bytes * (select count(*) from glance_image_location l where l.image_id = i.id))`.as('bytes'))
    .where('i.owner', '=', owner)
    .where('i.status', 'not in', [...GONE]);
  if (exceptId !== undefined) query = query.where('i.id', '<>', exceptId);
  return Number((await query.executeTakeFirst())?.bytes ?? 0);
}

/** Bytes that wait for an import, or are being copied. */
export async function stagedBytes(db: Db, owner: string): Promise<number> {
  const row = await q(db)
    .selectFrom('glance_image as i')
    .select(sql<number | string | null>`sum(i.size_bytes)`.as('bytes'))
    .where('i.owner', '=', owner)
    .where((e) => e.or([e('i.status', 'in', ['uploading', 'importing']), e.and([e('i.status', 'not in', [...GONE, ...UPLOADING]), COPYING])]))
    .executeTakeFirst();
  return Number(row?.bytes ?? 0);
}

export async function imageCount(db: Db, owner: string): Promise<number> {
  const row = await q(db)
    .selectFrom('glance_image as i')
    .select(sql<number>`count(*)`.as('n'))
    .where('i.owner', '=', owner)
    .where('i.status', 'not in', [...GONE])
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}

export async function uploadingCount(db: Db, owner: string): Promise<number> {
  const row = await q(db)
    .selectFrom('glance_image as i')
    .select(sql<number>`count(*)`.as('n'))
    .where('i.owner', '=', owner)
    .where((e) => e.or([e('i.status', 'in', [...UPLOADING]), e.and([e('i.status', 'not in', [...GONE, ...UPLOADING]), COPYING])]))
    .executeTakeFirst();
  return Number(row?.n ?? 0);
}
