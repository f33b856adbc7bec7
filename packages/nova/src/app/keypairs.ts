import type { Context } from '@cairn/kit/context/context';
import { alreadyExists, forbidden, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import type { ListPage } from '@cairn/kit/store/list';
import type { Tx } from '@cairn/kit/store/store';
import { findKeypair, type KeypairRow } from '../store/keypair.ts';
import { countKeypairs, deleteKeypair, insertKeypair, listKeypairs } from '../store/keypair-manage.ts';
import { storedLimits } from '../store/quota.ts';
import type { NovaDeps } from './deps.ts';
import { effectiveLimit } from './quota.ts';
import { newSshKey, sshFingerprint, x509Fingerprint } from './ssh-keys.ts';
import { newWinRmCertificate } from './x509.ts';

/** A keypair as the API takes it. Without a public key a pair is made. */
export interface KeypairWish {
  readonly userId: string;
  readonly name: string;
  readonly type: string;
  readonly publicKey: string | undefined;
}

/** The rules of keypairs. They belong to users, not to projects. */
export class Keypairs {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  list(userId: string, page: { readonly limit: number | undefined; readonly marker: string | undefined }): Promise<ListPage<KeypairRow>> {
    const unknownMarker = (marker: string | number): Error => invalidInput(`Marker ${marker} could not be found.`, { field: 'marker' });
    return listKeypairs(this.#deps.env.store.read, userId, { ...page, unknownMarker });
  }

  async get(userId: string, name: string): Promise<KeypairRow> {
    const row = await findKeypair(this.#deps.env.store.read, userId, name);
    if (!row) throw notFound(`Keypair ${name} not found for user ${userId}`, { type: 'KeypairNotFound' });
    return row;
  }

  /** Imports a public key, or makes a pair when there is none; the private key is told once and never kept. */
  async create(ctx: Context, wish: KeypairWish): Promise<{ row: KeypairRow; privateKey?: string }> {
    const { env } = this.#deps;
    // the limit is checked again with the insertion; here it saves making a key in vain
    await this.#checkLimit(env.store.read, ctx, wish.userId);
    const made =
      wish.publicKey !== undefined ? undefined : wish.type === 'x509' ? await newWinRmCertificate(wish.userId, env.clock.nowMs()) : await newSshKey();
    const publicKey = made?.publicKey ?? (wish.publicKey as string);
    const fingerprint = wish.type === 'x509' ? x509Fingerprint(publicKey) : sshFingerprint(publicKey);
    try {
      const row = await env.store.write(async (tx) => {
        await this.#checkLimit(tx, ctx, wish.userId);
        const { userId, name, type } = wish;
        const created = await insertKeypair(tx, { user_id: userId, name, type, fingerprint, public_key: publicKey, created_at_ms: env.clock.nowMs() });
        await this.#emit(tx, made ? 'keypair.create.end' : 'keypair.import.end', ctx, created);
        return created;
      });
      return { row, ...(made && { privateKey: made.privateKey }) };
    } catch (error) {
      if (isUniqueViolation(error, 'nova_keypair')) throw alreadyExists(`Key pair '${wish.name}' already exists.`, { type: 'KeyPairExists', field: 'name' });
      throw error;
    }
  }

  async delete(ctx: Context, userId: string, name: string): Promise<void> {
    await this.#deps.env.store.write(async (tx) => {
      const row = await findKeypair(tx, userId, name);
      if (!row) throw notFound(`Keypair ${name} not found for user ${userId}`, { type: 'KeypairNotFound' });
      await deleteKeypair(tx, userId, name);
      await this.#emit(tx, 'keypair.delete.end', ctx, row);
    });
  }

  async #checkLimit(db: Parameters<typeof countKeypairs>[0], ctx: Context, userId: string): Promise<void> {
    const limit = effectiveLimit(await storedLimits(db, ctx.projectId ?? '', userId), this.#deps.options.quotaDefaults, 'key_pairs', 'user');
    if (limit >= 0 && (await countKeypairs(db, userId)) >= limit) throw forbidden('Quota exceeded, too many key pairs.', { type: 'KeypairLimitExceeded' });
  }

  async #emit(tx: Tx, type: string, ctx: Context, { user_id: userId, name, fingerprint, type: kind }: KeypairRow): Promise<void> {
    const payload = { name, fingerprint, type: kind, user_id: userId };
    await this.#deps.env.events.emit(tx, { type, projectId: ctx.projectId, userId, requestId: ctx.requestId, resource: 'keypair', resourceId: name, payload });
  }
}
