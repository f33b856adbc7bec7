import { createHmac, createSecretKey, randomBytes, timingSafeEqual } from 'node:crypto';
import * as bcryptLibrary from '@node-rs/bcrypt';
import type { Clock } from '@cairn/kit/clock/clock';
import { Lru } from '../cache/lru.ts';

/** bcrypt reads no more of a password; upstream cuts there too (`strict_password_check` off). */
const BCRYPT_MAX_BYTES = 72;
const PROOFS = 10_000;

interface Proof {
  readonly digest: Buffer;
  readonly untilMs: number;
}

export type Passwords = ReturnType<typeof createPasswords>;

/**
 * Hashes and verifies passwords and secrets with bcrypt. A verification that succeeded leaves a proof in memory for a short time: an HMAC, under
 * a key that only this process has and never writes down, of the stored hash and the password. The next login with the same password against
 * the same stored hash is checked by that instead of another bcrypt. A new password has another hash, so no proof outlives the password.
 */
export function createPasswords(options: {
  readonly clock: Clock;
  readonly cost: number;
  readonly proofTtlMs: number;
  /** For tests that count the work. */
  readonly bcrypt?: Pick<typeof bcryptLibrary, 'hash' | 'verify'>;
}) {
  const { hash, verify } = options.bcrypt ?? bcryptLibrary;
  // a key object: a buffer would be made one for every login, at six times the cost
  const key = createSecretKey(randomBytes(32));
  const proofs = new Lru<string, Proof>(PROOFS);
  let dummy: Promise<string> | undefined;

  const digestOf = (storedHash: string, password: Buffer): Buffer => createHmac('sha256', key).update(storedHash).update('\0').update(password).digest();
  /** What to verify against where there is nothing, so that the answer takes as long. */
  const dummyHash = (): Promise<string> => {
    dummy ??= hash(randomBytes(16).toString('hex'), { cost: options.cost });
    return dummy;
  };

  return {
    hash: (password: string): Promise<string> => hash(bytesOf(password), { cost: options.cost }),

    /** Compares with a hash that is no login: one of the passwords before. */
    matches: (storedHash: string, password: string): Promise<boolean> => verify(bytesOf(password), storedHash),

    /**
     * True when the password belongs to the stored hash. `owner` names whose it is. Without a hash (unknown user, user without
     * password, disabled user) it is false after the same work as a wrong password takes.
     */
    async verify(owner: string, storedHash: string | null | undefined, password: string | undefined): Promise<boolean> {
      if (!storedHash || password === undefined) {
        await verify(bytesOf(password ?? ''), await dummyHash());
        return false;
      }
      const bytes = bytesOf(password);
      const digest = digestOf(storedHash, bytes);
      const nowMs = options.clock.nowMs();
      const proof = proofs.get(owner);
      if (proof && proof.untilMs > nowMs && timingSafeEqual(proof.digest, digest)) return true;
      if (!(await verify(bytes, storedHash))) return false;
      if (options.proofTtlMs > 0) proofs.set(owner, { digest, untilMs: nowMs + options.proofTtlMs });
      return true;
    },
  };
}

const bytesOf = (password: string): Buffer => Buffer.from(password, 'utf8').subarray(0, BCRYPT_MAX_BYTES);
