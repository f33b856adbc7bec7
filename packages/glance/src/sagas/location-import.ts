import { conflict, invalidInput, notFound, publicText } from '@cairn/kit/errors/errors';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import { holds, unlockImage } from '../app/import-marks.ts';
import { imageById, updateImage } from '../store/images.ts';
import { deleteLocation, insertLocation, locationsOf } from '../store/locations.ts';
import { nowhere, takeIn } from '../stores/intake.ts';
import type { SagaDeps } from './deps.ts';
import { DATA_DEADLINE_MS } from './import-fetch.ts';

export interface LocationImportParams {
  readonly taskId: string;
  readonly imageId: string;
  readonly url: string;
  /** What the data has to be, as the adder says. */
  readonly validation: { readonly algorithm: string; readonly value: string } | null;
}

/** Tries at hashing what nobody vouched for; after them the image stays without a hash. */
const HASH_TRIES = 3;

/**
 * Adds a location to a queued image (`POST /v2/images/{id}/locations`). With hashing on: what was vouched for is checked before the image
 * becomes active; else it is active at once, and hashed then. As upstream has it, a location of an http store stays when the check fails.
 */
export const locationImportSaga = (deps: SagaDeps): SagaDefinition<LocationImportParams> => {
  const secure = deps.options.secureHash;
  return defineSaga<LocationImportParams, unknown>({
    name: 'glance.location.import',
    steps: [
      {
        name: 'add',
        deadlineMs: 120_000,
        async do(step) {
          const { taskId, url } = step.params;
          await deps.tasks.begin(taskId);
          const store = deps.stores.forUrl(url);
          if (!store?.sizeOf) throw invalidInput('Invalid location: no store of this cloud reads it.');
          return { store: store.id, sizeBytes: await store.sizeOf(url) };
        },
        async commit(tx, step, output) {
          const { taskId, imageId, url, validation } = step.params;
          const { store, sizeBytes } = output as { store: string; sizeBytes: number };
          if (!(await holds(tx, imageId, taskId))) throw conflict(`Image ${imageId} was taken away from this task.`);
          const nowMs = deps.env.clock.nowMs();
          const before = await locationsOf(tx, imageId);
          if (!before.some((l) => l.url === url)) {
            const position = (before.at(-1)?.position ?? -1) + 1;
            await insertLocation(tx, {
              id: taskId,
              image_id: imageId,
              position,
              store,
              data_key: null,
              url,
              metadata: JSON.stringify({ store }),
              created_at_ms: nowMs,
            });
          }
          const known = !secure && validation ? { os_hash_algo: validation.algorithm, os_hash_value: validation.value } : {};
          await updateImage(tx, imageId, { status: secure && validation ? 'importing' : 'active', size_bytes: sizeBytes, ...known, updated_at_ms: nowMs }, [
            'queued',
            'importing',
          ]);
        },
      },
      {
        name: 'hash',
        deadlineMs: DATA_DEADLINE_MS,
        async do(step) {
          if (!secure) return null;
          const { imageId, validation } = step.params;
          const row = await imageById(step.db, imageId);
          if (!row) throw notFound(`No image found with ID ${imageId}`);
          const algorithm = validation?.algorithm ?? 'sha512';
          try {
            const location = (await locationsOf(step.db, imageId)).find((l) => l.url === step.params.url);
            const store = deps.stores.get(location?.store ?? null);
            if (!location || !store) throw notFound('The location is not there any more.');
            const data = await store.read({ key: location.data_key, url: location.url });
            const { md5, hash } = await takeIn(data, nowhere, { limitBytes: deps.options.imageSizeCapBytes, algorithm, signal: step.signal });
            if (validation && validation.value.toLowerCase() !== hash)
              throw invalidInput(`os_hash_value: (${validation.value}) not matched with actual os_hash_value: (${hash})`);
            return { md5, hash, algorithm };
          } catch (error) {
            step.signal.throwIfAborted();
            if (validation || step.attempt < HASH_TRIES) throw error;
            step.log.warn({ imageId, err: publicText(error) }, 'the data behind a location could not be hashed');
            return null;
          }
        },
        async commit(tx, step, output) {
          if (output === null) return;
          const { md5, hash, algorithm } = output as { md5: string; hash: string; algorithm: string };
          const set = { checksum: md5, os_hash_algo: algorithm, os_hash_value: hash };
          await updateImage(tx, step.params.imageId, { status: 'active', ...set, updated_at_ms: deps.env.clock.nowMs() }, ['importing', 'active']);
        },
      },
    ],
    async onDone(tx, { params }) {
      await deps.tasks.succeed(tx, params.taskId, { image_id: params.imageId });
      await unlockImage(tx, params.imageId, params.taskId);
    },
    async onFailed(tx, { params }, failure) {
      await deps.tasks.fail(tx, params.taskId, failure.message);
      if (!(await holds(tx, params.imageId, params.taskId))) return;
      await unlockImage(tx, params.imageId, params.taskId);
      const nothing = { checksum: null, os_hash_algo: null, os_hash_value: null, ...(failure.step === 'add' && { size_bytes: null }) };
      if (failure.step === 'add') await deleteLocation(tx, params.taskId);
      await updateImage(tx, params.imageId, { status: 'queued', ...nothing, updated_at_ms: deps.env.clock.nowMs() }, ['importing', 'active']);
    },
  });
};
