import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { Requester } from '../app/caller.ts';
import type { CinderDeps } from '../app/deps.ts';
import { emitGroup } from '../app/events.ts';
import {
  deleteGroupRow,
  deleteGroupSnapshotRow,
  groupById,
  groupSnapshotById,
  snapshotsOfGroupSnapshot,
  updateGroup,
  updateGroupSnapshot,
  volumesOfGroup,
} from '../store/groups.ts';
import { DATA_DEADLINE_MS } from './common.ts';

export interface GroupSettleParams {
  readonly kind: 'group' | 'group_snapshot';
  readonly id: string;
  readonly what: 'create' | 'delete';
  /** The sagas of the volumes or snapshots in it, started with this one. */
  readonly parts: readonly string[];
  readonly who: Requester;
}

/** Waits for what a group (or a snapshot of one) is made of, then gives it its status, or removes it. */
export function groupSettleSaga(deps: CinderDeps): SagaDefinition<GroupSettleParams> {
  const { env } = deps;
  return defineSaga<GroupSettleParams, unknown>({
    name: 'cinder.group.settle',
    steps: [
      {
        name: 'parts',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const aborted = Promise.withResolvers<never>();
          aborted.promise.catch(() => {});
          const onAbort = (): void => aborted.reject(step.signal.reason);
          step.signal.addEventListener('abort', onAbort, { once: true });
          try {
            // how each ended is in its row
            for (const part of step.params.parts) await Promise.race([env.sagas.settled(part), aborted.promise]);
          } finally {
            step.signal.removeEventListener('abort', onAbort);
          }
        },
      },
    ],
    async onDone(tx, step) {
      const { kind, id, what, who } = step.params;
      const nowMs = env.clock.nowMs();
      if (kind === 'group') {
        const row = await groupById(tx, id);
        if (!row) return;
        const volumes = await volumesOfGroup(tx, id);
        if (what === 'delete' && volumes.length === 0) await deleteGroupRow(tx, id);
        else {
          const bad = what === 'delete' ? 'error_deleting' : 'error';
          const fine = what === 'create' && volumes.every((one) => one.status === 'available' || one.status === 'in-use');
          await updateGroup(tx, id, { status: fine ? 'available' : bad }, nowMs, ['creating', 'deleting']);
        }
        await emitGroup(env, tx, who, `${what}.end`, row);
        return;
      }
      const row = await groupSnapshotById(tx, id);
      if (!row) return;
      const snapshots = await snapshotsOfGroupSnapshot(tx, id);
      if (what === 'delete' && snapshots.length === 0) await deleteGroupSnapshotRow(tx, id);
      else if (what === 'delete') await updateGroupSnapshot(tx, id, { status: 'error_deleting' }, nowMs);
      else await updateGroupSnapshot(tx, id, { status: snapshots.every((one) => one.status === 'available') ? 'available' : 'error' }, nowMs);
    },
    async onFailed(tx, step) {
      const { kind, id, what } = step.params;
      const status = what === 'delete' ? 'error_deleting' : 'error';
      const nowMs = env.clock.nowMs();
      if (kind === 'group') await updateGroup(tx, id, { status }, nowMs);
      else await updateGroupSnapshot(tx, id, { status }, nowMs);
    },
  });
}
