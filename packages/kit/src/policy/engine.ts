import type { Context } from '../context/context.ts';
import { CairnError } from '../errors/errors.ts';
import { type Check, compileCheck, credentialsOf } from './check.ts';
import type { Policy, PolicyRule } from './policy.ts';

/**
 * Compiles a service's rules with the operator's overrides (name → check string, as in policy.yaml). A rule that does not parse
 * or refers to a rule that is not there stops the start: an unreadable policy must not run.
 */
export function createPolicy(service: string, defaults: readonly PolicyRule[], overrides: Readonly<Record<string, string>> = {}): Policy {
  const rules = new Map<string, PolicyRule>();
  for (const rule of defaults) {
    if (rules.has(rule.name)) throw new Error(`${service}: policy rule ${rule.name} is declared twice`);
    rules.set(rule.name, rule);
  }
  for (const [name, check] of Object.entries(overrides)) rules.set(name, { ...rules.get(name), name, check });
  const checks = new Map<string, Check>();
  for (const rule of rules.values()) {
    try {
      checks.set(rule.name, compileCheck(rule.check));
    } catch (error) {
      throw new Error(`${service}: policy rule ${rule.name}: ${(error as Error).message}`);
    }
    for (const [, reference] of rule.check.matchAll(/\brule:([^\s()]+)/g)) {
      if (!rules.has(reference as string)) throw new Error(`${service}: policy rule ${rule.name} refers to ${reference}, which does not exist`);
    }
  }
  const scopeOf = (ctx: Context): 'system' | 'domain' | 'project' | undefined =>
    ctx.systemScope ? 'system' : ctx.domainId ? 'domain' : ctx.projectId ? 'project' : undefined;
  const allowed = (name: string, ctx: Context, target: Readonly<Record<string, unknown>>): boolean => {
    const rule = rules.get(name);
    if (!rule) return false;
    const scope = scopeOf(ctx);
    if (rule.scopes && scope && !rule.scopes.includes(scope)) return false;
    const credentials = credentialsOf(ctx);
    const visit = (reference: string, depth: number): boolean => {
      const check = checks.get(reference);
      // a chain this deep is a loop of rules
      if (!check || depth > 32) return false;
      return check(credentials, target, (next) => visit(next, depth + 1));
    };
    return visit(name, 0);
  };
  return {
    rules,
    has: (name) => rules.has(name),
    allowed,
    authorize(name, ctx, target) {
      if (!allowed(name, ctx, target))
        throw new CairnError('Forbidden', `Policy doesn't allow ${name} to be performed.`, {
          type: 'PolicyNotAuthorized',
          detail: { rule: name, roles: ctx.roles },
        });
    },
  };
}
