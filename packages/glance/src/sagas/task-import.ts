import { systemContext } from '@cairn/kit/context/context';
import { defineSaga, type SagaDefinition } from '@cairn/kit/saga/saga';
import { changeProperties, imageById } from '../store/images.ts';
import { IMPORTING, LOCK } from '../app/import-marks.ts';
import type { ImageChange } from '../app/images.ts';
import { updateImage } from '../store/images.ts';
import type { SagaDeps } from './deps.ts';
import { importSteps, succeeded } from './image-import.ts';
import type { ImportParams } from './import-params.ts';

export interface TaskImportParams extends ImportParams {
  /** The image to be made, under `imageId`. */
  readonly image: { readonly change: ImageChange; readonly properties: Readonly<Record<string, string>>; readonly tags: readonly string[] };
  readonly projectId: string;
  readonly requestId: string;
}

/** The older way: a task that makes an image and fetches its data. A failure leaves no image. */
export const taskImportSaga = (deps: SagaDeps): SagaDefinition<TaskImportParams> =>
  defineSaga<TaskImportParams, unknown>({
    name: 'glance.task.import',
    steps: [
      {
        name: 'create',
        async do(step) {
          await deps.tasks.begin(step.params.taskId);
        },
        async commit(tx, step) {
          const { imageId, taskId, image, projectId, requestId } = step.params;
          if (await imageById(tx, imageId)) return;
          const ctx = { ...systemContext(requestId), projectId };
          await deps.images.create(tx, ctx, { owner: projectId, ...image.change, id: imageId, properties: image.properties, tags: image.tags });
          await updateImage(tx, imageId, { status: 'importing' });
          await changeProperties(tx, imageId, { [LOCK]: taskId, [IMPORTING]: step.params.destinations.map((d) => d.store).join(',') });
        },
        async undoCommit(tx, step) {
          await deps.images.erase(tx, step.params.imageId);
        },
      },
      ...importSteps(deps),
    ],
    onDone: (tx, step) => succeeded(deps, tx, step),
    async onFailed(tx, step, failure) {
      await deps.tasks.fail(tx, step.params.taskId, failure.message);
    },
  });
