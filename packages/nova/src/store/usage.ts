import { type Db, on, type Tx } from '@cairn/kit/store/store';
import { sql } from 'kysely';
import type { NovaTables } from './tables.ts';

/** What live servers use; amounts may be negative in a change. */
export interface ServerUsage {
  readonly instances: number;
  readonly cores: number;
  readonly ramMb: number;
}

const NONE: ServerUsage = { instances: 0, cores: 0, ramMb: 0 };

/** Use of a whole project and, within it, of one user. A project has few users, so this reads few rows whatever the number of servers. */
export async function usageOf(db: Db, projectId: string, userId: string): Promise<{ readonly project: ServerUsage; readonly user: ServerUsage }> {
  const rows = await on<NovaTables>(db).selectFrom('nova_usage').selectAll().where('project_id', '=', projectId).execute();
  let project = NONE;
  let user = NONE;
  for (const row of rows) {
    const usage = { instances: row.instances, cores: row.cores, ramMb: row.ram_mb };
    project = { instances: project.instances + usage.instances, cores: project.cores + usage.cores, ramMb: project.ramMb + usage.ramMb };
    if (row.user_id === userId) user = usage;
  }
  return { project, user };
}

/** Adds to the use of a user in a project. Call it in the transaction that writes or ends the servers. */
export async function changeUsage(tx: Tx, projectId: string, userId: string, change: ServerUsage): Promise<void> {
  await on<NovaTables>(tx)
    .insertInto('nova_usage')
    .values({ project_id: projectId, user_id: userId, instances: change.instances, cores: change.cores, ram_mb: change.ramMb })
    .onConflict((conflict) =>
      conflict.columns(['project_id', 'user_id']).doUpdateSet({
        instances: sql`nova_usage.instances + excluded.instances`,
        cores: sql`nova_usage.cores + excluded.cores`,
        ram_mb: sql`nova_usage.ram_mb + excluded.ram_mb`,
      }),
    )
    .execute();
}
