import type { Tx } from '@cairn/kit/store/store';
import { type ChangeKey, auditKey, trustKey, userKey } from '../cache/changes.ts';
import { deleteOldRevocations, insertRevocation, isAuditRevoked, listRevocations, newestOf, type NewRevocation, revokedUpTo } from '../store/revocations.ts';
import { recordChange } from '../store/changes.ts';
import { type Core, touch } from './core.ts';

/** Kept beyond the last moment in which a token may be validated, as upstream's `[revoke] expiration_buffer`. */
const BUFFER_MS = 1_800_000;

export type Revocations = ReturnType<typeof createRevocations>;

/** Revocation events: tokens issued up to a moment that match what the event names are no longer valid. */
export function createRevocations(core: Core) {
  const { env, options } = core;

  async function revoke(tx: Tx, event: NewRevocation, keys: readonly ChangeKey[], newestMs?: number): Promise<void> {
    const nowMs = env.clock.nowMs();
    // the number of a change of its own is the event's id
    const id = await recordChange(tx, [], nowMs);
    // A token's time has no fraction, so neither has the moment that it is compared with. A token got after a revocation of the same second
    // says the next second (see tokens.ts), so the next revocation has to reach as far.
    const secondMs = Math.floor(nowMs / 1000) * 1000;
    const issuedBeforeMs = newestMs !== undefined && newestMs >= secondMs ? newestMs + 1000 : secondMs;
    await insertRevocation(tx, id, event, { issuedBeforeMs, revokedAtMs: nowMs });
    await deleteOldRevocations(tx, nowMs - (options.tokenLifetimeSec + options.allowExpiredWindowSec) * 1000 - BUFFER_MS);
    await touch(core, tx, keys);
  }

  return {
    /** All tokens of a user so far. */
    ofUser: async (tx: Tx, userId: string): Promise<void> => revoke(tx, { user_id: userId }, [userKey(userId)], await newestOf(tx, 'user_id', userId)),
    /** One token. */
    ofAuditId: (tx: Tx, auditId: string): Promise<void> => revoke(tx, { audit_id: auditId }, [auditKey(auditId)]),
    /** All tokens of a trust. */
    ofTrust: async (tx: Tx, trustId: string): Promise<void> => revoke(tx, { trust_id: trustId }, [trustKey(trustId)], await newestOf(tx, 'trust_id', trustId)),
    /** The events since a moment, that moment excluded; all that are kept without one. The oldest first. */
    list: (sinceMs?: number) => listRevocations(env.store.read, sinceMs),
    /** Was this very token revoked? */
    isAuditRevoked,
    /** Up to when tokens with these facts are revoked. */
    revokedUpTo,
  };
}
