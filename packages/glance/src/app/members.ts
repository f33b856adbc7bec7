import { type Context, isAdmin } from '@cairn/kit/context/context';
import { alreadyExists, type CairnError, forbidden, isCairnError, notFound, tooLarge } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import * as store from '../store/images.ts';
import type { ImageRow, MemberRow } from '../store/tables.ts';
import type { Images } from './images.ts';

const ONLY_SHARED = 'Only shared images have members.';
const noMember = (imageId: string, memberId: string): CairnError => notFound(`${memberId} not found in the member list of the image ${imageId}.`);

/** The rules of sharing an image with other projects (glance/api/v2/image_members.py). */
export class Members {
  readonly #images: Images;

  constructor(images: Images) {
    this.#images = images;
  }

  /** All of them for the owner; its own membership for a member. */
  async list(ctx: Context, imageId: string): Promise<MemberRow[]> {
    const db = this.#images.env.store.read;
    const row = await this.#image(db, ctx, imageId);
    if (row.visibility !== 'shared') throw forbidden(`Not allowed to list members for image ${imageId}: ${ONLY_SHARED}`);
    return this.#seen(ctx, row, await store.membersOf(db, imageId));
  }

  async get(ctx: Context, imageId: string, memberId: string): Promise<MemberRow> {
    const db = this.#images.env.store.read;
    const row = await this.#image(db, ctx, imageId);
    if (row.visibility !== 'shared') throw notFound(ONLY_SHARED);
    return this.#find(db, ctx, row, memberId);
  }

  async add(ctx: Context, imageId: string, memberId: string): Promise<MemberRow> {
    const { env, options } = this.#images;
    return env.store.write(async (tx) => {
      const row = await this.#image(tx, ctx, imageId);
      if (row.visibility !== 'shared' || !this.#owns(ctx, row)) throw forbidden(`Not allowed to create members for image ${imageId}.`);
      if (await store.memberOf(tx, imageId, memberId)) throw alreadyExists(`Member ${memberId} is duplicated for image ${imageId}`);
      const count = (await store.membersOf(tx, imageId)).length;
      if (options.maxMembers >= 0 && count >= options.maxMembers)
        throw tooLarge(
          `Image member limit exceeded for image ${imageId}: The limit has been exceeded on the number of allowed image members for this image. Attempted: ${count + 1}, Maximum: ${options.maxMembers}:`,
        );
      const nowMs = env.clock.nowMs();
      const member: MemberRow = { image_id: imageId, member_id: memberId, status: 'pending', created_at_ms: nowMs, updated_at_ms: nowMs };
      await store.insertMember(tx, member);
      await this.#images.emit(tx, ctx, 'image.member.create', row);
      return member;
    });
  }

  /** Only the member itself accepts or rejects: never the owner, for whom it would be accepting in another's name. */
  async setStatus(ctx: Context, imageId: string, memberId: string, status: MemberRow['status']): Promise<MemberRow> {
    const { env } = this.#images;
    return env.store.write(async (tx) => {
      const row = await this.#image(tx, ctx, imageId);
      if (row.visibility !== 'shared' || (!isAdmin(ctx) && this.#owns(ctx, row))) throw forbidden(`Not allowed to update members for image ${imageId}.`);
      const member = await this.#find(tx, ctx, row, memberId);
      const nowMs = env.clock.nowMs();
      await store.setMemberStatus(tx, imageId, memberId, status, nowMs);
      await this.#images.emit(tx, ctx, 'image.member.update', row);
      return { ...member, status, updated_at_ms: nowMs };
    });
  }

  async remove(ctx: Context, imageId: string, memberId: string): Promise<void> {
    await this.#images.env.store.write(async (tx) => {
      const row = await this.#image(tx, ctx, imageId);
      if (row.visibility !== 'shared' || !this.#owns(ctx, row)) throw forbidden(`Not allowed to delete members for image ${imageId}.`);
      if (!(await store.deleteMember(tx, imageId, memberId))) throw noMember(imageId, memberId);
      await this.#images.emit(tx, ctx, 'image.member.delete', row);
    });
  }

  async #image(db: Db, ctx: Context, imageId: string): Promise<ImageRow> {
    try {
      return await this.#images.visible(db, ctx, imageId);
    } catch (error) {
      throw isCairnError(error, 'NotFound') ? notFound(`Image ${imageId} not found.`) : error;
    }
  }

  async #find(db: Db, ctx: Context, row: ImageRow, memberId: string): Promise<MemberRow> {
    const member = await store.memberOf(db, row.id, memberId);
    const [seen] = member ? this.#seen(ctx, row, [member]) : [];
    if (!seen) throw noMember(row.id, memberId);
    return seen;
  }

  #seen(ctx: Context, row: ImageRow, members: MemberRow[]): MemberRow[] {
    return this.#owns(ctx, row) ? members : members.filter((m) => m.member_id === ctx.projectId);
  }

  #owns(ctx: Context, row: ImageRow): boolean {
    return isAdmin(ctx) || (row.owner !== null && row.owner === ctx.projectId);
  }
}
