import type { Context } from '../context/context.ts';

/** One rule with upstream's name, its check in oslo.policy's language, and the scopes that may use it. */
export interface PolicyRule {
  readonly name: string;
  /** oslo.policy check string: `rule:admin_or_owner`, `role:reader and project_id:%(project_id)s`, `@`, `!`. */
  readonly check: string;
  readonly description?: string;
  readonly scopes?: readonly ('project' | 'domain' | 'system')[];
}

/** Why a rule lets somebody do something, or does not. */
export interface Explanation {
  readonly rule: string;
  /** As the operator's file has it, or else the default. */
  readonly check: string;
  readonly passes: boolean;
  /** The scopes that may use it, where the caller's own is none of them: then nothing else is looked at. */
  readonly wrongScope?: readonly string[];
  /** The alternatives of the check, with the rules that each refers to. One that passes is enough. */
  readonly branches: readonly { readonly check: string; readonly passes: boolean; readonly rules: readonly Explanation[] }[];
}

/** A service's rules, compiled, with the operator's overrides applied. */
export interface Policy {
  /** Does `ctx` pass `rule` for `target`? An unknown rule denies. */
  allowed(rule: string, ctx: Context, target: Readonly<Record<string, unknown>>): boolean;
  /** Throws Forbidden (upstream's sentence: "Policy doesn't allow X to be performed.") when `allowed` says no. */
  authorize(rule: string, ctx: Context, target: Readonly<Record<string, unknown>>): void;
  /** The same as `allowed`, with the reasons; undefined for a rule that there is not. */
  explain(rule: string, ctx: Context, target: Readonly<Record<string, unknown>>): Explanation | undefined;
  /** Does the rule exist? */
  has(rule: string): boolean;
  readonly rules: ReadonlyMap<string, PolicyRule>;
}
