import { createReadStream } from 'node:fs';
import { conflict, notFound, publicText } from '@cairn/kit/errors/errors';
import type { SagaStep, StepContext } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import { holds, markStores } from '../app/import-marks.ts';
import { changeProperties, detailsOf, imageById, updateImage } from '../store/images.ts';
import { deleteLocation, insertLocation, locationsOf } from '../store/locations.ts';
import { takeIn } from '../stores/intake.ts';
import type { SagaDeps } from './deps.ts';
import { DATA_DEADLINE_MS } from './import-fetch.ts';
import type { Destination, ImportParams, Prepared } from './import-params.ts';

type Given = StepContext<ImportParams, unknown>;

/** Brings the data to every store that was asked for, and makes the image active. */
export function storeStep(deps: SagaDeps): SagaStep<ImportParams, unknown> {
  return {
    name: 'store',
    deadlineMs: DATA_DEADLINE_MS,
    async do(step) {
      const { params } = step;
      const prepared = step.outputs.prepare as unknown as Prepared;
      let arrived = 0;
      let trouble: unknown;
      for (const destination of params.destinations) {
        try {
          await bring(deps, step, destination, prepared);
          await deps.env.store.write(async (tx) => {
            await place(deps, tx, params, destination);
            // without all of them being needed, the first one is enough to be of use
            if (!params.mustSucceed && arrived === 0) await activate(deps, tx, params, prepared);
          });
          arrived += 1;
        } catch (error) {
          step.signal.throwIfAborted();
          trouble = error;
          await deps.env.store.write(async (tx) => {
            if (await imageById(tx, params.imageId)) await markStores(tx, params.imageId, { failed: [destination.store] });
          });
          if (params.mustSucceed) throw error;
          step.log.warn({ store: destination.store, err: publicText(error) }, 'a store failed; the others go on');
        }
      }
      if (arrived === 0) throw trouble ?? conflict('None of the uploads finished!');
    },
    async commit(tx, step) {
      if (step.params.mustSucceed) await activate(deps, tx, step.params, step.outputs.prepare as unknown as Prepared);
    },
    async undo(step) {
      const { params } = step;
      await deps.env.store.write(async (tx) => {
        for (const { key } of params.destinations) await deleteLocation(tx, key);
        const row = await imageById(tx, params.imageId);
        if (row) await updateImage(tx, params.imageId, { status: 'importing' }, ['active']);
        const declared = (step.outputs.prepare as unknown as Prepared | undefined)?.declared;
        if (row && declared) await updateImage(tx, params.imageId, declared, ['importing']);
      });
      for (const { store, key } of params.destinations) await deps.stores.get(store)?.remove({ key, url: null });
    },
  };
}

/** Puts the data into one store; a name of the same file where that is possible. */
async function bring(deps: SagaDeps, step: Given, { store, key }: Destination, prepared: Prepared): Promise<void> {
  const target = deps.stores.get(store);
  if (!target) throw notFound(`The store ${store} is not one of this cloud's any more.`);
  const path = deps.staging.path(prepared.file);
  const { properties } = await detailsOf(deps.env.store.read, [step.params.imageId]);
  const signature = await deps.signatures.check(step.params.imageId, properties.get(step.params.imageId) ?? {});
  if (signature) {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 20 })) signature.update(chunk as Buffer);
    signature.finish();
  }
  if (await target.adopt?.(key, path)) return;
  const stored = await takeIn(createReadStream(path, { highWaterMark: 1 << 20 }), await target.sink(key, prepared.sizeBytes), {
    limitBytes: deps.options.imageSizeCapBytes,
    signal: step.signal,
    progress: (bytes) => deps.tasks.progress(step.params.taskId, bytes),
  });
  if (stored.hash === prepared.hash) return;
  await target.remove({ key, url: null });
  throw conflict(`The data in store ${store} is not what was sent there.`);
}

/** The data is at a store: the image has one more location. */
export async function place(deps: SagaDeps, tx: Tx, params: ImportParams, { store, key }: Destination): Promise<void> {
  if (!(await holds(tx, params.imageId, params.taskId))) throw conflict(`Image ${params.imageId} was taken away from this task.`);
  const before = await locationsOf(tx, params.imageId);
  // what was added while the image had no data does not go before the data
  if (params.method !== 'copy-image') for (const other of before) if (!params.destinations.some((d) => d.key === other.id)) await deleteLocation(tx, other.id);
  await insertLocation(tx, deps.data.locationRow(params.imageId, store, key, (before.at(-1)?.position ?? -1) + 1));
  await markStores(tx, params.imageId, { arrived: [store], mended: [store] });
}

async function activate(deps: SagaDeps, tx: Tx, params: ImportParams, prepared: Prepared): Promise<void> {
  const { inject, injectIgnoreRoles } = deps.options.import;
  const done = await updateImage(
    tx,
    params.imageId,
    {
      status: 'active',
      size_bytes: prepared.sizeBytes,
      virtual_size_bytes: prepared.virtualSizeBytes,
      checksum: prepared.md5,
      os_hash_algo: 'sha512',
      os_hash_value: prepared.hash,
      ...(prepared.diskFormat !== null && { disk_format: prepared.diskFormat, container_format: prepared.containerFormat }),
      updated_at_ms: deps.env.clock.nowMs(),
    },
    ['importing', 'active'],
  );
  if (!done) throw notFound(`Image ${params.imageId} was deleted while it was being imported.`);
  if (!params.roles.some((role) => injectIgnoreRoles.includes(role)))
    await changeProperties(tx, params.imageId, Object.fromEntries(Object.entries(inject).filter(([name]) => !name.startsWith('os_glance'))));
}
