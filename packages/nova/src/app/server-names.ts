import type { Ids } from '@cairn/kit/ids/ids';

/**
 * A host name from a server's name: letters, digits, `-`; at most 63 characters, lower case; '' when nothing is left
 * (nova/utils.py, sanitize_hostname, with `_` made `-` and without the other letters that `\w` lets through).
 */
export function hostnameFrom(name: string): string {
  const latin = [...name].filter((char) => (char.codePointAt(0) as number) < 0x100).join('');
  return latin
    .slice(0, 63)
    .replace(/[ _.]/g, '-')
    .replace(/[^A-Za-z0-9-]+/g, '')
    .toLowerCase()
    .replace(/^-+|-+$/g, '');
}

const UID_CHARACTERS = '0123456789abcdefghijklmnopqrstuvwxyz';
// without those that people mistake for one another
const PASSWORD_GROUPS = ['23456789', 'ABCDEFGHJKLMNPQRSTUVWXYZ', 'abcdefghijkmnopqrstuvwxyz'];

function pick(ids: Ids, characters: string): string {
  // 256 is no multiple of the length, so bytes past the last whole multiple are drawn again
  const limit = 256 - (256 % characters.length);
  for (;;) {
    const byte = ids.bytes(1)[0] as number;
    if (byte < limit) return characters.charAt(byte % characters.length);
  }
}

/** `r-8tk3mqz0`. */
export const newReservationId = (ids: Ids): string => `r-${Array.from({ length: 8 }, () => pick(ids, UID_CHARACTERS)).join('')}`;

/** A password of 12 characters with a digit and both cases. */
export function newPassword(ids: Ids): string {
  const all = PASSWORD_GROUPS.join('');
  const chars = [...PASSWORD_GROUPS.map((group) => pick(ids, group)), ...Array.from({ length: 9 }, () => pick(ids, all))];
  for (let at = chars.length - 1; at > 0; at -= 1) {
    const other = (ids.bytes(4).readUInt32BE() % (at + 1)) as number;
    [chars[at], chars[other]] = [chars[other] as string, chars[at] as string];
  }
  return chars.join('');
}
