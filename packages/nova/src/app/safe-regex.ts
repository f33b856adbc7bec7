/**
 * Regular expressions that users give as list filters, matched in time that grows with text × pattern only (a simulated automaton, no
 * backtracking), so that no pattern can hold up the process. Knows what filters need: literals, `.`, classes, groups, `|`, `* + ? {m,n}`,
 * `^`, `$`, `\d \w \s` and escapes. ASCII letter case does not count, as with MySQL's REGEXP under upstream.
 */
export class SafeRegex {
  readonly #states: readonly State[];
  readonly #start: number;

  /** Throws SyntaxError for what it does not understand, and for patterns that would need too many states. */
  constructor(pattern: string) {
    const parser = new Parser(pattern);
    const fragment = parser.parse();
    this.#states = parser.states;
    this.#start = fragment;
  }

  /** True when the pattern matches anywhere in the text. */
  test(text: string): boolean {
    const lower = text.toLowerCase();
    let current = new Set<number>();
    for (let at = 0; at <= lower.length; at += 1) {
      if (this.#follow(this.#start, at, lower.length, current)) return true;
      if (at === lower.length) return false;
      const char = lower.charAt(at);
      const next = new Set<number>();
      for (const id of current) {
        const state = this.#states[id] as State;
        if (state.kind === 'char' && state.matches(char) && this.#follow(state.next, at + 1, lower.length, next)) return true;
      }
      current = next;
    }
    return false;
  }

  /** Adds the states reachable without a character; true when the end is among them. */
  #follow(from: number, at: number, length: number, into: Set<number>): boolean {
    const stack = [from];
    while (stack.length > 0) {
      const id = stack.pop() as number;
      if (into.has(id)) continue;
      into.add(id);
      const state = this.#states[id] as State;
      if (state.kind === 'end') return true;
      if (state.kind === 'split') stack.push(...state.to);
      else if (state.kind === 'start' && at === 0) stack.push(state.next);
      else if (state.kind === 'finish' && at === length) stack.push(state.next);
    }
    return false;
  }
}

type State =
  | { readonly kind: 'char'; readonly matches: (char: string) => boolean; readonly next: number }
  | { readonly kind: 'split'; readonly to: number[] }
  | { readonly kind: 'start' | 'finish'; readonly next: number }
  | { readonly kind: 'end' };

type Node =
  | { readonly kind: 'char'; readonly matches: (char: string) => boolean }
  | { readonly kind: 'empty' | 'start' | 'finish' }
  | { readonly kind: 'sequence' | 'choice'; readonly nodes: readonly Node[] }
  | { readonly kind: 'repeat'; readonly node: Node; readonly min: number; readonly max: number };

const MAX_STATES = 2_000;
const MAX_DEPTH = 50;
const CLASSES: Readonly<Record<string, (char: string) => boolean>> = {
  d: (char) => char >= '0' && char <= '9',
  w: (char) => /^\w$/.test(char),
  s: (char) => /^\s$/.test(char),
};

class Parser {
  readonly states: State[] = [{ kind: 'end' }];
  readonly #text: string;
  #at = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
  }

  parse(): number {
    const node = this.#choice();
    if (this.#at < this.#text.length) throw new SyntaxError(`unexpected ${this.#text.charAt(this.#at)}`);
    return this.#build(node, 0);
  }

  #add(state: State): number {
    if (this.states.length >= MAX_STATES) throw new SyntaxError('the pattern is too large');
    return this.states.push(state) - 1;
  }

  /** Makes the states of a node that lead on to `next`; returns the first. */
  #build(node: Node, next: number): number {
    switch (node.kind) {
      case 'empty':
        return next;
      case 'char':
        return this.#add({ kind: 'char', matches: node.matches, next });
      case 'start':
      case 'finish':
        return this.#add({ kind: node.kind, next });
      case 'sequence':
        return node.nodes.reduceRight((after, child) => this.#build(child, after), next);
      case 'choice':
        return this.#add({ kind: 'split', to: node.nodes.map((child) => this.#build(child, next)) });
      case 'repeat': {
        let first = next;
        if (node.max === Number.POSITIVE_INFINITY) {
          const loop: State = { kind: 'split', to: [next] };
          first = this.#add(loop);
          loop.to.push(this.#build(node.node, first));
        } else {
          for (let i = node.min; i < node.max; i += 1) first = this.#add({ kind: 'split', to: [next, this.#build(node.node, first)] });
        }
        for (let i = 0; i < node.min; i += 1) first = this.#build(node.node, first);
        return first;
      }
    }
  }

  #choice(): Node {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw new SyntaxError('the pattern is nested too deeply');
    const nodes = [this.#sequence()];
    while (this.#take('|')) nodes.push(this.#sequence());
    this.#depth -= 1;
    return nodes.length === 1 ? (nodes[0] as Node) : { kind: 'choice', nodes };
  }

  #sequence(): Node {
    const nodes: Node[] = [];
    while (this.#at < this.#text.length && !'|)'.includes(this.#text.charAt(this.#at))) nodes.push(this.#repeated());
    return nodes.length === 0 ? { kind: 'empty' } : { kind: 'sequence', nodes };
  }

  #repeated(): Node {
    let node = this.#atom();
    for (;;) {
      if (this.#take('*')) node = { kind: 'repeat', node, min: 0, max: Number.POSITIVE_INFINITY };
      else if (this.#take('+')) node = { kind: 'repeat', node, min: 1, max: Number.POSITIVE_INFINITY };
      else if (this.#take('?')) node = { kind: 'repeat', node, min: 0, max: 1 };
      else {
        const counts = /^\{(\d{1,3})(,(\d{0,3}))?\}/.exec(this.#text.slice(this.#at, this.#at + 10));
        if (counts === null) return node;
        this.#at += counts[0].length;
        const min = Number(counts[1]);
        const max = counts[2] === undefined ? min : counts[3] === '' ? Number.POSITIVE_INFINITY : Number(counts[3]);
        if (max < min) throw new SyntaxError('a repetition is out of order');
        node = { kind: 'repeat', node, min, max };
      }
      // a lazy or possessive mark changes nothing about whether a text matches
      if (!this.#take('?')) this.#take('+');
    }
  }

  #atom(): Node {
    const char = this.#text.charAt(this.#at);
    this.#at += 1;
    switch (char) {
      case '^':
        return { kind: 'start' };
      case '$':
        return { kind: 'finish' };
      case '.':
        return { kind: 'char', matches: () => true };
      case '*':
      case '+':
      case '?':
        throw new SyntaxError('nothing to repeat');
      case '(': {
        if (this.#take('?') && !this.#take(':')) throw new SyntaxError('unknown extension');
        const node = this.#choice();
        if (!this.#take(')')) throw new SyntaxError('missing )');
        return node;
      }
      case '[':
        return { kind: 'char', matches: this.#class() };
      case '\\':
        return { kind: 'char', matches: this.#escape() };
      default:
        return { kind: 'char', matches: same(char) };
    }
  }

  #escape(): (char: string) => boolean {
    const char = this.#text.charAt(this.#at);
    this.#at += 1;
    if (char === '') throw new SyntaxError('bad escape at the end');
    const lower = char.toLowerCase();
    const known = CLASSES[lower];
    if (known !== undefined) return char === lower ? known : (c) => !known(c);
    if (/[a-z0-9]/i.test(char)) throw new SyntaxError(`unknown escape \\${char}`);
    return same(char);
  }

  #class(): (char: string) => boolean {
    const negated = this.#take('^');
    const parts: ((char: string) => boolean)[] = [];
    for (let first = true; ; first = false) {
      if (this.#at >= this.#text.length) throw new SyntaxError('unterminated character set');
      const char = this.#text.charAt(this.#at);
      this.#at += 1;
      if (char === ']' && !first) break;
      if (char === '\\') {
        parts.push(this.#escape());
        continue;
      }
      const to = this.#text.charAt(this.#at) === '-' && !['', ']'].includes(this.#text.charAt(this.#at + 1)) ? this.#text.charAt(this.#at + 1) : undefined;
      if (to === undefined) {
        parts.push(same(char));
        continue;
      }
      this.#at += 2;
      if (to < char) throw new SyntaxError('bad character range');
      parts.push((c) => within(c, char, to) || within(c.toUpperCase(), char, to));
    }
    return (char) => parts.some((matches) => matches(char)) !== negated;
  }

  #take(char: string): boolean {
    if (this.#text.charAt(this.#at) !== char) return false;
    this.#at += 1;
    return true;
  }
}

const within = (char: string, from: string, to: string): boolean => char >= from && char <= to;
function same(char: string): (other: string) => boolean {
  const lower = char.toLowerCase();
  return (other) => other === lower;
}
