import type { Context } from '@cairn/kit/context/context';
import { conflict, invalidInput, isCairnError } from '@cairn/kit/errors/errors';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { Json } from '@cairn/kit/saga/saga';
import type { Tx } from '@cairn/kit/store/store';
import type { ImportMethod } from '../options.ts';
import type { Destination, ImportParams } from '../sagas/import-params.ts';
import type { GlanceSagas } from '../sagas/index.ts';
import type { LocationRow, TaskRow } from '../store/data-tables.ts';
import { updateImage } from '../store/images.ts';
import { locationsOf, stagedOf } from '../store/locations.ts';
import type { ImageRow } from '../store/tables.ts';
import { type DataDeps, subjectOf } from './deps.ts';
import type { ImageChange, Images } from './images.ts';
import { lockImage, markStores } from './import-marks.ts';
import type { Tasks } from './tasks.ts';

/** `POST /v2/images/{id}/import`, its body taken apart. */
export interface ImportRequest {
  readonly method: ImportMethod;
  readonly uri?: string | undefined;
  readonly glanceRegion?: string | undefined;
  readonly glanceImageId?: string | undefined;
  readonly glanceInterface: string;
  /** The caller's token, for reading from another glance; kept in memory alone. */
  readonly token?: string | undefined;
  /** Undefined: the default store. */
  readonly stores?: readonly string[] | undefined;
  readonly allStores: boolean;
  readonly mustSucceed: boolean;
  /** The body as it was sent, for the task's record. */
  readonly body: Json;
}

/** `POST /v2/tasks` of type import. */
export interface TaskImportRequest {
  readonly from: string;
  readonly image: { readonly change: ImageChange; readonly properties: Readonly<Record<string, string>>; readonly tags: readonly string[] };
  readonly input: Json;
}

export interface ImportsOptions {
  readonly deps: DataDeps;
  readonly images: Images;
  readonly tasks: Tasks;
  readonly sagas: GlanceSagas;
  readonly tokens: Map<string, string>;
  /** The URL of the image service in a region, from the catalog. */
  readonly imageEndpoint: (region: string, kind: string) => Promise<string | undefined>;
}

/** Begins imports: checks what can be checked at once, makes the task, and leaves the rest to a saga. */
export class Imports {
  readonly #o: ImportsOptions;

  constructor(options: ImportsOptions) {
    this.#o = options;
  }

  /** @param mayCopy whether the caller may copy anybody's image (`copy_image`); throws Forbidden otherwise */
  async start(ctx: Context, imageId: string, request: ImportRequest, mayCopy: () => void): Promise<void> {
    const { deps, images, tasks, sagas, tokens } = this.#o;
    const { env } = deps;
    const { method } = request;
    const early = await images.visible(env.store.read, ctx, imageId);
    checkState(early, method);
    checkRemote(request);
    if (method === 'copy-image') mayCopy();
    else await images.own(env.store.read, ctx, imageId, 'modify');
    const wanted = this.#stores(request);
    if (method === 'web-download') await this.#checkUri(request.uri);
    const remote =
      method === 'glance-download'
        ? { url: (await this.#o.imageEndpoint(request.glanceRegion ?? '', request.glanceInterface)) ?? '', imageId: request.glanceImageId ?? '' }
        : undefined;
    const taskId = env.ids.uuid();
    if (remote && request.token !== undefined) tokens.set(taskId, request.token);
    try {
      await env.store.write(async (tx) => {
        const row = await images.visible(tx, ctx, imageId);
        checkState(row, method);
        if (method === 'glance-direct' && !(await stagedOf(tx, imageId))) throw conflict("Image needs to be staged before 'glance-direct' method can be used");
        const targets = method === 'copy-image' ? missing(wanted, await locationsOf(tx, imageId), request.allStores) : wanted;
        // it is everywhere already
        if (targets.length === 0) return;
        await deps.quotas.store(tx, ctx);
        await lockImage(tx, imageId, taskId);
        const input = { image_id: imageId, import_req: request.body, backend: [...targets] };
        await tasks.create(tx, ctx, { id: taskId, type: 'api_image_import', imageId, input });
        await markStores(tx, imageId, { importing: targets, mended: targets });
        if (method !== 'copy-image') await updateImage(tx, imageId, { status: 'importing', updated_at_ms: env.clock.nowMs() });
        await deps.quotas.uploading(tx, ctx);
        const destinations: Destination[] = targets.map((store) => ({ store, key: env.ids.uuid() }));
        const params: ImportParams = { taskId, imageId, method, destinations, mustSucceed: request.mustSucceed, uri: request.uri, remote, roles: ctx.roles };
        await env.sagas.start(tx, method === 'copy-image' ? sagas.imageCopy : sagas.imageImport, params, who(ctx, imageId));
      });
    } catch (error) {
      tokens.delete(taskId);
      throw error;
    }
  }

  /** The older way: a task that makes the image, too. */
  async startTask(ctx: Context, request: TaskImportRequest): Promise<TaskRow> {
    const { deps, tasks, sagas } = this.#o;
    const { env, stores } = deps;
    if (request.from.startsWith('file:') || request.from.startsWith('filesystem:'))
      throw invalidInput('File based imports are not allowed. Please use a non-local source of image data.');
    if (!/^https?:\/\//.test(request.from))
      throw invalidInput("The given uri is not valid. Please specify a valid uri from the following list of supported uri ['http']");
    await this.#checkUri(request.from, 'legacy import task');
    const [taskId, imageId, key] = [env.ids.uuid(), env.ids.uuid(), env.ids.uuid()];
    const destinations = [{ store: stores.default.id, key }];
    return env.store.write(async (tx) => {
      const task = await tasks.create(tx, ctx, { id: taskId, type: 'import', imageId: null, input: request.input });
      const common = {
        taskId,
        imageId,
        method: 'web-download' as const,
        destinations,
        mustSucceed: true,
        uri: request.from,
        remote: undefined,
        roles: ctx.roles,
      };
      await env.sagas.start(
        tx,
        sagas.taskImport,
        { ...common, image: request.image, projectId: ctx.projectId ?? '', requestId: ctx.requestId },
        who(ctx, imageId),
      );
      return task;
    });
  }

  /** Adds a location to a queued image, in the background. */
  async addLocation(
    ctx: Context,
    imageId: string,
    url: string,
    validation: { readonly algorithm: string; readonly value: string } | null,
    input: Json,
  ): Promise<void> {
    const { deps, images, tasks, sagas } = this.#o;
    const { env } = deps;
    const taskId = env.ids.uuid();
    await env.store.write(async (tx: Tx) => {
      const row = await images.visible(tx, ctx, imageId);
      if (row.status !== 'queued') throw conflict(`It's not allowed to add locations if image status is ${row.status}.`);
      await lockImage(tx, imageId, taskId);
      await tasks.create(tx, ctx, { id: taskId, type: 'location_import', imageId, input });
      await env.sagas.start(tx, sagas.locationImport, { taskId, imageId, url, validation }, who(ctx, imageId));
    });
  }

  #stores(request: ImportRequest): readonly string[] {
    const { stores } = this.#o.deps;
    if (request.allStores) return stores.writable.map((s) => s.id);
    const wanted = [...new Set(request.stores ?? [stores.default.id])];
    for (const id of wanted) {
      const store = stores.get(id);
      if (!store) throw conflict(`Unknown scheme '${id}' found in URI`, { detail: id });
      if (store.readOnly) throw conflict(`The store '${id}' is read only: no image can be imported to it.`);
    }
    return wanted;
  }

  async #checkUri(uri: string | undefined, what = 'web-download'): Promise<void> {
    try {
      await this.#o.deps.stores.guard.check(uri ?? '');
    } catch (error) {
      // a host that cannot be found now is the task's to fail for
      if (isCairnError(error) && error.type === 'UrlUnresolved') return;
      this.#o.deps.env.log.debug({ uri, err: String(error), detail: (error as { detail?: unknown }).detail }, 'a URL is not imported from');
      throw invalidInput(`URI for ${what} does not pass filtering: ${uri ?? 'None'}`, { field: 'uri' });
    }
  }
}

const who = (ctx: Context, imageId: string) => ({
  subject: subjectOf(imageId),
  requestId: ctx.requestId,
  userId: ctx.userId,
  ...(ctx.projectId !== undefined && { projectId: ctx.projectId }),
});

/** What an image has to be for each way of import (glance/api/v2/images.py, import_image). */
function checkState(row: ImageRow, method: ImportMethod): void {
  if (row.status === 'active' && method !== 'copy-image') throw conflict('Image with status active cannot be target for import');
  if (row.status !== 'active' && method === 'copy-image') throw conflict('Only images with status active can be targeted for copying');
  if (row.status !== 'queued' && (method === 'web-download' || method === 'glance-download'))
    throw conflict(`Image needs to be in 'queued' state to use '${method}' method`);
  if (row.status !== 'uploading' && method === 'glance-direct') throw conflict("Image needs to be staged before 'glance-direct' method can be used");
  if (!row.container_format) throw conflict("'container_format' needs to be set before import");
  if (!row.disk_format) throw conflict("'disk_format' needs to be set before import");
}

function checkRemote(request: ImportRequest): void {
  if (request.method !== 'glance-download') return;
  if (request.glanceRegion === undefined) throw invalidInput("'glance_region' needs to be set for glance-download import method");
  if (request.glanceImageId === undefined) throw invalidInput("'glance_image_id' needs to be set for glance-download import method");
  if (!isUuidLike(request.glanceImageId)) throw invalidInput(`Remote image id does not look like a UUID: ${request.glanceImageId}`);
}

/** The stores that have not the image yet; naming one that has it is a mistake, unless all were asked for. */
function missing(wanted: readonly string[], locations: readonly LocationRow[], all: boolean): readonly string[] {
  const there = new Set(locations.map((l) => l.store));
  const twice = all ? undefined : wanted.find((id) => there.has(id));
  if (twice !== undefined) throw invalidInput(`Image is already present at store '${twice}'`);
  return wanted.filter((id) => !there.has(id));
}
