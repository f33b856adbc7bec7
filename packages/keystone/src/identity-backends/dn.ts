/** Distinguished names as text (RFC 4514), as far as keystone has to read them. */

/** One `type=value`. */
interface Ava {
  readonly type: string;
  readonly value: string;
}

/** The relative names of a DN, the entry's own first; undefined for a text that is no DN. */
export function parseDn(dn: string): Ava[][] | undefined {
  if (dn.trim() === '') return [];
  const names: Ava[][] = [];
  for (const part of splitAt(dn, ',')) {
    const avas = splitAt(part, '+').map(avaOf);
    if (avas.some((ava) => ava === undefined)) return undefined;
    names.push(avas as Ava[]);
  }
  return names;
}

/** Equal for two spellings of the same DN: types and values by any case, white space squeezed (upstream: is_dn_equal). */
export function dnKey(dn: string): string {
  const names = parseDn(dn);
  if (!names) return dn;
  const avaKey = ({ type, value }: Ava): string => JSON.stringify([type.toLowerCase(), value.trim().toLowerCase().replace(/\s+/g, ' ')]);
  return names.map((name) => name.map(avaKey).toSorted().join('+')).join(',');
}

/** True where the entry is below `base`, not `base` itself. */
export function isBelow(dn: string, base: string): boolean {
  const [key, baseKey] = [dnKey(dn), dnKey(base)];
  return baseKey === '' ? key !== '' : key.endsWith(`,${baseKey}`);
}

function splitAt(text: string, separator: string): string[] {
  const parts: string[] = [];
  let part = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const sign = text[at] as string;
    if (sign === '\\') {
      part += sign + (text[at + 1] ?? '');
      at += 1;
    } else if (sign === '"') {
      quoted = !quoted;
      part += sign;
    } else if (sign === separator && !quoted) {
      parts.push(part);
      part = '';
    } else part += sign;
  }
  return [...parts, part];
}

function avaOf(text: string): Ava | undefined {
  const match = /^\s*([\w.-]+)\s*=\s*([\s\S]*)$/.exec(text);
  return match ? { type: match[1] as string, value: unescaped((match[2] as string).replace(/(?<!\\)\s+$/, '')) } : undefined;
}

/** `\2C` are bytes of UTF-8, `\,` is the sign itself. */
function unescaped(value: string): string {
  const text = value.length > 1 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  return text.replace(/(?:\\[0-9a-fA-F]{2})+|\\([\s\S])/g, (match, sign: string | undefined) =>
    sign !== undefined ? sign : Buffer.from(match.replaceAll('\\', ''), 'hex').toString('utf8'),
  );
}
