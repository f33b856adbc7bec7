/**
 * The few habits of Python that reach the wire through the mapping language: how a value is written as text (`repr`), how a text is read back as
 * a list (`ast.literal_eval`), `str.format` with places, and regular expressions.
 */

/** A value as Python writes it: `['a', 'b']`, `{'name': None}`. */
export function pythonRepr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return `[${value.map(pythonRepr).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, item]) => `${quoted(key)}: ${pythonRepr(item)}`)
      .join(', ')}}`;
  }
  return String(value);
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function quoted(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let out = quote;
  for (const char of text) {
    const code = char.codePointAt(0) as number;
    if (char === quote) out += `\\${char}`;
    else if (ESCAPES[char] !== undefined) out += ESCAPES[char];
    else if (code < 0x20 || (code >= 0x7f && code <= 0xa0)) out += `\\x${code.toString(16).padStart(2, '0')}`;
    else out += char;
  }
  return out + quote;
}

/** The strings of a text that is a Python list of simple values; undefined where it is none. */
export function literalList(text: string): string[] | undefined {
  const reader = new LiteralReader(text);
  try {
    const value = reader.whole();
    return Array.isArray(value) ? value.map((item) => (typeof item === 'string' ? item : pythonRepr(item))) : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const UNESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', '\\': '\\', "'": "'", '"': '"', a: '\x07', b: '\b', f: '\f', v: '\v' };
const HEX_LENGTH: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 };
/** Deeper than any attribute has reason to be. */
const MAX_DEPTH = 20;

class LiteralReader {
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): unknown {
    const value = this.#value();
    this.#space();
    if (this.#at < this.#text.length) throw new SyntaxError('text after the value');
    return value;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #value(): unknown {
    this.#space();
    const char = this.#text[this.#at];
    if (char === '[') return this.#list();
    if (char === "'" || char === '"') return this.#string(char);
    const word = /^(-?\d+(\.\d+)?|True|False|None)/.exec(this.#text.slice(this.#at, this.#at + 64))?.[0];
    if (word === undefined) throw new SyntaxError('no value');
    this.#at += word.length;
    return word === 'True' ? true : word === 'False' ? false : word === 'None' ? null : Number(word);
  }

  #list(): unknown[] {
    if (++this.#depth > MAX_DEPTH) throw new SyntaxError('nested too deeply');
    this.#at += 1;
    const items: unknown[] = [];
    for (;;) {
      this.#space();
      if (this.#text[this.#at] === ']') break;
      items.push(this.#value());
      this.#space();
      if (this.#text[this.#at] === ',') this.#at += 1;
      else if (this.#text[this.#at] !== ']') throw new SyntaxError('a comma is expected');
    }
    this.#at += 1;
    this.#depth -= 1;
    return items;
  }

  #string(quote: string): string {
    let out = '';
    for (this.#at += 1; ; this.#at += 1) {
      const char = this.#text[this.#at];
      if (char === undefined || char === '\n') throw new SyntaxError('the string has no end');
      if (char === quote) break;
      out += char === '\\' ? this.#escape() : char;
    }
    this.#at += 1;
    return out;
  }

  #escape(): string {
    const char = this.#text[++this.#at] ?? '';
    const length = HEX_LENGTH[char];
    if (length === undefined) return UNESCAPES[char] ?? `\\${char}`;
    const digits = this.#text.slice(this.#at + 1, this.#at + 1 + length);
    if (!new RegExp(`^[0-9a-fA-F]{${length}}$`).test(digits) || Number.parseInt(digits, 16) > 0x10ffff) throw new SyntaxError('not a character');
    this.#at += length;
    return String.fromCodePoint(Number.parseInt(digits, 16));
  }
}

/** A place that a format names and that is not there. */
export class NoSuchPlace extends Error {}

/** `'{0} {1}'.format(...)`: places by number or in turn, an index into a list of values (`{0[1]}`), and doubled braces. Throws NoSuchPlace for anything else. */
export function pythonFormat(template: string, values: readonly (string | readonly string[])[]): string {
  let next = 0;
  return template.replaceAll(/\{\{|\}\}|\{([^{}]*)\}|[{}]/g, (found, field: string | undefined) => {
    if (found === '{{' || found === '}}') return found[0] as string;
    const place = field === undefined ? undefined : /^(\d*)(?:\[(\d+)\])?$/.exec(field);
    if (!place) throw new NoSuchPlace(`'${found}' in '${template}'`);
    const value = values[place[1] === '' ? next++ : Number(place[1])];
    const item = place[2] === undefined || value === undefined ? value : value[Number(place[2])];
    if (item === undefined) throw new NoSuchPlace(`'${found}' in '${template}'`);
    return typeof item === 'string' ? item : pythonRepr(item);
  });
}

/** Python's regular expression as one of JavaScript's. Throws SyntaxError for one that cannot be. */
export function pythonRegex(source: string): RegExp {
  const inline = /^\(\?([aiLmsux]+)\)/.exec(source);
  const flags = `u${inline?.[1]?.includes('i') ? 'i' : ''}${inline?.[1]?.includes('m') ? 'm' : ''}${inline?.[1]?.includes('s') ? 's' : ''}`;
  const body = source
    .slice(inline?.[0].length ?? 0)
    .replaceAll('(?P<', '(?<')
    .replaceAll(/\(\?P=(\w+)\)/g, '\\k<$1>')
    .replaceAll(/(?<!\\)((?:\\\\)*)\\A/g, '$1(?<![^])')
    .replaceAll(/(?<!\\)((?:\\\\)*)\\Z/g, '$1(?![^])');
  try {
    return new RegExp(body, flags);
  } catch {
    // without `u` JavaScript forgives the same needless backslashes that Python does (`\-`, `\@`)
    return new RegExp(body, flags.replace('u', ''));
  }
}
