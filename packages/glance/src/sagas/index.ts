import type { SagaDefinition } from '@cairn/kit/saga/saga';
import type { SagaDeps } from './deps.ts';
import { imageCopySaga } from './image-copy.ts';
import { imageImportSaga } from './image-import.ts';
import type { ImportParams } from './import-params.ts';
import { type LocationImportParams, locationImportSaga } from './location-import.ts';
import { type TaskImportParams, taskImportSaga } from './task-import.ts';

/** Glance's durable work. */
export interface GlanceSagas {
  readonly imageImport: SagaDefinition<ImportParams>;
  readonly imageCopy: SagaDefinition<ImportParams>;
  readonly locationImport: SagaDefinition<LocationImportParams>;
  readonly taskImport: SagaDefinition<TaskImportParams>;
}

export const createSagas = (deps: SagaDeps): GlanceSagas => ({
  imageImport: imageImportSaga(deps),
  imageCopy: imageCopySaga(deps),
  locationImport: locationImportSaga(deps),
  taskImport: taskImportSaga(deps),
});
