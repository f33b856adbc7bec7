import { conflict, notFound, publicText } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import { markStores } from '../app/import-marks.ts';
import { imageById } from '../store/images.ts';
import { deleteLocation } from '../store/locations.ts';
import { takeIn } from '../stores/intake.ts';
import type { SagaDeps } from './deps.ts';
import { failed, succeeded } from './image-import.ts';
import { DATA_DEADLINE_MS } from './import-fetch.ts';
import type { Destination, ImportParams } from './import-params.ts';
import { place } from './import-store.ts';

/** Copies an active image's data to more stores. The image stays usable all along. */
export const imageCopySaga = (deps: SagaDeps): SagaDefinition<ImportParams> =>
  defineSaga<ImportParams, unknown>({
    name: 'glance.image.copy',
    steps: [
      {
        name: 'copy',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          const { params } = step;
          await deps.tasks.begin(params.taskId);
          let arrived = 0;
          for (const destination of params.destinations) {
            try {
              await copy(deps, params, destination, step.signal);
              await deps.env.store.write((tx) => place(deps, tx, params, destination));
              arrived += 1;
            } catch (error) {
              step.signal.throwIfAborted();
              await deps.env.store.write(async (tx) => {
                if (await imageById(tx, params.imageId)) await markStores(tx, params.imageId, { failed: [destination.store] });
              });
              if (params.mustSucceed) throw error;
              step.log.warn({ store: destination.store, err: publicText(error) }, 'an image was not copied to a store; the others go on');
            }
          }
          return arrived;
        },
        async undo(step) {
          const { destinations } = step.params;
          await deps.env.store.write(async (tx) => {
            for (const { key } of destinations) await deleteLocation(tx, key);
          });
          for (const { store, key } of destinations) await deps.stores.get(store)?.remove({ key, url: null });
        },
      },
    ],
    onDone: (tx, step) => succeeded(deps, tx, step),
    onFailed: (tx, step, failure) => failed(deps, tx, step, failure),
  });

/** The copy is hashed on its way, and has to be what the image is. */
async function copy(deps: SagaDeps, params: ImportParams, { store, key }: Destination, signal: AbortSignal): Promise<void> {
  const row = await imageById(deps.env.store.read, params.imageId);
  const target = deps.stores.get(store);
  if (row?.status !== 'active' || !target) throw notFound(`Image ${params.imageId} is not active any more, or the store ${store} is gone.`);
  const algorithm = row.os_hash_algo ?? 'sha512';
  const stored = await takeIn(await deps.data.openStores(row), await target.sink(key, row.size_bytes ?? undefined), {
    limitBytes: deps.options.imageSizeCapBytes,
    algorithm,
    signal,
    progress: (bytes) => deps.tasks.progress(params.taskId, bytes),
  });
  const same = (row.os_hash_value === null || row.os_hash_value === stored.hash) && (row.size_bytes === null || row.size_bytes === stored.sizeBytes);
  if (same) return;
  await target.remove({ key, url: null });
  throw conflict('The data of the image is not what was recorded for it: it was not copied.');
}
