import { type Db, on } from '@cairn/kit/store/store';
import type { Selectable } from 'kysely';
import type { FlavorTable, NovaTables } from './tables.ts';

export type FlavorRow = Selectable<FlavorTable>;

/** The flavor with that id, if the project may use it (public, or listed for it) or `everything` is set. */
export async function findFlavor(
  db: Db,
  flavorId: string,
  viewer: { readonly projectId: string | undefined; readonly everything: boolean },
): Promise<FlavorRow | undefined> {
  const nova = on<NovaTables>(db);
  const row = await nova.selectFrom('nova_flavor').selectAll().where('flavor_id', '=', flavorId).executeTakeFirst();
  if (row === undefined || row.is_public === 1 || viewer.everything) return row;
  if (viewer.projectId === undefined) return undefined;
  const access = await nova
    .selectFrom('nova_flavor_access')
    .select('flavor_id')
    .where('flavor_id', '=', flavorId)
    .where('project_id', '=', viewer.projectId)
    .executeTakeFirst();
  return access === undefined ? undefined : row;
}
