import type { Context } from '../context/context.ts';

/** One rule with upstream's name, its check in oslo.policy's language, and the scopes that may use it. */
export interface PolicyRule {
  readonly name: string;
  /** oslo.policy check string: `rule:admin_or_owner`, `role:reader and project_id:%(project_id)s`, `@`, `!`. */
  readonly check: string;
  readonly description?: string;
  readonly scopes?: readonly ('project' | 'domain' | 'system')[];
}

/** A service's rules, compiled, with the operator's overrides applied. */
export interface Policy {
  /** Does `ctx` pass `rule` for `target`? An unknown rule denies. */
  allowed(rule: string, ctx: Context, target: Readonly<Record<string, unknown>>): boolean;
  /** Throws Forbidden (upstream's sentence: "Policy doesn't allow X to be performed.") when `allowed` says no. */
  authorize(rule: string, ctx: Context, target: Readonly<Record<string, unknown>>): void;
  /** Does the rule exist? */
  has(rule: string): boolean;
  readonly rules: ReadonlyMap<string, PolicyRule>;
}
