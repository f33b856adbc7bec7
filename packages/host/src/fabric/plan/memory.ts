import { createHash } from 'node:crypto';
import type { KernelRules } from '../ruleset/model.ts';

/**
 * What the switch's planner must remember from one plan to the next: numbers that stand for something and have to stay the same
 * while it lives. All of it can be read back from the kernel (seed), so nothing is kept in files.
 */
export class SwitchMemory {
  /** Packet marks of ports. 24 bits: below the bit that security-group.ts uses. */
  readonly marks = new Numbers(1, 0xffffff);
  /** Conntrack zones of bridges: the same addresses on two networks are not the same connection. Zone 0 is everybody else's. */
  readonly zones = new Numbers(1, 0xffff);
  readonly generations = new Generations();
  /** Elements of the member sets in the last plan. */
  members: ReadonlyMap<string, ReadonlyMap<string, string>> = new Map();

  /** A memory as an earlier run of this program left it in the kernel. */
  static seed(kernel: KernelRules, sources: { readonly table: string; readonly zoneMap: string; readonly memberSetPattern: RegExp }): SwitchMemory {
    const memory = new SwitchMemory();
    const table = kernel.get(sources.table);
    for (const [bridge, zone] of table?.sets.get(sources.zoneMap)?.elements ?? []) memory.zones.restore(bridge, Number(zone));
    const members = new Map<string, ReadonlyMap<string, string>>();
    for (const [name, set] of table?.sets ?? []) if (sources.memberSetPattern.test(name)) members.set(name, set.elements);
    memory.members = members;
    for (const [chain, { note }] of table?.chains ?? []) {
      const found = /^generation (\d+) of ([0-9a-f]+)$/.exec(note ?? '');
      if (found) memory.generations.restore(chain, Number(found[1]), found[2] ?? '');
    }
    return memory;
  }
}

const hash = (text: string): number => createHash('sha256').update(text).digest().readUInt32BE(0);

/** Gives each key a number of its own, mostly the same in every run: by hash, and the next free one where two meet. */
export class Numbers {
  readonly #from: number;
  readonly #count: number;
  readonly #ofKey = new Map<string, number>();
  readonly #taken = new Map<number, string>();

  constructor(from: number, to: number) {
    this.#from = from;
    this.#count = to - from + 1;
  }

  of(key: string): number {
    let number = this.#ofKey.get(key);
    if (number === undefined) {
      if (this.#taken.size >= this.#count) throw new Error('no number is free');
      number = this.#from + (hash(key) % this.#count);
      while (this.#taken.has(number)) number = this.#from + ((number - this.#from + 1) % this.#count);
      this.restore(key, number);
    }
    return number;
  }

  /** The key that has the number. */
  keyOf(number: number): string | undefined {
    return this.#taken.get(number);
  }

  restore(key: string, number: number): void {
    if (this.#taken.has(number)) return;
    this.#ofKey.set(key, number);
    this.#taken.set(number, key);
  }

  /** Frees the numbers of keys that are no more. */
  keepOnly(has: (key: string) => boolean): void {
    for (const [key, number] of this.#ofKey) {
      if (has(key)) continue;
      this.#ofKey.delete(key);
      this.#taken.delete(number);
    }
  }
}

/** The generation of each policy chain: it changes whenever connections that the chain has accepted are to be judged anew. 1 to 65535. */
export class Generations {
  readonly #chains = new Map<string, { readonly value: number; readonly content: string }>();
  readonly #live = new Set<number>();

  /** Digest of what a chain judges by, as it is kept in the kernel. */
  static contentOf(rules: readonly (readonly string[])[]): string {
    return createHash('sha256').update(JSON.stringify(rules)).digest('hex').slice(0, 16);
  }

  /** The chain's generation; a new one when `content` differs from the last time or `judgeAnew` is set. */
  of(chain: string, content: string, judgeAnew: boolean): number {
    const known = this.#chains.get(chain);
    if (known?.content === content && !judgeAnew) return known.value;
    // No two chains share a value, so a port that goes from one policy to another is judged anew as well.
    let value = known ? known.value : hash(`${chain} ${content}`) & 0xffff;
    do value = (value + 1) & 0xffff;
    while (value === 0 || (this.#live.has(value) && this.#live.size < 0xfffe));
    if (known) this.#live.delete(known.value);
    this.restore(chain, value, content);
    return value;
  }

  restore(chain: string, value: number, content: string): void {
    this.#chains.set(chain, { value, content });
    this.#live.add(value);
  }

  keepOnly(has: (chain: string) => boolean): void {
    for (const [chain, { value }] of this.#chains) {
      if (has(chain)) continue;
      this.#chains.delete(chain);
      this.#live.delete(value);
    }
  }
}
