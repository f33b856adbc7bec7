import { createHmac, timingSafeEqual } from 'node:crypto';
import { expecting, unauthenticated } from '../../errors.ts';
import { equals } from '../../store/lists.ts';
import type { Core } from '../core.ts';
import type { Credentials } from '../credentials.ts';
import type { AuthMethod } from './method.ts';
import type { People } from './people.ts';

const PERIOD_SEC = 30;
const DIGITS = 6;
/** RFC 4226 asks for 128 bits; upstream's library refuses less, so a credential with less never matches. */
const MIN_KEY_BYTES = 16;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
/** Stands in where there is no seed, so that the work is the same. */
const NO_SEED = Buffer.alloc(20);

/** RFC 4648 base32 as upstream takes it: upper case, padding optional. Undefined for anything else. */
export function base32Decode(text: string): Buffer | undefined {
  const digits = text.replace(/=+$/, '');
  if (![0, 2, 4, 5, 7].includes(digits.length % 8)) return undefined;
  const bytes: number[] = [];
  let bits = 0;
  let held = 0;
  for (const char of digits) {
    const value = ALPHABET.indexOf(char);
    if (value < 0) return undefined;
    bits = ((bits << 5) | value) & 0xfff;
    held += 5;
    if (held >= 8) {
      held -= 8;
      bytes.push((bits >> held) & 0xff);
    }
  }
  return Buffer.from(bytes);
}

/** The passcode of one moment (RFC 6238 with SHA-1, 30 seconds, six digits). */
export function totpPasscode(key: Buffer, atSec: number): string {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.max(0, Math.floor(atSec / PERIOD_SEC))));
  const mac = createHmac('sha1', key).update(counter).digest();
  const at = (mac.at(-1) as number) & 0xf;
  return String((mac.readUInt32BE(at) & 0x7fffffff) % 10 ** DIGITS).padStart(DIGITS, '0');
}

/** keystone/auth/plugins/totp.py: a passcode of any of the user's credentials of type totp. */
export function totpMethod(core: Core, parts: { readonly people: People; readonly credentials: Credentials }): AuthMethod {
  const { people, credentials } = parts;

  /** Are these digits the passcode now, or were they in one of the windows before? */
  function matches(passcode: Buffer, blob: string): boolean {
    const decoded = base32Decode(blob);
    const key = decoded && decoded.length >= MIN_KEY_BYTES ? decoded : undefined;
    const nowSec = core.env.clock.nowMs() / 1000;
    let found = false;
    for (let window = 0; window <= core.options.totpPreviousWindows; window++) {
      const expected = Buffer.from(totpPasscode(key ?? NO_SEED, nowSec - window * PERIOD_SEC));
      if (expected.length === passcode.length && timingSafeEqual(expected, passcode)) found = true;
    }
    return found && key !== undefined;
  }

  return {
    name: 'totp',
    async authenticate(request) {
      const given = request.identity.totp?.user;
      if (!given) throw expecting('user', 'totp');
      const secret = await people.enabledPersonOf(given);
      const found = await credentials.list([equals('user_id', secret?.user.id ?? ''), equals('type', 'totp')]);
      const passcode = Buffer.from(typeof given.passcode === 'string' ? given.passcode : '');
      // one comparison at least, whoever is asked about
      let valid = false;
      for (const blob of found.length > 0 ? found.map((credential) => credential.blob) : ['']) if (matches(passcode, blob)) valid = true;
      if (!secret || !valid) throw unauthenticated('Invalid username or TOTP passcode');
      return { userId: secret.user.id };
    },
  };
}
