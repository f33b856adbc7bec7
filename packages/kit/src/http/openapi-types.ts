import type { Versioned } from './operation.ts';

type Json = Record<string, unknown>;

/** The object types of answers that have a title: they stand once in the document, under that name. */
export class AnswerTypes {
  readonly #named = new Map<string, object>();
  readonly #texts = new Map<string, string>();
  readonly #seen = new WeakMap<object, object>();

  /** The schema of an answer at the newest microversion, with references in place of what has a title. Throws where a title stands for two types. */
  schemaOf(answer: Versioned): object {
    const schema = Array.isArray(answer) ? (answer as readonly { schema: object }[]).at(-1)?.schema : (answer as object);
    return this.#walk(schema) as object;
  }

  /** `components.schemas`, in the order of their names. */
  named(): Readonly<Record<string, object>> {
    return Object.fromEntries([...this.#named].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  #walk(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((each) => this.#walk(each));
    if (value === null || typeof value !== 'object') return value;
    const seen = this.#seen.get(value);
    if (seen) return seen;
    const walked: Json = Object.fromEntries(Object.entries(value).map(([key, each]) => [key, this.#walk(each)]));
    const { title } = walked;
    // a property that is called `title` is an object here
    if (typeof title === 'string') delete walked['title'];
    const result = typeof title === 'string' ? this.#name(title, walked) : walked;
    this.#seen.set(value, result);
    return result;
  }

  #name(title: string, schema: Json): object {
    const text = JSON.stringify(schema);
    const known = this.#texts.get(title);
    if (known !== undefined && known !== text) throw new Error(`two types of answers are called ${title}: give one another title`);
    this.#texts.set(title, text);
    this.#named.set(title, schema);
    return { $ref: `#/components/schemas/${title}` };
  }
}
