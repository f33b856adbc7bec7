import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CinderTables, UsageRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export type UsageChange = Partial<Omit<UsageRow, 'project_id' | 'type_id'>>;

/** What a project uses, per type. */
export const usageOf = (db: Db, projectId: string): Promise<UsageRow[]> =>
  q(db).selectFrom('cinder_usage').selectAll().where('project_id', '=', projectId).execute();

/** Of every project, for sums over the cloud. */
export const usageOfAll = (db: Db): Promise<UsageRow[]> => q(db).selectFrom('cinder_usage').selectAll().execute();

/** Adds to (or, negative, takes from) what a project uses of a type; in the transaction that makes or removes the thing. */
export async function changeUsage(tx: Tx, projectId: string, typeId: string, change: UsageChange): Promise<void> {
  const { volumes = 0, volume_gb = 0, growing_gb = 0, snapshots = 0, snapshot_gb = 0 } = change;
  await q(tx)
    .insertInto('cinder_usage')
    .values({ project_id: projectId, type_id: typeId, volumes, volume_gb, growing_gb, snapshots, snapshot_gb })
    .onConflict((c) =>
      c.columns(['project_id', 'type_id']).doUpdateSet((e) => ({
        volumes: e('cinder_usage.volumes', '+', volumes),
        volume_gb: e('cinder_usage.volume_gb', '+', volume_gb),
        growing_gb: e('cinder_usage.growing_gb', '+', growing_gb),
        snapshots: e('cinder_usage.snapshots', '+', snapshots),
        snapshot_gb: e('cinder_usage.snapshot_gb', '+', snapshot_gb),
      })),
    )
    .execute();
}

/** Adds to what is promised on a host's storage. */
export async function changePool(tx: Tx, host: string, change: { readonly volumes?: number; readonly gb?: number }): Promise<void> {
  const { volumes = 0, gb = 0 } = change;
  await q(tx)
    .insertInto('cinder_pool')
    .values({ host, volumes, provisioned_gb: gb })
    .onConflict((c) =>
      c.column('host').doUpdateSet((e) => ({ volumes: e('cinder_pool.volumes', '+', volumes), provisioned_gb: e('cinder_pool.provisioned_gb', '+', gb) })),
    )
    .execute();
}

export async function pools(db: Db): Promise<Map<string, { readonly volumes: number; readonly provisionedGb: number }>> {
  const rows = await q(db).selectFrom('cinder_pool').selectAll().execute();
  return new Map(rows.map((row) => [row.host, { volumes: row.volumes, provisionedGb: row.provisioned_gb }]));
}
