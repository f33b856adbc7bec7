import { prepared } from '@cairn/kit/store/prepared';
import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { CinderTables, PoolRow, UsageRow } from './tables.ts';

const q = (db: Db) => on<CinderTables>(db);

export type UsageChange = Partial<Omit<UsageRow, 'project_id' | 'type_id'>>;

/** What a project uses, per type. */
export const usageOf = async (db: Db, projectId: string): Promise<UsageRow[]> => (await usageOfProject(db, { projectId })).rows;
const usageOfProject = prepared<CinderTables, { projectId: string }, UsageRow>((db, place) =>
  db.selectFrom('cinder_usage').selectAll().where('project_id', '=', place('projectId')),
);

/** Of every project, for sums over the cloud. */
export const usageOfAll = (db: Db): Promise<UsageRow[]> => q(db).selectFrom('cinder_usage').selectAll().execute();

/** Adds to (or, negative, takes from) what a project uses of a type; in the transaction that makes or removes the thing. */
export async function changeUsage(tx: Tx, projectId: string, typeId: string, change: UsageChange): Promise<void> {
  const { volumes = 0, volume_gb = 0, growing_gb = 0, snapshots = 0, snapshot_gb = 0 } = change;
  await addUsage(tx, { project_id: projectId, type_id: typeId, volumes, volume_gb, growing_gb, snapshots, snapshot_gb });
}

const addUsage = prepared<CinderTables, UsageRow>((db, place) =>
  db
    .insertInto('cinder_usage')
    .values({
      project_id: place('project_id'),
      type_id: place('type_id'),
      volumes: place('volumes'),
      volume_gb: place('volume_gb'),
      growing_gb: place('growing_gb'),
      snapshots: place('snapshots'),
      snapshot_gb: place('snapshot_gb'),
    })
    .onConflict((c) =>
      c.columns(['project_id', 'type_id']).doUpdateSet((e) => ({
        volumes: e('cinder_usage.volumes', '+', place('volumes')),
        volume_gb: e('cinder_usage.volume_gb', '+', place('volume_gb')),
        growing_gb: e('cinder_usage.growing_gb', '+', place('growing_gb')),
        snapshots: e('cinder_usage.snapshots', '+', place('snapshots')),
        snapshot_gb: e('cinder_usage.snapshot_gb', '+', place('snapshot_gb')),
      })),
    ),
);

/** Adds to what is promised on a host's storage. */
export async function changePool(tx: Tx, host: string, change: { readonly volumes?: number; readonly gb?: number }): Promise<void> {
  const { volumes = 0, gb = 0 } = change;
  await addToPool(tx, { host, volumes, gb });
}

const addToPool = prepared<CinderTables, { host: string; volumes: number; gb: number }>((db, place) =>
  db
    .insertInto('cinder_pool')
    .values({ host: place('host'), volumes: place('volumes'), provisioned_gb: place('gb') })
    .onConflict((c) =>
      c.column('host').doUpdateSet((e) => ({
        volumes: e('cinder_pool.volumes', '+', place('volumes')),
        provisioned_gb: e('cinder_pool.provisioned_gb', '+', place('gb')),
      })),
    ),
);

const allPools = prepared<CinderTables, object, PoolRow>((db) => db.selectFrom('cinder_pool').selectAll());

export async function pools(db: Db): Promise<Map<string, { readonly volumes: number; readonly provisionedGb: number }>> {
  const { rows } = await allPools(db, {});
  return new Map(rows.map((row) => [row.host, { volumes: row.volumes, provisionedGb: row.provisioned_gb }]));
}
