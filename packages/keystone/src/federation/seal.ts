import { createHmac } from 'node:crypto';
import { type FernetKey, fernetDecrypt, fernetEncrypt, fernetKey } from '../token/fernet.ts';

/**
 * Texts that only this cloud can make and read, for what a browser keeps for us between two requests. Keys are derived from those of tokens, so that
 * every process of the cloud has them, none has to be kept, and no such text can pass for a token.
 */
export interface Seals {
  seal(purpose: string, value: unknown): string;
  /** undefined for what was not sealed for this purpose, or longer ago than `maxAgeSec`. */
  open(purpose: string, text: string, maxAgeSec: number): unknown;
}

interface Parts {
  readonly keys: { primary(): FernetKey; keys(): readonly FernetKey[] };
  nowMs(): number;
  randomBytes(length: number): Buffer;
}

/** A cookie holds no more. */
const MAX_CHARS = 4096;
const AHEAD_SEC = 60;

export function createSeals({ keys, nowMs, randomBytes }: Parts): Seals {
  const derived = (key: FernetKey, purpose: string): FernetKey =>
    fernetKey(createHmac('sha256', Buffer.from(key.text, 'base64url')).update(`cairn federation ${purpose}`).digest('base64url'));
  return {
    seal: (purpose, value) =>
      fernetEncrypt(derived(keys.primary(), purpose), Buffer.from(JSON.stringify(value)), Math.floor(nowMs() / 1000), randomBytes(16)).replace(/=+$/, ''),
    open(purpose, text, maxAgeSec) {
      if (text.length > MAX_CHARS) return undefined;
      const plain = fernetDecrypt(
        keys.keys().map((key) => derived(key, purpose)),
        text,
      );
      const ageSec = plain ? nowMs() / 1000 - plain.atSec : undefined;
      if (!plain || ageSec === undefined || ageSec > maxAgeSec || ageSec < -AHEAD_SEC) return undefined;
      return JSON.parse(plain.data.toString('utf8')) as unknown;
    },
  };
}
