import { invalidInput } from '@cairn/kit/errors/errors';
import type { DiskEncryption } from './disks.ts';

/** Key sizes of a cipher in bits: XTS has two keys of half the size. */
const CIPHERS: Readonly<Record<string, readonly number[]>> = { 'aes-xts-plain64': [256, 512] };

/** Refuses what hosts do not encrypt disks with. */
export function checkEncryption({ cipher, keyBits }: Pick<DiskEncryption, 'cipher' | 'keyBits'>): void {
  const sizes = CIPHERS[cipher];
  if (!sizes) throw invalidInput(`Disks are encrypted with ${Object.keys(CIPHERS).join(', ')}, not with ${JSON.stringify(cipher)}.`, { field: 'cipher' });
  if (!sizes.includes(keyBits)) throw invalidInput(`A key for ${cipher} has ${sizes.join(' or ')} bits, not ${keyBits}.`, { field: 'key_size' });
}
