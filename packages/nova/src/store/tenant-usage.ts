import { type Db, on } from '@cairn/kit/store/store';
import type { NovaTables } from './tables.ts';

/** A server's life as a usage report counts it. */
export interface UsedServer {
  readonly id: string;
  readonly project_id: string;
  readonly name: string;
  readonly vm_state: string;
  readonly flavor_json: string;
  readonly launched_at_ms: number;
  readonly terminated_at_ms: number | null;
}

export interface UsageWindow {
  readonly beginMs: number;
  readonly endMs: number;
  readonly projectId?: string;
  readonly limit: number;
  /** The last server of the page before. */
  readonly marker?: { readonly project_id: string; readonly id: string };
}

/** Servers that were there within a window of time, deleted ones too, by project and id. It reads the servers of the window alone. */
export async function serversInWindow(db: Db, window: UsageWindow): Promise<readonly UsedServer[]> {
  let query = on<NovaTables>(db)
    .selectFrom('nova_server')
    .select(['id', 'project_id', 'name', 'vm_state', 'flavor_json', 'launched_at_ms', 'terminated_at_ms'])
    .where((on) => on.or([on('terminated_at_ms', 'is', null), on('terminated_at_ms', '>', window.beginMs)]))
    .where('launched_at_ms', '<', window.endMs);
  const { projectId, marker } = window;
  if (projectId !== undefined) query = query.where('project_id', '=', projectId);
  if (marker !== undefined) {
    query = query.where((on) =>
      on.or([on('project_id', '>', marker.project_id), on.and([on('project_id', '=', marker.project_id), on('id', '>', marker.id)])]),
    );
  }
  return (await query.orderBy('project_id').orderBy('id').limit(window.limit).execute()) as readonly UsedServer[];
}
