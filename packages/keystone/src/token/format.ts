import type { Ids } from '@cairn/kit/ids/ids';
import { tokenNotFound } from '../errors.ts';
import { fernetDecrypt, fernetEncrypt } from './fernet.ts';
import type { KeyRepository } from './key-repository.ts';
import { type Claims, packClaims, unpackClaims } from './payload.ts';

export interface Decoded {
  readonly claims: Claims;
  readonly issuedAtMs: number;
}

/** How tokens are written: upstream's `[token] provider`. */
export interface TokenFormat {
  /** Grows whenever a key may have gone, so that what was decoded with it is not trusted from a cache. */
  readonly generation: number;
  encode(claims: Claims, issuedAtMs: number): string;
  /** Throws NotFound for what none of the keys made, or is no token. */
  decode(id: string): Decoded;
}

/** Keys in a directory that other processes may change. */
export interface RotatedKeys {
  readonly generation: number;
  /** Looks at the directory now, without waiting for the next time; true where it had changed. */
  refresh(): boolean;
  rotate(): void;
  /** Until when the key was in use that the next rotation would drop; undefined where it would drop none. */
  dropsKeyUsedUntilMs(): number | undefined;
}

const FERNET_MAX_CHARS = 4096;
const IV_BYTES = 16;

/** keystone/token/token_formatters.py */
export function fernetFormat(parts: { readonly keys: KeyRepository; readonly ids: Ids }): TokenFormat {
  const { keys, ids } = parts;
  return {
    get generation() {
      return keys.generation;
    },
    encode: (claims, issuedAtMs) => fernetEncrypt(keys.primary(), packClaims(claims), issuedAtMs / 1000, ids.bytes(IV_BYTES)).replace(/=+$/, ''),
    decode(id) {
      const read = () => (id.length > FERNET_MAX_CHARS ? undefined : fernetDecrypt(keys.keys(), id));
      const plain = read() ?? (keys.refresh() ? read() : undefined);
      if (!plain) throw tokenNotFound('Could not recognize Fernet token');
      try {
        return { claims: unpackClaims(plain.data), issuedAtMs: plain.atSec * 1000 };
      } catch {
        throw tokenNotFound('This is not a recognized Fernet payload version');
      }
    },
  };
}
