import type { Context } from '@cairn/kit/context/context';
import { alreadyExists, forbidden, invalidInput, notFound } from '@cairn/kit/errors/errors';
import { isUniqueViolation } from '@cairn/kit/store/errors';
import type { ListPage } from '@cairn/kit/store/list';
import { findKeypair, type KeypairRow } from '../store/keypair.ts';
import { countKeypairs, deleteKeypair, insertKeypair, listKeypairs } from '../store/keypair-manage.ts';
import { storedLimits } from '../store/quota.ts';
import type { NovaDeps } from './deps.ts';
import { effectiveLimit } from './quota.ts';
import { newSshKey, sshFingerprint, x509Fingerprint } from './ssh-keys.ts';

/** The rules of keypairs. They belong to users, not to projects. */
export class Keypairs {
  readonly #deps: NovaDeps;

  constructor(deps: NovaDeps) {
    this.#deps = deps;
  }

  list(userId: string, limit: number | undefined, marker: string | undefined): Promise<ListPage<KeypairRow>> {
    return listKeypairs(this.#deps.env.store.read, userId, { limit, marker, unknownMarker: (m) => invalidInput(`marker [${m}] not found`, { field: 'marker' }) });
  }

  async get(userId: string, name: string): Promise<KeypairRow> {
    const row = await findKeypair(this.#deps.env.store.read, userId, name);
    if (!row) throw notFound(`Keypair ${name} not found for user ${userId}`);
    return row;
  }

  /** Imports a public key, or makes a pair when there is none; the private key is told once and never kept. */
  async create(ctx: Context, wish: { readonly userId: string; readonly name: string; readonly type: string; readonly publicKey: string | undefined }): Promise<{ row: KeypairRow; privateKey?: string }> {
    const { env, options } = this.#deps;
    if (wish.publicKey === undefined && wish.type === 'x509') throw invalidInput('Keypair data is invalid: a certificate is imported, not generated. Give public_key.', { field: 'public_key' });
    const made = wish.publicKey === undefined ? await newSshKey() : undefined;
    const publicKey = made?.publicKey ?? (wish.publicKey as string);
    const fingerprint = wish.type === 'x509' ? x509Fingerprint(publicKey) : sshFingerprint(publicKey);
    try {
      const row = await env.store.write(async (tx) => {
        const limit = effectiveLimit(await storedLimits(tx, ctx.projectId ?? '', wish.userId), options.quotaDefaults, 'key_pairs', 'user');
        if (limit >= 0 && (await countKeypairs(tx, wish.userId)) >= limit) throw forbidden(`Quota exceeded, too many key pairs. A user may have ${limit}.`, { type: 'KeypairLimitExceeded' });
        const created = await insertKeypair(tx, { user_id: wish.userId, name: wish.name, type: wish.type, fingerprint, public_key: publicKey, created_at_ms: env.clock.nowMs() });
        await env.events.emit(tx, { type: made ? 'keypair.create.end' : 'keypair.import.end', projectId: ctx.projectId, userId: wish.userId, requestId: ctx.requestId, resource: 'keypair', resourceId: wish.name, payload: { name: wish.name, fingerprint, type: wish.type, user_id: wish.userId } });
        return created;
      });
      return { row, ...(made && { privateKey: made.privateKey }) };
    } catch (error) {
      if (isUniqueViolation(error, 'nova_keypair')) throw alreadyExists(`Key pair '${wish.name}' already exists.`, { field: 'name' });
      throw error;
    }
  }

  async delete(ctx: Context, userId: string, name: string): Promise<void> {
    const { env } = this.#deps;
    await env.store.write(async (tx) => {
      if (!(await deleteKeypair(tx, userId, name))) throw notFound(`Keypair ${name} not found for user ${userId}`);
      await env.events.emit(tx, { type: 'keypair.delete.end', projectId: ctx.projectId, userId, requestId: ctx.requestId, resource: 'keypair', resourceId: name, payload: { name, user_id: userId } });
    });
  }
}
