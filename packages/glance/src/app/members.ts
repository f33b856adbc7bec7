import { type Context, isAdmin } from '@cairn/kit/context/context';
import { alreadyExists, forbidden, notFound, tooLarge } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import * as store from '../store/images.ts';
import type { ImageRow, MemberRow } from '../store/tables.ts';
import type { Images } from './images.ts';

/** The rules of sharing an image with other projects. */
export class Members {
  readonly #images: Images;

  constructor(images: Images) {
    this.#images = images;
  }

  async list(ctx: Context, imageId: string): Promise<MemberRow[]> {
    const db = this.#images.env.store.read;
    const row = await this.#shared(db, ctx, imageId);
    const members = await store.membersOf(db, imageId);
    return isAdmin(ctx) || row.owner === ctx.projectId ? members : members.filter((m) => m.member_id === ctx.projectId);
  }

  async get(ctx: Context, imageId: string, memberId: string): Promise<MemberRow> {
    const member = (await this.list(ctx, imageId)).find((m) => m.member_id === memberId);
    if (!member) throw notFound(`${memberId} not found in the member list of the image ${imageId}.`);
    return member;
  }

  async add(ctx: Context, imageId: string, memberId: string): Promise<MemberRow> {
    const { env, options } = this.#images;
    return env.store.write(async (tx) => {
      const row = await this.#shared(tx, ctx, imageId);
      this.#mustOwn(ctx, row);
      if (await store.memberOf(tx, imageId, memberId)) throw alreadyExists(`Member ${memberId} is duplicated for image ${imageId}`);
      const count = (await store.membersOf(tx, imageId)).length;
      if (count >= options.maxMembers)
        throw tooLarge(
          `The limit has been exceeded on the number of allowed image members for this image. Attempted: ${count + 1}, Maximum: ${options.maxMembers}`,
        );
      const nowMs = env.clock.nowMs();
      const member: MemberRow = { image_id: imageId, member_id: memberId, status: 'pending', created_at_ms: nowMs, updated_at_ms: nowMs };
      await store.insertMember(tx, member);
      await this.#images.emit(tx, ctx, 'image.member.create', row);
      return member;
    });
  }

  /** Only the member itself accepts or rejects. */
  async setStatus(ctx: Context, imageId: string, memberId: string, status: MemberRow['status']): Promise<MemberRow> {
    const { env } = this.#images;
    return env.store.write(async (tx) => {
      await this.#shared(tx, ctx, imageId);
      const member = await store.memberOf(tx, imageId, memberId);
      if (!member) throw notFound(`${memberId} not found in the member list of the image ${imageId}.`);
      if (!isAdmin(ctx) && ctx.projectId !== memberId) throw forbidden("You are not permitted to modify 'status' of this image member.");
      const nowMs = env.clock.nowMs();
      await store.setMemberStatus(tx, imageId, memberId, status, nowMs);
      return { ...member, status, updated_at_ms: nowMs };
    });
  }

  async remove(ctx: Context, imageId: string, memberId: string): Promise<void> {
    await this.#images.env.store.write(async (tx) => {
      const row = await this.#shared(tx, ctx, imageId);
      this.#mustOwn(ctx, row);
      if (!(await store.deleteMember(tx, imageId, memberId))) throw notFound(`${memberId} not found in the member list of the image ${imageId}.`);
      await this.#images.emit(tx, ctx, 'image.member.delete', row);
    });
  }

  async #shared(db: Db, ctx: Context, imageId: string): Promise<ImageRow> {
    const row = await this.#images.visible(db, ctx, imageId);
    if (row.visibility !== 'shared') throw forbidden('Only shared images have members.');
    return row;
  }

  #mustOwn(ctx: Context, row: ImageRow): void {
    if (!isAdmin(ctx) && row.owner !== ctx.projectId) throw forbidden('You are not permitted to change the members of this image.');
  }
}
