import type { SagaFailure } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import { finishAction } from '../store/action.ts';
import { findServer, patchServer, type ServerPatch, type ServerRow, type StoredFault } from '../store/server.ts';
import type { NovaDeps } from '../app/deps.ts';
import { serverEvent } from '../app/server-events.ts';

/** A fault as users see it: code 500 for what the cloud could not do. */
export function faultFrom(failure: SagaFailure, nowMs: number): StoredFault {
  return { code: 500, message: failure.message, ...(failure.detail === undefined ? {} : { details: failure.detail }), createdAtMs: nowMs };
}

/** Ends an action well: the server's new state, the action's record, the notification. */
export async function actionDone(
  deps: NovaDeps,
  tx: Tx,
  end: { readonly serverId: string; readonly requestId: string; readonly event?: string; readonly patch?: ServerPatch },
): Promise<void> {
  const nowMs = deps.env.clock.nowMs();
  await patchServer(tx, end.serverId, { task_state: null, task_deadline_at_ms: null, ...end.patch, updated_at_ms: nowMs });
  await finishAction(tx, end.serverId, end.requestId, null, nowMs);
  if (end.event === undefined) return;
  const row = await findServer(tx, end.serverId);
  if (row !== undefined) await deps.env.events.emit(tx, serverEvent(end.event, row, end.requestId));
}

/** Ends an action badly: the fault is kept, the task is over, and the server is left in the state that `patch` says. */
export async function actionFailed(
  deps: NovaDeps,
  tx: Tx,
  end: {
    readonly serverId: string;
    readonly requestId: string;
    readonly failure: SagaFailure;
    readonly event?: string;
    readonly patch?: (row: ServerRow) => ServerPatch;
  },
): Promise<void> {
  const nowMs = deps.env.clock.nowMs();
  await finishAction(tx, end.serverId, end.requestId, 'Error', nowMs);
  // what was taken back may have left the guest in another state than this says
  tx.afterCommit(() => deps.secondLooks.add(end.serverId));
  const row = await findServer(tx, end.serverId);
  // somebody deletes it: the delete saga, which waits for this one, has the last word
  if (row === undefined || row.deleted === 1 || row.task_state === 'deleting') return;
  const patch: ServerPatch = { task_state: null, task_deadline_at_ms: null, fault_json: JSON.stringify(faultFrom(end.failure, nowMs)), ...end.patch?.(row) };
  await patchServer(tx, end.serverId, { ...patch, updated_at_ms: nowMs });
  if (end.event !== undefined) await deps.env.events.emit(tx, serverEvent(end.event, { ...row, ...(patch as Partial<ServerRow>) }, end.requestId));
}
