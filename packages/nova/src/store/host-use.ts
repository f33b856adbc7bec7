import { type Db, on } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';

/** What a project's live servers on a host were given. */
export interface HostUse {
  readonly projectId: string;
  readonly vcpus: number;
  readonly memoryMb: number;
  readonly diskGb: number;
}

/** Sums by project, of live servers on a host. */
export async function useOfHost(db: Db, host: string): Promise<readonly HostUse[]> {
  const rows = await on<NovaTables>(db)
    .selectFrom('nova_server')
    .select((e) => [
      'project_id',
      e.fn.sum<number>('vcpus').as('vcpus'),
      e.fn.sum<number>('memory_mb').as('memory_mb'),
      e.fn.sum<number>('root_gb').as('root_gb'),
      e.fn.sum<number>('ephemeral_gb').as('ephemeral_gb'),
    ])
    .where('host', '=', host)
    .where('deleted', '=', 0)
    .groupBy('project_id')
    .orderBy('project_id')
    .execute();
  return rows.map((row) => ({
    projectId: row.project_id,
    vcpus: Number(row.vcpus),
    memoryMb: Number(row.memory_mb),
    diskGb: Number(row.root_gb) + Number(row.ephemeral_gb),
  }));
}
