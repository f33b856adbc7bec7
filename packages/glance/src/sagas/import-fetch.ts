import type { Readable } from 'node:stream';
import { conflict, invalidInput, notFound, unavailable } from '@cairn/kit/errors/errors';
import { FetchGuard } from '@cairn/kit/net/fetch-policy';
import { guardedFetch } from '@cairn/kit/net/guarded-fetch';
import type { Json, SagaStep, StepContext } from '@cairn/kit/saga/saga';
import { changeProperties, detailsOf, imageById, updateImage } from '../store/images.ts';
import { deleteStaged, stagedOf } from '../store/locations.ts';
import type { SagaDeps } from './deps.ts';
import type { Arrived, ImportParams } from './import-params.ts';

type Step = SagaStep<ImportParams, unknown>;
type Given = StepContext<ImportParams, unknown>;

/** Bringing data in from elsewhere may take long; past this it is given up. */
export const DATA_DEADLINE_MS = 6 * 3600_000;
const METADATA_BYTES = 1 << 20;

/** The guard for another glance: the operator's catalog names it, so it may be anywhere, and nothing else may. */
function remoteGuard(url: string): FetchGuard {
  const { hostname, port, protocol } = new URL(url);
  return new FetchGuard({
    allowedSchemes: ['http', 'https'],
    allowedPorts: [port === '' ? (protocol === 'https:' ? 443 : 80) : Number(port)],
    allowedHosts: [hostname.replace(/^\[|\]$/g, '')],
    disallowedHosts: [],
    allowedNetworks: [],
  });
}

/** Reads from another glance in the name of who asked. The token lives in memory alone: after a restart it is gone, and the import with it. */
async function fromRemote(deps: SagaDeps, params: ImportParams, path: string, maxBytes: number, signal: AbortSignal) {
  const { remote, taskId } = params;
  if (!remote || remote.url === '') throw notFound('No image endpoint is known for the region and interface that were named.');
  const token = deps.tokens.get(taskId);
  if (token === undefined) throw conflict('The cloud was restarted meanwhile, so the right to read the other image is lost: import it again.');
  const url = `${remote.url.replace(/\/+(?:v2\/?)?$/, '')}/v2/images/${remote.imageId}${path}`;
  return guardedFetch(remoteGuard(url), url, { headers: { 'x-auth-token': token }, maxRedirects: 0, maxBytes, signal });
}

interface Described {
  readonly sizeBytes: number;
  readonly before: {
    readonly disk_format: string | null;
    readonly container_format: string | null;
    readonly properties: Readonly<Record<string, string | null>>;
  };
}

/** Of glance-download: takes over the other image's formats and some of its properties. */
export function describeStep(deps: SagaDeps): Step {
  return {
    name: 'describe',
    deadlineMs: 120_000,
    async do(step: Given) {
      const { params } = step;
      await deps.tasks.begin(params.taskId);
      if (params.method !== 'glance-download') return null;
      const answer = await fromRemote(deps, params, '', METADATA_BYTES, step.signal);
      const chunks: Buffer[] = [];
      for await (const chunk of answer.stream) chunks.push(chunk as Buffer);
      let remote: Record<string, unknown>;
      try {
        remote = JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>;
      } catch {
        throw invalidInput('The other glance answered with what is no image.');
      }
      if (remote.status !== 'active') throw invalidInput(`Source image status should be active instead of ${String(remote.status).slice(0, 40)}`);
      if (typeof remote.size !== 'number' || !Number.isSafeInteger(remote.size)) throw invalidInput('The size of the other image could not be determined.');
      const { copiedProperties } = deps.options.import;
      const taken = Object.entries(remote).filter(
        ([name, value]) => typeof value === 'string' && name.length <= 255 && copiedProperties.some((p) => name.startsWith(p)) && !name.startsWith('os_glance'),
      ) as [string, string][];
      const row = await imageById(step.db, params.imageId);
      const had = (await detailsOf(step.db, [params.imageId])).properties.get(params.imageId) ?? {};
      return {
        sizeBytes: remote.size,
        disk_format: textOr(remote.disk_format),
        container_format: textOr(remote.container_format),
        properties: Object.fromEntries(taken),
        before: {
          disk_format: row?.disk_format ?? null,
          container_format: row?.container_format ?? null,
          properties: Object.fromEntries(taken.map(([name]) => [name, had[name] ?? null])),
        },
      };
    },
    async commit(tx, step, output) {
      if (output === null) return;
      const found = output as unknown as { disk_format: string | null; container_format: string | null; properties: Record<string, string> };
      await updateImage(tx, step.params.imageId, { disk_format: found.disk_format, container_format: found.container_format }, ['importing']);
      await changeProperties(tx, step.params.imageId, found.properties);
    },
    // what was staged goes with the import, wherever it ended
    undo: (step) => dropStaged(deps, step),
    async undoCommit(tx, step) {
      await deleteStaged(tx, step.params.imageId);
      const before = (step.outputs.describe as unknown as Described | null | undefined)?.before;
      if (!before || !(await imageById(tx, step.params.imageId))) return;
      await updateImage(tx, step.params.imageId, { disk_format: before.disk_format, container_format: before.container_format });
      await changeProperties(tx, step.params.imageId, before.properties);
    },
  };
}

const textOr = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Brings the data into the staging area: what was staged is there, anything else is fetched. */
export function fetchStep(deps: SagaDeps): Step {
  return {
    name: 'fetch',
    deadlineMs: DATA_DEADLINE_MS,
    async do(step: Given) {
      const { params } = step;
      await deps.tasks.begin(params.taskId);
      if (params.method === 'glance-direct') {
        const staged = await stagedOf(step.db, params.imageId);
        if (!staged || (await deps.staging.size(staged.file)) !== staged.size_bytes) throw conflict('The staged data is not there any more: stage it again.');
        return { file: staged.file, sizeBytes: staged.size_bytes, md5: staged.md5, hash: staged.sha512 } satisfies Arrived as Json;
      }
      const { stream, sizeBytes } = await open(deps, step);
      const stored = await deps.staging.take(params.taskId, stream, {
        limitBytes: deps.options.imageSizeCapBytes,
        signal: step.signal,
        progress: (bytes) => deps.tasks.progress(params.taskId, bytes),
      });
      if (sizeBytes !== undefined && stored.sizeBytes !== sizeBytes)
        throw unavailable(`Downloaded data size ${stored.sizeBytes} is different from expected ${sizeBytes}`);
      return { file: params.taskId, sizeBytes: stored.sizeBytes, md5: stored.md5, hash: stored.hash } satisfies Arrived as Json;
    },
    async undo(step) {
      await dropStaged(deps, step);
      await deps.staging.remove(step.params.taskId);
    },
    async undoCommit(tx, step) {
      await deleteStaged(tx, step.params.imageId);
    },
  };
}

async function dropStaged(deps: SagaDeps, step: Given): Promise<void> {
  const staged = await stagedOf(step.db, step.params.imageId);
  if (staged) await deps.staging.remove(staged.file);
}

async function open(deps: SagaDeps, step: Given): Promise<{ stream: Readable; sizeBytes: number | undefined }> {
  const { params, signal } = step;
  const maxBytes = deps.options.imageSizeCapBytes;
  if (params.method !== 'glance-download') return guardedFetch(deps.stores.guard, params.uri ?? '', { maxBytes, signal });
  const { sizeBytes } = step.outputs.describe as unknown as Described;
  return { ...(await fromRemote(deps, params, '/file', maxBytes, signal)), sizeBytes };
}
