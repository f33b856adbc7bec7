import { isCairnError } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import type { NovaDeps } from '../app/deps.ts';

export interface CacheImagesParams {
  readonly hosts: readonly string[];
  readonly imageIds: readonly string[];
}

/** Makes images ready on hosts before any server needs them. A host or an image that cannot is told in the log: nothing depends on it. */
export function cacheImagesSaga(deps: NovaDeps): SagaDefinition<CacheImagesParams> {
  return defineSaga<CacheImagesParams, unknown>({
    name: 'nova.images.cache',
    steps: [
      {
        name: 'cache',
        deadlineMs: 3_600_000,
        async do(step) {
          for (const imageId of step.params.imageIds) {
            for (const host of step.params.hosts) {
              step.signal.throwIfAborted();
              try {
                await deps.hosts.get(host).disks.cacheImage(await deps.faces.glance.source(step.db, imageId));
              } catch (error) {
                if (!isCairnError(error)) throw error;
                step.log.warn({ host, imageId, reason: error.message }, 'an image could not be cached on a host');
              }
            }
          }
        },
      },
    ],
  });
}
