import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

/** Rule → check string, by service. */
export type PolicyOverrides = Readonly<Record<string, Readonly<Record<string, string>>>>;

/**
 * An operator's rules: `glance.yaml`, `nova.yaml` ... in one directory, each as upstream's policy.yaml: rule → check string. What is there
 * takes the place of the default. A file that cannot be understood stops the start: an unreadable policy must not run.
 */
export function readPolicies(directory: string, services: readonly string[]): PolicyOverrides {
  if (!existsSync(directory)) return {};
  const overrides: Record<string, Record<string, string>> = {};
  for (const name of readdirSync(directory).sort()) {
    const [, service = ''] = /^(.+)\.ya?ml$/.exec(name) ?? [];
    const file = join(directory, name);
    if (!services.includes(service)) throw new Error(`${file}: policy files are called after their service, as ${services.join('.yaml, ')}.yaml`);
    if (overrides[service]) throw new Error(`${file}: ${service} has two policy files`);
    overrides[service] = rulesOf(file);
  }
  return overrides;
}

function rulesOf(file: string): Record<string, string> {
  let rules: unknown;
  try {
    rules = parse(readFileSync(file, 'utf8')) ?? {};
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`, { cause: error });
  }
  if (typeof rules !== 'object' || Array.isArray(rules))
    throw new Error(`${file}: a rule and its check string are expected on each line, as "rule": "role:admin"`);
  for (const [rule, check] of Object.entries(rules as object)) {
    if (typeof check !== 'string') throw new Error(`${file}: the check of ${rule} must be a string, as "role:admin"`);
  }
  return rules as Record<string, string>;
}

/** Refuses overrides of rules that nobody asks: most often a rule's name is misspelt, and its default would go on. */
export function checkNames(overrides: PolicyOverrides, service: { readonly name: string; readonly policies: readonly { readonly name: string }[] }): void {
  const own = overrides[service.name] ?? {};
  const known = new Set(service.policies.map((rule) => rule.name));
  const words = Object.values(own).join(' ');
  for (const rule of Object.keys(own)) {
    if (!known.has(rule) && !new RegExp(`\\brule:${RegExp.escape(rule)}(?![^\\s()])`).test(words))
      throw new Error(`the policy file of ${service.name} has a rule ${rule}, which ${service.name} does not ask and no other rule names`);
  }
}
