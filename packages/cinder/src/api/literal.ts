/** A value that a query may say in Python's notation. */
export type Literal = string | number | boolean | null | readonly Literal[] | { readonly [key: string]: Literal };

/**
 * Reads the Python literals that upstream's filters may be (`{'key': 'value'}`, `['a', 'b']`, `True`, `12`). Returns undefined for anything else: it
 * is then taken as the text it is.
 */
export function parseLiteral(text: string): Literal | undefined {
  const reader = new Reader(text);
  try {
    return reader.whole();
  } catch (error) {
    if (error instanceof NoLiteral) return undefined;
    throw error;
  }
}

class NoLiteral extends Error {}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '\\': '\\', "'": "'", '"': '"' };
const MAX_DEPTH = 8;

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): Literal {
    const value = this.#value(0);
    this.#space();
    if (this.#at < this.#text.length) throw new NoLiteral();
    return value;
  }

  #value(depth: number): Literal {
    if (depth > MAX_DEPTH) throw new NoLiteral();
    this.#space();
    const char = this.#text[this.#at];
    if (char === "'" || char === '"') return this.#string(char);
    if (char === '{') return this.#dict(depth);
    if (char === '[') return this.#list(']', depth);
    if (char === '(') return this.#list(')', depth);
    const word = /^(?:True|False|None|[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)(?![\w.-])/.exec(this.#text.slice(this.#at))?.[0];
    if (word === undefined) throw new NoLiteral();
    this.#at += word.length;
    if (word === 'None') return null;
    return word === 'True' ? true : word === 'False' ? false : Number(word);
  }

  #string(quote: string): string {
    let value = '';
    for (this.#at++; ; this.#at++) {
      const char = this.#text[this.#at];
      if (char === undefined) throw new NoLiteral();
      if (char === quote) break;
      if (char === '\\') {
        const next = this.#text[++this.#at] ?? '';
        value += ESCAPES[next] ?? `\\${next}`;
      } else value += char;
    }
    this.#at++;
    return value;
  }

  #list(end: string, depth: number): Literal[] {
    const items: Literal[] = [];
    this.#items(end, () => items.push(this.#value(depth + 1)));
    return items;
  }

  #dict(depth: number): Record<string, Literal> {
    const entries: [string, Literal][] = [];
    this.#items('}', () => {
      const key = this.#value(depth + 1);
      this.#space();
      if (this.#text[this.#at] !== ':') throw new NoLiteral();
      this.#at++;
      entries.push([String(key), this.#value(depth + 1)]);
    });
    return Object.fromEntries(entries);
  }

  #items(end: string, item: () => void): void {
    this.#at++;
    for (;;) {
      this.#space();
      if (this.#text[this.#at] === end) break;
      item();
      this.#space();
      if (this.#text[this.#at] === ',') this.#at++;
      else if (this.#text[this.#at] !== end) throw new NoLiteral();
    }
    this.#at++;
  }

  #space(): void {
    while (/\s/.test(this.#text[this.#at] ?? '')) this.#at++;
  }
}
