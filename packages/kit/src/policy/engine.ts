import type { Context } from '../context/context.ts';
import { CairnError } from '../errors/errors.ts';
import { alternativesOf, type Check, compileCheck, credentialsOf } from './check.ts';
import type { Explanation, Policy, PolicyRule } from './policy.ts';

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
      throw new Error(`${service}: policy rule ${rule.name}: ${(error as Error).message}`, { cause: error });
    }
    for (const [, reference] of rule.check.matchAll(/\brule:([^\s()]+)/g)) {
      if (!rules.has(reference as string)) throw new Error(`${service}: policy rule ${rule.name} refers to ${reference}, which does not exist`);
    }
  }
  const scopeOf = (ctx: Context): 'system' | 'domain' | 'project' | undefined =>
    ctx.systemScope ? 'system' : ctx.domainId ? 'domain' : ctx.projectId ? 'project' : undefined;
  const wrongScope = (rule: PolicyRule, ctx: Context): boolean => {
    const scope = scopeOf(ctx);
    return rule.scopes !== undefined && scope !== undefined && !rule.scopes.includes(scope);
  };
  const allowed = (name: string, ctx: Context, target: Readonly<Record<string, unknown>>): boolean => {
    const rule = rules.get(name);
    if (!rule) return false;
    if (wrongScope(rule, ctx)) return false;
    const credentials = credentialsOf(ctx);
    const visit = (reference: string, depth: number): boolean => {
      const check = checks.get(reference);
      // a chain this deep is a loop of rules
      if (!check || depth > 32) return false;
      return check(credentials, target, (next) => visit(next, depth + 1));
    };
    return visit(name, 0);
  };
  const explain = (name: string, ctx: Context, target: Readonly<Record<string, unknown>>): Explanation | undefined => {
    const first = rules.get(name);
    if (!first) return undefined;
    const credentials = credentialsOf(ctx);
    // `path` holds the rules that led here, so that a loop of rules ends; the scopes of rules that others refer to do not count
    const visit = (rule: PolicyRule, path: readonly string[]): Explanation => {
      const named = (next: string): boolean => {
        const check = checks.get(next);
        return check !== undefined && path.length < 32 && !path.includes(next) && visit(rules.get(next) as PolicyRule, [...path, next]).passes;
      };
      const branches = alternativesOf(rule.check).map((check) => ({
        check,
        passes: compileCheck(check)(credentials, target, named),
        rules: [...check.matchAll(/\brule:([^\s()]+)/g)]
          .map(([, reference]) => rules.get(reference as string))
          .filter((next): next is PolicyRule => next !== undefined && !path.includes(next.name))
          .map((next) => visit(next, [...path, next.name])),
      }));
      return { rule: rule.name, check: rule.check, passes: branches.some(({ passes }) => passes), branches };
    };
    const found = visit(first, [name]);
    return wrongScope(first, ctx) ? { ...found, passes: false, wrongScope: first.scopes ?? [] } : found;
  };
  return {
    explain,
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
