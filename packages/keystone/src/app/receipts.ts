import { isoMicros } from '@cairn/kit/clock/clock';
import { CairnError } from '@cairn/kit/errors/errors';
import { INSUFFICIENT_METHODS, receiptNotFound } from '../errors.ts';
import { fernetDecrypt, fernetEncrypt } from '../token/fernet.ts';
import type { KeyRepository } from '../token/key-repository.ts';
import { packReceipt, type ReceiptClaims, unpackReceipt } from '../token/receipt.ts';
import type { AuthCall } from './auth-methods/method.ts';
import type { Core } from './core.ts';
import type { Lookups } from './lookups.ts';

/** The header that gives a receipt and takes it back. */
export const RECEIPT_HEADER = 'Openstack-Auth-Receipt';
/** Longer than any receipt; nothing is decrypted beyond it. */
const MAX_CHARS = 1024;

export type Receipts = ReturnType<typeof createReceipts>;

/** Receipts for logins that passed some of the methods that a user's rules ask for (keystone/receipt). They are not stored. */
export function createReceipts(core: Core, parts: { readonly keys: KeyRepository; readonly lookups: Lookups }) {
  const { env, options } = core;
  const { keys, lookups } = parts;

  /** The 401 that says which methods are missing; its header is the receipt. `rules` are the user's, of methods that there are. */
  async function insufficient(userId: string, methods: readonly string[], rules: readonly (readonly string[])[]): Promise<CairnError> {
    const user = (await lookups.userById(userId))?.user;
    const domain = user && (await lookups.projectById(user.domainId));
    const nowSec = Math.floor(env.clock.nowMs() / 1000);
    const expiresAtMs = (nowSec + options.receiptLifetimeSec) * 1000;
    const text = fernetEncrypt(keys.primary(), packReceipt({ userId, methods, expiresAtMs }), nowSec, env.ids.bytes(16));
    const body = {
      receipt: {
        methods,
        user: { id: userId, name: user?.name, domain: { id: domain?.id, name: domain?.name } },
        expires_at: isoMicros(expiresAtMs),
        issued_at: isoMicros(nowSec * 1000),
      },
      required_auth_methods: rules.filter((rule) => rule.some((method) => methods.includes(method))),
    };
    return new CairnError('Unauthorized', `Insufficient auth methods received for ${userId}. Auth Methods Provided: [${methods.join(',')}].`, {
      type: INSUFFICIENT_METHODS,
      detail: body,
      headers: { [RECEIPT_HEADER]: text.replace(/=+$/, '') },
    });
  }

  /** The receipt that came with a login, which must be the user's own; undefined where none came. Throws Unauthorized. */
  function shown(call: AuthCall, userId: string): ReceiptClaims | undefined {
    const header = call.headers[RECEIPT_HEADER.toLowerCase()];
    const text = typeof header === 'string' ? header : header?.[0];
    if (!text) return undefined;
    const plain = text.length > MAX_CHARS ? undefined : fernetDecrypt(keys.keys(), text);
    if (!plain) throw receiptNotFound('no key of the repository made it');
    let claims: ReceiptClaims;
    try {
      claims = unpackReceipt(plain.data);
    } catch {
      throw receiptNotFound('it is no receipt');
    }
    if (env.clock.nowMs() >= claims.expiresAtMs) throw receiptNotFound('it has expired');
    if (claims.userId !== userId) throw receiptNotFound(`it belongs to user ${claims.userId}, not to ${userId}`);
    return claims;
  }

  return { insufficient, shown };
}
