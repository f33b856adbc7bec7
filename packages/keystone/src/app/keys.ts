import { conflict } from '@cairn/kit/errors/errors';
import type { RotatedKeys } from '../token/format.ts';
import type { Core } from './core.ts';
import type { Credentials } from './credentials.ts';

/** What a rotation of keys did. */
export interface Rotated {
  readonly keys: 'tokens' | 'credentials';
  /** Credentials that were encrypted anew. */
  readonly reencrypted: number;
}

export type Keys = ReturnType<typeof createKeys>;

/** Rotation while the cloud runs: upstream's `fernet_rotate`, `credential_rotate` and `credential_migrate`. */
export function createKeys(
  core: Core,
  parts: { readonly tokenKeys: readonly RotatedKeys[]; readonly credentialKeys: RotatedKeys; readonly credentials: Credentials },
) {
  const { env, options } = core;
  const { credentials } = parts;

  /** A key that tokens which still hold were made with must not go, unless that is wanted. */
  function refuseToDropLive(keys: RotatedKeys): void {
    const usedUntilMs = keys.dropsKeyUsedUntilMs();
    if (usedUntilMs === undefined) return;
    const neededUntilMs = usedUntilMs + (options.tokenLifetimeSec + options.allowExpiredWindowSec) * 1000;
    if (env.clock.nowMs() < neededUntilMs) {
      throw conflict(
        `The oldest key would go, and tokens that it made may be shown until ${new Date(neededUntilMs).toISOString()}. Rotate later, allow more keys, or force it: those tokens then end.`,
      );
    }
  }

  return {
    async rotate(which: Rotated['keys'], how: { readonly force?: boolean } = {}): Promise<Rotated> {
      if (which === 'tokens') {
        if (!how.force) for (const keys of parts.tokenKeys) refuseToDropLive(keys);
        for (const keys of parts.tokenKeys) keys.rotate();
        return { keys: which, reencrypted: 0 };
      }
      // nothing may be left under the key that goes
      const before = await credentials.reencrypt();
      parts.credentialKeys.rotate();
      return { keys: which, reencrypted: before + (await credentials.reencrypt()) };
    },
  };
}
