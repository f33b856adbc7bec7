import { fits, type Service } from './schema-probes.ts';
import type { Schema } from './upstream.ts';

const isObject = (value: unknown): value is Schema => value !== null && typeof value === 'object' && !Array.isArray(value);
const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'list' : typeof value);

/** What a schema of an answer says and an answer has: the names that were there, and where the two differ. */
export class AnswerReview {
  readonly #service: Service;
  /** Paths that some answer had. */
  readonly #seen = new Set<string>();
  /** Paths that the schema knows where some answer could have had them. */
  readonly #known = new Set<string>();

  constructor(service: Service) {
    this.#service = service;
  }

  /** Where an answer departs from its schema. */
  differences(schema: Schema, value: unknown, at = ''): readonly string[] {
    const choices = (schema['oneOf'] ?? schema['anyOf']) as readonly Schema[] | undefined;
    if (choices !== undefined && !choices.every((one) => one['type'] === undefined && one['properties'] === undefined)) {
      const chosen = choices.find((one) => fits(this.#service, one, value)) ?? choices.find((one) => one['type'] === 'object' && isObject(value));
      return chosen === undefined ? [`${at}: ${JSON.stringify(value)?.slice(0, 60)} is none of upstream's choices`] : this.differences(chosen, value, at);
    }
    const { properties, patternProperties, additionalProperties, required, items, prefixItems } = schema as {
      properties?: Record<string, Schema>;
      patternProperties?: Record<string, Schema>;
      additionalProperties?: unknown;
      required?: readonly string[];
      items?: Schema;
      prefixItems?: readonly Schema[];
    };
    // the description has lost their order
    if (Array.isArray(value) && prefixItems !== undefined)
      return value.length === prefixItems.length && value.every((one) => prefixItems.some((item) => fits(this.#service, item, one)))
        ? []
        : [`${at}: ${JSON.stringify(value)?.slice(0, 200)} is not what upstream has`];
    if (isObject(value) && (properties !== undefined || patternProperties !== undefined || required !== undefined)) {
      for (const name of Object.keys(properties ?? {})) this.#known.add(`${at}.${name}`);
      const found: string[] = (required ?? []).filter((name) => !Object.hasOwn(value, name)).map((name) => `${at}.${name}: missing here`);
      for (const [name, inner] of Object.entries(value)) {
        const own = properties?.[name];
        const [, pattern] = own === undefined ? (Object.entries(patternProperties ?? {}).find(([one]) => new RegExp(one).test(name)) ?? []) : [];
        if (own !== undefined) {
          this.#seen.add(`${at}.${name}`);
          found.push(...this.differences(own, inner, `${at}.${name}`));
        } else if (pattern !== undefined) found.push(...this.differences(pattern, inner, `${at}.*`));
        else if (additionalProperties === false || additionalProperties === undefined) found.push(`${at}.${name}: here alone`);
      }
      return found;
    }
    if (Array.isArray(value) && items !== undefined) return [...new Set(value.flatMap((one) => this.differences(items, one, `${at}[]`)))];
    return fits(this.#service, schema, value)
      ? []
      : [`${at}: ${typeOf(value)} ${JSON.stringify(value)?.slice(0, 60)} does not fit ${JSON.stringify(schema).slice(0, 160)}`];
  }

  /** Names that upstream's schema has, and no answer had. */
  unseen(): readonly string[] {
    return [...this.#known].filter((path) => !this.#seen.has(path)).map((path) => `${path}: never seen here`);
  }
}
