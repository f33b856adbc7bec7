import { readFileSync } from 'node:fs';
import type { Context } from '@cairn/kit/context/context';
import { forbidden } from '@cairn/kit/errors/errors';

export type PropertyAction = 'create' | 'read' | 'update' | 'delete';
const ACTIONS: readonly PropertyAction[] = ['create', 'read', 'update', 'delete'];

export interface PropertyProtectionOptions {
  /** A file in upstream's form: a section for each pattern of property names, with create, read, update and delete. None: nothing is protected. */
  readonly file?: string;
  /** What stands behind each action: role names, or the name of one policy rule (`property_protection_rule_format`). */
  readonly format: 'roles' | 'policies';
}

interface Rule {
  readonly pattern: RegExp;
  readonly allowed: Readonly<Record<PropertyAction, readonly string[]>>;
}

/** Asks a rule of the image service's policy about the caller. */
export type AskPolicy = (rule: string) => boolean;

/** Glance's own marks are not for the operator to protect; they are guarded by their names. */
const OWN: Rule = { pattern: /os_glance/, allowed: { create: ['@'], read: ['@'], update: ['@'], delete: ['@'] } };

/** Which callers may make, see, change and remove which properties of images (glance/common/property_utils.py). */
export class PropertyProtection {
  readonly #rules: readonly Rule[];
  readonly #format: 'roles' | 'policies';

  /** Throws for a file that cannot be read or understood: an unreadable protection must not run. */
  constructor(options: PropertyProtectionOptions) {
    this.#format = options.format;
    this.#rules = options.file === undefined ? [] : [OWN, ...rulesOf(readFileSync(options.file, 'utf8'), options.file, options.format)];
  }

  get active(): boolean {
    return this.#rules.length > 0;
  }

  /** The first rule whose pattern is found in the name decides; without one nobody may. */
  allows(ctx: Context, name: string, action: PropertyAction, ask: AskPolicy): boolean {
    if (!this.active) return true;
    const names = this.#rules.find((rule) => rule.pattern.test(name))?.allowed[action] ?? [];
    if (names.includes('!')) return false;
    if (names.includes('@')) return true;
    if (this.#format === 'policies') return names.some(ask);
    const roles = new Set(ctx.roles.map((role) => role.toLowerCase()));
    return names.some((role) => roles.has(role.toLowerCase()));
  }

  /** Throws upstream's Forbidden where `allows` says no. */
  check(ctx: Context, name: string, action: PropertyAction, ask: AskPolicy): void {
    if (!this.allows(ctx, name, action, ask)) throw forbidden(`Attribute '${name}' is reserved.`, { field: name });
  }

  /** The properties that the caller may read. */
  seen(ctx: Context, properties: Readonly<Record<string, string>>, ask: AskPolicy): Readonly<Record<string, string>> {
    if (!this.active) return properties;
    return Object.fromEntries(Object.entries(properties).filter(([name]) => this.allows(ctx, name, 'read', ask)));
  }
}

/** Reads the file's sections in their order. */
function rulesOf(text: string, file: string, format: 'roles' | 'policies'): Rule[] {
  const problem = (what: string): Error => new Error(`property protection file ${file}: ${what}`);
  const sections: { name: string; values: Map<string, string> }[] = [];
  for (const [at, raw] of text.split('\n').entries()) {
    const line = raw.trim();
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue;
    const section = /^\[(.+)\]$/.exec(line)?.[1];
    if (section !== undefined) {
      sections.push({ name: section, values: new Map() });
      continue;
    }
    const [, key, value] = /^([A-Za-z_]+)\s*[=:]\s*(.*)$/.exec(line) ?? [];
    const current = sections.at(-1);
    if (key === undefined || value === undefined || !current) throw problem(`line ${at + 1} is neither a section nor "action = names".`);
    current.values.set(key.toLowerCase(), value.trim());
  }
  return sections
    .filter(({ name }) => !name.startsWith('os_glance'))
    .map(({ name, values }) => {
      let pattern: RegExp;
      try {
        pattern = new RegExp(name);
      } catch (error) {
        throw problem(`[${name}] is no regular expression: ${(error as Error).message}`);
      }
      const allowed = Object.fromEntries(
        ACTIONS.map((action) => {
          const value = values.get(action);
          if (value === undefined) throw problem(`[${name}] does not say who may ${action}.`);
          const names = value
            .split(',')
            .map((one) => one.trim())
            .filter((one) => one !== '');
          if (format === 'policies' && names.length > 1) throw problem(`[${name}] ${action} names several policies; combine them in the policy file.`);
          if (names.includes('@') && names.includes('!')) throw problem(`[${name}] ${action} says both "@" (everybody) and "!" (nobody).`);
          return [action, names];
        }),
      ) as unknown as Record<PropertyAction, string[]>;
      return { pattern, allowed };
    });
}
