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

/** Draws characters, each as likely as the other. */
function draw(ids: Ids, characters: string, count: number): string {
  // 256 is no multiple of the length, so bytes past the last whole multiple are drawn again
  const limit = 256 - (256 % characters.length);
  let text = '';
  while (text.length < count) {
    for (const byte of ids.bytes(2 * count)) if (byte < limit && text.length < count) text += characters.charAt(byte % characters.length);
  }
  return text;
}

/** `r-8tk3mqz0`. */
export const newReservationId = (ids: Ids): string => `r-${draw(ids, UID_CHARACTERS, 8)}`;

/** A password of 12 characters with a digit and both cases. */
export function newPassword(ids: Ids): string {
  const chars = [...PASSWORD_GROUPS.map((group) => draw(ids, group, 1)), ...draw(ids, PASSWORD_GROUPS.join(''), 9)];
  const order = ids.bytes(4 * chars.length);
  return chars
    .map((char, at) => ({ char, rank: order.readUInt32BE(4 * at) }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ char }) => char)
    .join('');
}
