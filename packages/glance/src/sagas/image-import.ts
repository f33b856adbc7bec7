import { defineSaga, type SagaDefinition, type SagaFailure, type SagaStep, type StepContext } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import { holds, markStores, unlockImage } from '../app/import-marks.ts';
import { imageById, updateImage } from '../store/images.ts';
import { deleteStaged, stagedOf } from '../store/locations.ts';
import type { SagaDeps } from './deps.ts';
import { describeStep, fetchStep } from './import-fetch.ts';
import type { ImportParams } from './import-params.ts';
import { filesOf, prepareStep } from './import-prepare.ts';
import { storeStep } from './import-store.ts';

type Given = StepContext<ImportParams, unknown>;

/** Nothing of the work stays behind. */
export function tidyStep(deps: SagaDeps): SagaStep<ImportParams, unknown> {
  return {
    name: 'tidy',
    async do(step) {
      const staged = await stagedOf(step.db, step.params.imageId);
      if (staged) await deps.staging.remove(staged.file);
      for (const file of filesOf(step.params.taskId)) await deps.staging.remove(file);
    },
    async commit(tx, step) {
      await deleteStaged(tx, step.params.imageId);
    },
  };
}

export const importSteps = (deps: SagaDeps): readonly SagaStep<ImportParams, unknown>[] => [
  fetchStep(deps),
  prepareStep(deps),
  storeStep(deps),
  tidyStep(deps),
];

/** The image is imported, and the task says so. */
export async function succeeded(deps: SagaDeps, tx: Tx, { params }: Given): Promise<void> {
  deps.tokens.delete(params.taskId);
  await deps.tasks.succeed(tx, params.taskId, { image_id: params.imageId });
  await unlockImage(tx, params.imageId, params.taskId);
  const row = await imageById(tx, params.imageId);
  if (row) await deps.images.emitSystem(tx, 'image.import', row);
}

/** Steps before any store has anything: all stores have failed then. */
const BEFORE_STORES = new Set(['describe', 'create', 'fetch', 'prepare']);

/** The image is queued again with nothing stored, and says which stores failed; the task says why. */
export async function failed(deps: SagaDeps, tx: Tx, { params }: Given, failure: SagaFailure): Promise<void> {
  deps.tokens.delete(params.taskId);
  await deps.tasks.fail(tx, params.taskId, failure.message);
  if (!(await holds(tx, params.imageId, params.taskId))) return;
  const stores = params.destinations.map((d) => d.store);
  await markStores(tx, params.imageId, BEFORE_STORES.has(failure.step) ? { failed: stores } : { arrived: stores });
  await unlockImage(tx, params.imageId, params.taskId);
  if (params.method === 'copy-image') return;
  const nothing = { size_bytes: null, virtual_size_bytes: null, checksum: null, os_hash_algo: null, os_hash_value: null };
  await updateImage(tx, params.imageId, { status: 'queued', ...nothing, updated_at_ms: deps.env.clock.nowMs() }, ['importing', 'active']);
}

/** Import of an image's data: staged, from the web, or from another glance. */
export const imageImportSaga = (deps: SagaDeps): SagaDefinition<ImportParams> =>
  defineSaga<ImportParams, unknown>({
    name: 'glance.image.import',
    steps: [describeStep(deps), ...importSteps(deps)],
    onDone: (tx, step) => succeeded(deps, tx, step),
    onFailed: (tx, step, failure) => failed(deps, tx, step, failure),
  });
