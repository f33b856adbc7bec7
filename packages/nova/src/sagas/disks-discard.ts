import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';
import { insertLeftovers } from '../store/leftover.ts';
import { clearOnHost, clearPorts } from './on-host.ts';

export interface DiscardParams {
  /** Null: nothing on any host goes. */
  readonly host: string | null;
  readonly diskIds: readonly string[];
  /** Ports that are bound to the host no more. */
  readonly portIds: readonly string[];
  /** An image that served its turn. */
  readonly imageId?: string;
}

/**
 * Takes disks off a host that no row stands for any more, and removes an image that was made for a time. It begins in the transaction that lets them go: from there on nothing can be
 * taken back, and what cannot go now is written down and goes when the host is compared with the cloud (hosts/reconcile.ts).
 */
export function disksDiscardSaga(deps: NovaDeps): SagaDefinition<DiscardParams> {
  const leftovers = (params: DiscardParams) => params.diskIds.map((id) => ({ kind: 'disk' as const, id }));
  return defineSaga<DiscardParams, unknown>({
    name: 'nova.disks.discard',
    steps: [
      {
        name: 'discard',
        deadlineMs: 120_000,
        attempts: 5,
        async do(step) {
          const { host, diskIds, portIds, imageId } = step.params;
          if (imageId !== undefined) await deps.faces.glance.discard(imageId);
          if (host === null) return;
          await clearOnHost(deps, host, step, leftovers(step.params), async ({ disks }) => {
            for (const diskId of diskIds) await disks.remove(diskId);
          });
          await clearPorts(deps, step, portIds);
        },
      },
    ],
    async onFailed(tx, step) {
      if (step.params.host !== null) await insertLeftovers(tx, step.params.host, leftovers(step.params), deps.env.clock.nowMs());
    },
  });
}
