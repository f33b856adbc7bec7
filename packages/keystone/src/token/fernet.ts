import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject, timingSafeEqual } from 'node:crypto';

/** One Fernet key: 128 bits to sign, 128 to encrypt, from 32 bytes in URL-safe base64. */
export interface FernetKey {
  /** The key's text as the repository keeps it; its hash names the key that encrypted a credential. Secret. */
  readonly text: string;
  readonly signing: KeyObject;
  readonly encryption: KeyObject;
}

const VERSION = 0x80;
const HEADER_BYTES = 25; // version, time, initialisation vector
const MAC_BYTES = 32;

/** Throws RangeError for text that is no Fernet key. */
export function fernetKey(text: string): FernetKey {
  const trimmed = text.trim();
  const bytes = Buffer.from(trimmed, 'base64url');
  if (bytes.length !== 32) throw new RangeError('a Fernet key is 32 bytes in URL-safe base64');
  return { text: trimmed, signing: createSecretKey(bytes.subarray(0, 16)), encryption: createSecretKey(bytes.subarray(16)) };
}

/** A new key's text, padded as upstream writes it. */
export const newFernetKeyText = (random: (length: number) => Buffer): string => `${random(32).toString('base64url')}=`;

/** Encrypts and signs (https://github.com/fernet/spec). The token comes with base64 padding; keystone cuts it off its own. */
export function fernetEncrypt(key: FernetKey, data: Buffer, atSec: number, iv: Buffer): string {
  const cipher = createCipheriv('aes-128-cbc', key.encryption, iv);
  const header = Buffer.allocUnsafe(9);
  header[0] = VERSION;
  header.writeBigUInt64BE(BigInt(atSec), 1);
  const signed = Buffer.concat([header, iv, cipher.update(data), cipher.final()]);
  const mac = createHmac('sha256', key.signing).update(signed).digest();
  const text = Buffer.concat([signed, mac]).toString('base64url');
  return text.padEnd(Math.ceil(text.length / 4) * 4, '=');
}

export interface Decrypted {
  readonly data: Buffer;
  readonly atSec: number;
}

/** The payload and its time, by the first key that signed it; undefined for text that none of the keys made. */
export function fernetDecrypt(keys: readonly FernetKey[], token: string): Decrypted | undefined {
  // Buffer's decoder skips what is not base64; a token must be nothing else
  if (!/^[A-Za-z0-9_-]+={0,2}$/.test(token)) return undefined;
  const bytes = Buffer.from(token, 'base64url');
  if (bytes.length < HEADER_BYTES + 16 + MAC_BYTES || bytes[0] !== VERSION || (bytes.length - HEADER_BYTES - MAC_BYTES) % 16 !== 0) return undefined;
  const signed = bytes.subarray(0, bytes.length - MAC_BYTES);
  const mac = bytes.subarray(bytes.length - MAC_BYTES);
  for (const key of keys) {
    if (!timingSafeEqual(createHmac('sha256', key.signing).update(signed).digest(), mac)) continue;
    try {
      const decipher = createDecipheriv('aes-128-cbc', key.encryption, signed.subarray(9, HEADER_BYTES));
      const data = Buffer.concat([decipher.update(signed.subarray(HEADER_BYTES)), decipher.final()]);
      return { data, atSec: Number(signed.readBigUInt64BE(1)) };
    } catch {
      return undefined;
    }
  }
  return undefined;
}
