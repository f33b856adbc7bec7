import { Double, pack, unpack } from './msgpack.ts';
import { idOf, methodBits, methodsOf, packId } from './payload.ts';

/** What a receipt says: some methods of a user held, others are still missing. */
export interface ReceiptClaims {
  readonly userId: string;
  readonly methods: readonly string[];
  readonly expiresAtMs: number;
}

/** keystone/receipt/receipt_formatters.py: user, methods as bits, expiry. The time of issue is the Fernet token's own. */
export const packReceipt = ({ userId, methods, expiresAtMs }: ReceiptClaims): Buffer =>
  pack([packId(userId), methodBits(methods), new Double(expiresAtMs / 1000)]);

/** Throws RangeError for a payload that is no receipt; a token's never is one. */
export function unpackReceipt(data: Buffer): ReceiptClaims {
  const value = unpack(data);
  if (!Array.isArray(value) || value.length !== 3) throw new RangeError('a receipt has three fields');
  const [user, bits, expires] = value;
  const userId = idOf(user ?? null);
  if (userId === undefined || typeof bits !== 'number' || !Number.isInteger(bits) || typeof expires !== 'number') throw new RangeError('this is no receipt');
  return { userId, methods: methodsOf(bits), expiresAtMs: Math.floor(expires) * 1000 };
}
