import { type Db, on, type Tx } from '@cairn/kit/store/store';
import type { Selectable } from 'kysely';
import type { ActionTable, NovaTables } from './tables.ts';

export type ActionRow = Selectable<ActionTable>;

export interface NewAction {
  readonly serverId: string;
  readonly requestId: string;
  /** Upstream's name: `create`, `delete`, `reboot`, `attach_volume` ... */
  readonly action: string;
  readonly userId: string;
  readonly projectId: string;
  readonly atMs: number;
}

/** Records that actions began. One request's second action on a server (a repeated id) is the first's. */
export async function insertActions(tx: Tx, actions: readonly NewAction[]): Promise<void> {
  await on<NovaTables>(tx)
    .insertInto('nova_action')
    .values(
      actions.map((action) => ({
        server_id: action.serverId,
        request_id: action.requestId,
        action: action.action,
        user_id: action.userId,
        project_id: action.projectId,
        message: null,
        start_at_ms: action.atMs,
        updated_at_ms: action.atMs,
      })),
    )
    .onConflict((conflict) => conflict.columns(['server_id', 'request_id']).doNothing())
    .execute();
}

/** Records how an action ended: `message` is null, or upstream's `Error`. */
export async function finishAction(tx: Tx, serverId: string, requestId: string, message: string | null, atMs: number): Promise<void> {
  await on<NovaTables>(tx)
    .updateTable('nova_action')
    .set({ message, updated_at_ms: atMs })
    .where('server_id', '=', serverId)
    .where('request_id', '=', requestId)
    .execute();
}

export interface ActionQuery {
  readonly limit: number;
  /** A request id. */
  readonly marker?: string;
  readonly changesSinceMs?: number;
  readonly changesBeforeMs?: number;
}

/** A server's actions, newest first. Undefined for an unknown marker. */
export async function listActions(db: Db, serverId: string, query: ActionQuery): Promise<readonly ActionRow[] | undefined> {
  let select = on<NovaTables>(db).selectFrom('nova_action').selectAll().where('server_id', '=', serverId);
  if (query.marker !== undefined) {
    const marker = await findAction(db, serverId, query.marker);
    if (marker === undefined) return undefined;
    select = select.where('seq', '<', marker.seq);
  }
  if (query.changesSinceMs !== undefined) select = select.where('updated_at_ms', '>=', query.changesSinceMs);
  if (query.changesBeforeMs !== undefined) select = select.where('updated_at_ms', '<=', query.changesBeforeMs);
  return await select.orderBy('seq', 'desc').limit(query.limit).execute();
}

export async function findAction(db: Db, serverId: string, requestId: string): Promise<ActionRow | undefined> {
  return await on<NovaTables>(db)
    .selectFrom('nova_action')
    .selectAll()
    .where('server_id', '=', serverId)
    .where('request_id', '=', requestId)
    .executeTakeFirst();
}
