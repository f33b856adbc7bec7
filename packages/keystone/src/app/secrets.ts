import { createHmac } from 'node:crypto';
import type { Env } from '@cairn/kit/env';
import { type FernetKey, fernetDecrypt, fernetEncrypt, fernetKey } from '../token/fernet.ts';

/** Secrets of other services, encrypted at rest as credentials are. Nothing of them is kept here. */
export interface Secrets {
  /** Encrypts `text` so that only `open` with the same purpose reads it again. */
  seal(purpose: string, text: string): string;
  /** Throws when it was sealed for another purpose, or with a key that is no longer in the repository. */
  open(purpose: string, sealed: string): string;
}

/** Each purpose has keys of its own, derived from those of credentials, so that what one service has sealed is nothing to another. */
export function createSecrets({ clock, ids }: Env, keys: { primary(): FernetKey; keys(): readonly FernetKey[] }): Secrets {
  const derived = (key: FernetKey, purpose: string): FernetKey =>
    fernetKey(createHmac('sha256', Buffer.from(key.text, 'base64url')).update(`cairn secret ${purpose}`).digest('base64url'));
  return {
    seal: (purpose, text) => fernetEncrypt(derived(keys.primary(), purpose), Buffer.from(text, 'utf8'), Math.floor(clock.nowMs() / 1000), ids.bytes(16)),
    open(purpose, sealed) {
      const plain = fernetDecrypt(
        keys.keys().map((key) => derived(key, purpose)),
        sealed,
      );
      if (!plain) throw new Error(`a secret for ${purpose} was encrypted with a key that is not in the repository`);
      return plain.data.toString('utf8');
    },
  };
}
