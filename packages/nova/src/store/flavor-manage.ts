import { type ListPage, type ListRequest, type ListSpec, listRows } from '@cairn/kit/store/list';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { type Insertable, sql, type Updateable } from 'kysely';
import type { FlavorRow } from './flavor.ts';
import type { FlavorTable, NovaTables } from './tables.ts';

const q = (db: Db) => on<NovaTables>(db);

/** Which flavors a list shows. */
export interface FlavorScope {
  /** true: public ones and those given to `projectId`; null: public and others. */
  readonly isPublic: boolean | null;
  readonly projectId: string | undefined;
  readonly enabledOnly: boolean;
  readonly minRamMb: number | undefined;
  readonly minDiskGb: number | undefined;
  /** Flavors of these names alone. */
  readonly names: readonly string[] | undefined;
}

const SPEC: ListSpec<FlavorRow> = {
  table: 'nova_flavor',
  id: 'flavor_id',
  columns: {
    flavorid: 'flavor_id',
    name: 'name',
    description: { column: 'description', nullable: true },
    memory_mb: { column: 'memory_mb', type: 'integer' },
    vcpus: { column: 'vcpus', type: 'integer' },
    // always null upstream: the order is that of creation
    vcpu_weight: { column: 'seq', type: 'integer' },
    root_gb: { column: 'root_gb', type: 'integer' },
    ephemeral_gb: { column: 'ephemeral_gb', type: 'integer' },
    swap: { column: 'swap_mb', type: 'integer' },
    rxtx_factor: { column: 'rxtx_factor', type: 'integer' },
    is_public: { column: 'is_public', type: 'integer' },
    disabled: { column: 'disabled', type: 'integer' },
    id: { column: 'seq', type: 'integer' },
    created_at: { column: 'created_at_ms', type: 'integer' },
    updated_at: { column: 'updated_at_ms', nullable: true, type: 'integer' },
  },
};

/** One page of flavors. */
export function listFlavors(
  db: Db,
  scope: FlavorScope,
  request: Pick<ListRequest, 'sort' | 'limit' | 'marker'> & { readonly unknownMarker: (marker: string | number) => Error },
): Promise<ListPage<FlavorRow>> {
  const { unknownMarker, ...page } = request;
  const given = sql<boolean>`exists (select 1 from nova_flavor_access a where a.flavor_id = nova_flavor.flavor_id and a.project_id = ${scope.projectId ?? ''})`;
  return listRows<FlavorRow>(
    db,
    { ...SPEC, unknownMarker },
    {
      ...page,
      where: (query) => {
        let found = query;
        if (scope.isPublic === true) found = found.where(sql<boolean>`(nova_flavor.is_public = 1 or ${given})`);
        if (scope.isPublic === false) found = found.where(sql<boolean>`nova_flavor.is_public = 0`);
        if (scope.enabledOnly) found = found.where(sql<boolean>`nova_flavor.disabled = 0`);
        if (scope.minRamMb !== undefined) found = found.where(sql<boolean>`nova_flavor.memory_mb >= ${scope.minRamMb}`);
        if (scope.minDiskGb !== undefined) found = found.where(sql<boolean>`nova_flavor.root_gb >= ${scope.minDiskGb}`);
        const { names } = scope;
        if (names !== undefined)
          found = names.length === 0 ? found.where(sql<boolean>`1 = 0`) : found.where(sql<boolean>`nova_flavor.name in (${sql.join(names)})`);
        return found;
      },
    },
  );
}

export async function flavorNames(db: Db): Promise<readonly string[]> {
  return (await q(db).selectFrom('nova_flavor').select('name').orderBy('seq').execute()).map((row) => row.name);
}

export async function insertFlavor(tx: Tx, row: Insertable<FlavorTable>): Promise<FlavorRow> {
  return q(tx).insertInto('nova_flavor').values(row).returningAll().executeTakeFirstOrThrow();
}

export async function updateFlavor(tx: Tx, flavorId: string, set: Updateable<FlavorTable>): Promise<void> {
  await q(tx).updateTable('nova_flavor').set(set).where('flavor_id', '=', flavorId).execute();
}

/** Removes a flavor with the projects that might use it. Returns whether it was there. */
export async function deleteFlavor(tx: Tx, flavorId: string): Promise<boolean> {
  await q(tx).deleteFrom('nova_flavor_access').where('flavor_id', '=', flavorId).execute();
  const result = await q(tx).deleteFrom('nova_flavor').where('flavor_id', '=', flavorId).executeTakeFirst();
  return Number(result.numDeletedRows) > 0;
}

export async function flavorProjects(db: Db, flavorId: string): Promise<string[]> {
  return (await q(db).selectFrom('nova_flavor_access').select('project_id').where('flavor_id', '=', flavorId).orderBy('project_id').execute()).map(
    (r) => r.project_id,
  );
}

export async function addFlavorProject(tx: Tx, flavorId: string, projectId: string): Promise<void> {
  await q(tx).insertInto('nova_flavor_access').values({ flavor_id: flavorId, project_id: projectId }).execute();
}

export async function removeFlavorProject(tx: Tx, flavorId: string, projectId: string): Promise<boolean> {
  const result = await q(tx).deleteFrom('nova_flavor_access').where('flavor_id', '=', flavorId).where('project_id', '=', projectId).executeTakeFirst();
  return Number(result.numDeletedRows) > 0;
}
