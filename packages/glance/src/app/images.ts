import { type Context, isAdmin } from '@cairn/kit/context/context';
import type { Env } from '@cairn/kit/env';
import { alreadyExists, forbidden, notFound, tooLarge } from '@cairn/kit/errors/errors';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import type { ListPage, ListRequest } from '@cairn/kit/store/list';
import type { Db, Tx } from '@cairn/kit/store/store';
import type { GlanceOptions } from '../options.ts';
import type { LocationRow } from '../store/data-tables.ts';
import type { Quotas } from './quotas.ts';
import * as store from '../store/images.ts';
import { locationsOf } from '../store/locations.ts';
import type { ImageRow, Visibility } from '../store/tables.ts';

/** An image with all that its view shows. */
export interface Image {
  readonly row: ImageRow;
  readonly properties: Readonly<Record<string, string>>;
  readonly tags: readonly string[];
  /** Where its data is, in order. */
  readonly locations: readonly LocationRow[];
}

/** What may be said of an image when it is made or changed. */
export interface ImageChange {
  readonly name?: string | null;
  readonly visibility?: Visibility;
  readonly protected?: boolean;
  readonly os_hidden?: boolean;
  readonly disk_format?: string | null;
  readonly container_format?: string | null;
  readonly min_disk?: number;
  readonly min_ram?: number;
  readonly owner?: string | null;
}

export interface NewImageRequest extends ImageChange {
  readonly id?: string;
  readonly tags: readonly string[];
  readonly properties: Readonly<Record<string, string>>;
}

/** May `ctx` see an image that exists? (`member`: its status as a member of a shared image.) */
const visibleTo = (ctx: Context, row: ImageRow, isMember: boolean): boolean =>
  isAdmin(ctx) ||
  row.visibility === 'public' ||
  row.visibility === 'community' ||
  (row.owner !== null && row.owner === ctx.projectId) ||
  (row.visibility === 'shared' && isMember);

/** The rules of images. Not found and not visible are one answer. */
export class Images {
  readonly env: Env;
  readonly options: GlanceOptions;
  readonly #quotas: Quotas;
  readonly #listed = new WeakMap<store.ListedImage, Image>();
  readonly #forgetData: (tx: Tx, imageId: string) => Promise<void>;

  /** @param forgetData takes away all data of an image that goes, within the transaction and after it */
  constructor(env: Env, options: GlanceOptions, quotas: Quotas, forgetData: (tx: Tx, imageId: string) => Promise<void>) {
    this.env = env;
    this.options = options;
    this.#quotas = quotas;
    this.#forgetData = forgetData;
  }

  async get(db: Db, ctx: Context, id: string): Promise<Image> {
    const row = await this.visible(db, ctx, id);
    const details = await store.detailsOf(db, [id]);
    return { row, properties: details.properties.get(id) ?? {}, tags: details.tags.get(id) ?? [], locations: await locationsOf(db, id) };
  }

  /** The row, or NotFound for what `ctx` may not see. */
  async visible(db: Db, ctx: Context, id: string): Promise<ImageRow> {
    const row = await store.imageById(db, id);
    const isMember =
      row !== undefined &&
      row.visibility === 'shared' &&
      ctx.projectId !== undefined &&
      row.owner !== ctx.projectId &&
      (await store.memberOf(db, id, ctx.projectId)) !== undefined;
    if (!row || !visibleTo(ctx, row, isMember)) throw notFound(`No image found with ID ${id}`);
    return row;
  }

  /** The row if `ctx` may change it: its owner's project or an admin. Forbidden for others who may see it. */
  async own(db: Db, ctx: Context, id: string, doing: string): Promise<ImageRow> {
    const row = await this.visible(db, ctx, id);
    if (!isAdmin(ctx) && (row.owner === null || row.owner !== ctx.projectId)) throw forbidden(`You are not permitted to ${doing} this image.`);
    return row;
  }

  /** A page of images. One that has not changed since an earlier page is the same object. */
  async list(request: ListRequest): Promise<ListPage<ImageRow> & { images: Image[] }> {
    const page = await store.imagePage(this.env.store.read, request);
    return { ...page, images: page.rows.map((row) => this.#listedImage(row)) };
  }

  #listedImage(row: store.ListedImage): Image {
    let image = this.#listed.get(row);
    if (!image) {
      image = { row, properties: Object.fromEntries(row.properties), tags: row.tags, locations: row.locations.map(store.locationOf) };
      this.#listed.set(row, image);
    }
    return image;
  }

  async create(tx: Tx, ctx: Context, request: NewImageRequest): Promise<Image> {
    this.checkPropertyQuota(Object.keys(request.properties));
    this.#checkTagQuota(request.tags);
    await this.#quotas.create(tx, ctx);
    if (request.id !== undefined && (await store.wasDeleted(tx, request.id))) throw alreadyExists(`Image ID ${request.id} already exists!`, { field: 'id' });
    const nowMs = this.env.clock.nowMs();
    const row: ImageRow = {
      id: request.id ?? this.env.ids.uuid(),
      name: request.name ?? null,
      status: 'queued',
      visibility: request.visibility ?? 'shared',
      owner: request.owner !== undefined ? request.owner : (ctx.projectId ?? null),
      protected: request.protected ? 1 : 0,
      hidden: request.os_hidden ? 1 : 0,
      disk_format: request.disk_format ?? null,
      container_format: request.container_format ?? null,
      size_bytes: null,
      virtual_size_bytes: null,
      min_disk_gb: request.min_disk ?? 0,
      min_ram_mb: request.min_ram ?? 0,
      checksum: null,
      os_hash_algo: null,
      os_hash_value: null,
      created_at_ms: nowMs,
      updated_at_ms: nowMs,
    };
    try {
      await store.insertImage(tx, row, request.properties, request.tags);
    } catch (error) {
      if (isUniqueViolation(error, 'glance_image')) throw alreadyExists(`Image ID ${row.id} already exists!`, { field: 'id' });
      throw error;
    }
    await this.emit(tx, ctx, 'image.create', row);
    return { row, properties: request.properties, tags: [...new Set(request.tags)].sort(), locations: [] };
  }

  /** Changes base attributes, properties (null removes) and tags in one go. */
  async change(
    tx: Tx,
    ctx: Context,
    row: ImageRow,
    change: ImageChange,
    properties: Readonly<Record<string, string | null>>,
    tags?: readonly string[],
  ): Promise<void> {
    for (const field of ['disk_format', 'container_format'] as const)
      if (change[field] !== undefined && row.status !== 'queued' && row.status !== 'importing')
        throw forbidden(`Attribute ${field} can be only replaced for a queued image.`, { field });
    const set: Partial<ImageRow> = { updated_at_ms: this.env.clock.nowMs() };
    if (change.name !== undefined) set.name = change.name;
    if (change.visibility !== undefined) set.visibility = change.visibility;
    if (change.protected !== undefined) set.protected = change.protected ? 1 : 0;
    if (change.os_hidden !== undefined) set.hidden = change.os_hidden ? 1 : 0;
    if (change.disk_format !== undefined) set.disk_format = change.disk_format;
    if (change.container_format !== undefined) set.container_format = change.container_format;
    if (change.min_disk !== undefined) set.min_disk_gb = change.min_disk;
    if (change.min_ram !== undefined) set.min_ram_mb = change.min_ram;
    if (change.owner !== undefined) set.owner = change.owner;
    await store.updateImage(tx, row.id, set);
    await store.changeProperties(tx, row.id, properties);
    if (tags) {
      this.#checkTagQuota(tags);
      await store.setTags(tx, row.id, tags);
    }
    await this.emit(tx, ctx, 'image.update', { ...row, ...set });
  }

  /** Removes the image; its data goes after the commit. */
  async delete(ctx: Context, id: string): Promise<void> {
    await this.env.store.write(async (tx) => {
      const row = await this.own(tx, ctx, id, 'delete');
      if (row.protected) throw forbidden(`Image ${id} is protected and cannot be deleted.`);
      await this.#remove(tx, row);
      await store.rememberDeleted(tx, id, this.env.clock.nowMs());
      await this.emit(tx, ctx, 'image.delete', row);
    });
  }

  /** Removes an image that a failed caller made. Tolerates absence. */
  async discard(id: string): Promise<void> {
    await this.env.store.write((tx) => this.erase(tx, id));
  }

  /** Removes an image with all that it has, within a transaction. Tolerates absence. */
  async erase(tx: Tx, id: string): Promise<void> {
    const row = await store.imageById(tx, id);
    if (row) await this.#remove(tx, row);
  }

  /** Tells of a change that nobody's request made. */
  emitSystem(tx: Tx, type: string, row: ImageRow): Promise<void> {
    return this.emit(tx, undefined, type, row);
  }

  async #remove(tx: Tx, row: ImageRow): Promise<void> {
    await this.#forgetData(tx, row.id);
    await store.deleteImage(tx, row.id);
  }

  async setStatus(ctx: Context, id: string, status: 'active' | 'deactivated'): Promise<void> {
    await this.env.store.write(async (tx) => {
      const row = await this.visible(tx, ctx, id);
      const from = status === 'active' ? ['deactivated', 'active'] : ['active', 'deactivated'];
      if (!(await store.updateImage(tx, id, { status, updated_at_ms: this.env.clock.nowMs() }, from)))
        throw forbidden(`Not allowed to ${status === 'active' ? 'reactivate' : 'deactivate'} image in status '${row.status}'`);
    });
  }

  async emit(tx: Tx, ctx: Context | undefined, type: string, row: ImageRow): Promise<void> {
    await this.env.events.emit(tx, {
      type,
      projectId: row.owner ?? undefined,
      userId: ctx?.userId,
      requestId: ctx?.requestId,
      resource: 'image',
      resourceId: row.id,
      payload: {
        id: row.id,
        name: row.name,
        status: row.status,
        visibility: row.visibility,
        owner: row.owner,
        size: row.size_bytes,
        disk_format: row.disk_format,
        container_format: row.container_format,
      },
    });
  }

  /** Throws TooLarge where there are more properties than an image may have; glance's own marks do not count. -1 is no limit. */
  checkPropertyQuota(names: Iterable<string>): void {
    const { maxProperties } = this.options;
    const attempted = [...names].filter((name) => !name.startsWith('os_glance')).length;
    if (maxProperties >= 0 && attempted > maxProperties)
      throw tooLarge(`The limit has been exceeded on the number of allowed image properties. Attempted: ${attempted}, Maximum: ${maxProperties}`);
  }

  #checkTagQuota(tags: readonly string[]): void {
    const { maxTags } = this.options;
    const attempted = new Set(tags).size;
    if (maxTags >= 0 && attempted > maxTags)
      throw tooLarge(`The limit has been exceeded on the number of allowed image tags. Attempted: ${attempted}, Maximum: ${maxTags}`);
  }
}
