import { createReadStream } from 'node:fs';
import { inspectFile } from '@cairn/host/inspector/inspector';
import { judge } from '@cairn/host/inspector/judge';
import { CairnError, conflict, notFound } from '@cairn/kit/errors/errors';
import type { Json, SagaStep } from '@cairn/kit/saga/saga';
import { judged } from '../app/judgement.ts';
import { unpacked } from '../app/unpack.ts';
import { imageById } from '../store/images.ts';
import type { ImageRow } from '../store/tables.ts';
import { nowhere, takeIn } from '../stores/intake.ts';
import type { SagaDeps } from './deps.ts';
import { DATA_DEADLINE_MS } from './import-fetch.ts';
import type { Arrived, ImportParams, Prepared } from './import-params.ts';

const unpackedFile = (taskId: string): string => `${taskId}.unpacked`;
const convertedFile = (taskId: string): string => `${taskId}.converted`;
export const filesOf = (taskId: string): readonly string[] => [taskId, unpackedFile(taskId), convertedFile(taskId)];

/** Makes of what came what the stores get: unpacked and converted where the operator wants it, and judged in any case. */
export function prepareStep(deps: SagaDeps): SagaStep<ImportParams, unknown> {
  return {
    name: 'prepare',
    deadlineMs: DATA_DEADLINE_MS,
    async do(step) {
      const { params, signal } = step;
      const row = await imageById(step.db, params.imageId);
      if (!row) throw notFound(`No image found with ID ${params.imageId}`);
      let arrived = step.outputs.fetch as unknown as Arrived;
      if (deps.options.import.decompress && row.container_format !== 'compressed') arrived = await unpack(deps, params.taskId, arrived, signal);
      const { convertTo } = deps.options.import;
      if (convertTo !== 'none' && row.disk_format !== convertTo) {
        const converted = await convert(deps, params.taskId, row, arrived, convertTo, signal);
        if (converted) return converted satisfies Prepared as unknown as Json;
      }
      const virtualSizeBytes = judged(row, await inspectFile(deps.staging.path(arrived.file)));
      return { ...arrived, virtualSizeBytes, diskFormat: null, containerFormat: null, declared: declaredOf(row) } satisfies Prepared as unknown as Json;
    },
    async undo(step) {
      await deps.staging.remove(unpackedFile(step.params.taskId));
      await deps.staging.remove(convertedFile(step.params.taskId));
    },
  };
}

const declaredOf = ({ disk_format, container_format }: ImageRow): Prepared['declared'] => ({ disk_format, container_format });

async function unpack(deps: SagaDeps, taskId: string, arrived: Arrived, signal: AbortSignal): Promise<Arrived> {
  const stream = await unpacked(deps.staging.path(arrived.file));
  if (!stream) return arrived;
  const limitBytes = Math.min(deps.options.import.maxUnpackedBytes, deps.options.imageSizeCapBytes);
  const stored = await deps.staging.take(unpackedFile(taskId), stream, { limitBytes, signal, progress: (bytes) => deps.tasks.progress(taskId, bytes) });
  return { file: unpackedFile(taskId), sizeBytes: stored.sizeBytes, md5: stored.md5, hash: stored.hash };
}

/** As upstream's image_conversion: the data must be what it was declared to be, and safe; an ISO stays one. Undefined where nothing is to be done. */
async function convert(
  deps: SagaDeps,
  taskId: string,
  row: ImageRow,
  arrived: Arrived,
  to: 'raw' | 'qcow2' | 'vmdk',
  signal: AbortSignal,
): Promise<Prepared | undefined> {
  const path = deps.staging.path(arrived.file);
  const verdict = judge(row.disk_format ?? 'raw', await inspectFile(path));
  if (!verdict.ok) throw new CairnError('UnsupportedMediaType', `Image data was refused: ${verdict.reason}`, { type: 'ImageDataRefused' });
  if (row.disk_format === 'iso' || verdict.driver === to) return undefined;
  if (!deps.converter) throw conflict('Images cannot be converted here: there is no host that does it.');
  const file = convertedFile(taskId);
  await deps.staging.remove(file);
  await deps.converter.convert({
    from: { path, format: verdict.driver },
    to: { path: deps.staging.path(file), format: to },
    sourceBytes: arrived.sizeBytes,
    signal,
  });
  // what came out is judged like what came in: something may have been hidden inside
  const virtualSizeBytes = judged({ disk_format: to, container_format: 'bare' }, await inspectFile(deps.staging.path(file)));
  const stored = await takeIn(createReadStream(deps.staging.path(file), { highWaterMark: 1 << 20 }), nowhere, {
    limitBytes: deps.options.imageSizeCapBytes,
    signal,
  });
  if (to === 'raw' && stored.inspected.format !== 'raw' && stored.inspected.format !== 'gpt')
    throw new CairnError('UnsupportedMediaType', 'Image data was refused: it holds another image inside.', { type: 'ImageDataRefused' });
  return {
    file,
    sizeBytes: stored.sizeBytes,
    md5: stored.md5,
    hash: stored.hash,
    virtualSizeBytes,
    diskFormat: to,
    containerFormat: 'bare',
    declared: declaredOf(row),
  };
}
