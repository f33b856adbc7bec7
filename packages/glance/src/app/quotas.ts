import type { Context } from '@cairn/kit/context/context';
import { type CairnError, tooLarge } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import * as store from '../store/usage.ts';

/** The limits of a project by keystone's unified limits, for resources of the image service. A resource that has none registered is missing. */
export type LimitSource = (db: Db, projectId: string, resources: readonly string[]) => Promise<ReadonlyMap<string, number>>;

const SIZE_TOTAL = 'image_size_total';
const STAGE_TOTAL = 'image_stage_total';
const COUNT_TOTAL = 'image_count_total';
const COUNT_UPLOADING = 'image_count_uploading';
const MIB = 2 ** 20;

/** What a project has, in the units of its limits: MiB, whole ones, and pieces (glance/quota/keystone.py). */
const USED: Readonly<Record<string, (db: Db, projectId: string) => Promise<number>>> = {
  [SIZE_TOTAL]: async (db, projectId) => Math.floor((await store.storedBytes(db, projectId)) / MIB),
  [STAGE_TOTAL]: async (db, projectId) => Math.floor((await store.stagedBytes(db, projectId)) / MIB),
  [COUNT_TOTAL]: store.imageCount,
  [COUNT_UPLOADING]: store.uploadingCount,
};

export interface QuotaOptions {
  /** Ask keystone's unified limits (`use_keystone_limits`). */
  readonly useKeystoneLimits: boolean;
  /** Bytes that the images of one project may have in all stores together (`user_storage_quota`); 0 is no limit. */
  readonly storageQuotaBytes: number;
}

/** The quotas of images. Each is counted from rows in the transaction that it guards. */
export class Quotas {
  readonly #options: QuotaOptions;
  readonly #limits: LimitSource;

  constructor(options: QuotaOptions, limits: LimitSource) {
    this.#options = options;
    this.#limits = limits;
  }

  /** One more image. */
  create(db: Db, ctx: Context): Promise<void> {
    return this.#enforce(db, ctx.projectId, COUNT_TOTAL, 1);
  }

  /** Data of a declared length, or of an unknown one (upstream then lets an upload begin while there is any room). */
  store(db: Db, ctx: Context, declaredBytes?: number): Promise<void> {
    return this.#enforce(db, ctx.projectId, SIZE_TOTAL, Math.floor((declaredBytes ?? 0) / MIB));
  }

  stage(db: Db, ctx: Context, declaredBytes?: number): Promise<void> {
    return this.#enforce(db, ctx.projectId, STAGE_TOTAL, Math.floor((declaredBytes ?? 0) / MIB));
  }

  /** Asked when the image counts as being uploaded already. */
  uploading(db: Db, ctx: Context): Promise<void> {
    return this.#enforce(db, ctx.projectId, COUNT_UPLOADING, 0);
  }

  /** How many bytes of the project's storage are left for an image; undefined without a limit. */
  async bytesLeft(db: Db, owner: string | null, imageId: string): Promise<number | undefined> {
    const { storageQuotaBytes } = this.#options;
    if (storageQuotaBytes <= 0 || owner === null) return undefined;
    return Math.max(0, storageQuotaBytes - (await store.storedBytes(db, owner, imageId)));
  }

  /**
   * Before an image's data counts: uploads that ran at the same time may have taken the room that was there when this one began.
   * @param declared the length was known from the start, so that it was promised room
   */
  async settle(
    db: Db,
    ctx: Context | undefined,
    image: { readonly id: string; readonly owner: string | null },
    sizeBytes: number,
    declared: boolean,
  ): Promise<void> {
    if (ctx) await this.#enforce(db, ctx.projectId, SIZE_TOTAL, declared ? Math.floor(sizeBytes / MIB) : 0);
    const left = await this.bytesLeft(db, image.owner, image.id);
    if (left !== undefined && sizeBytes > left) throw storageFull(sizeBytes, left);
  }

  /** Limit and use of everything; nothing where unified limits are not asked. */
  async usage(db: Db, ctx: Context): Promise<Record<string, { usage: number; limit: number }>> {
    const out: Record<string, { usage: number; limit: number }> = {};
    if (!this.#options.useKeystoneLimits || ctx.projectId === undefined) return out;
    const names = Object.keys(USED);
    const limits = await this.#limits(db, ctx.projectId, names);
    for (const name of names) out[name] = { usage: await (USED[name] as (typeof USED)[string])(db, ctx.projectId), limit: limits.get(name) ?? 0 };
    return out;
  }

  async #enforce(db: Db, projectId: string | undefined, resource: string, delta: number): Promise<void> {
    if (!this.#options.useKeystoneLimits || projectId === undefined) return;
    // as oslo.limit: what is not registered is limited to nothing
    const limit = (await this.#limits(db, projectId, [resource])).get(resource) ?? 0;
    if (limit < 0) return;
    const used = await (USED[resource] as (typeof USED)[string])(db, projectId);
    if (used + delta > limit)
      throw tooLarge(
        `The request returned a 413 Request Entity Too Large. This generally means that rate limiting or a quota threshold was breached.\n\nThe response body:\nProject ${projectId} is over a limit for [Resource ${resource} is over limit of ${limit} due to current usage ${used} and delta ${delta}]`,
        { type: 'LimitExceeded' },
      );
  }
}

export const storageFull = (sizeBytes: number, leftBytes: number): CairnError =>
  tooLarge(`Image exceeds the storage quota: The size of the data ${sizeBytes} will exceed the limit. ${leftBytes} bytes remaining.`, {
    type: 'StorageQuotaFull',
  });
