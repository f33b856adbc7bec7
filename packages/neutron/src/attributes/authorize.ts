import type { Context } from '@cairn/kit/context/context';
import type { Policy } from '@cairn/kit/policy/policy';
import { policyNotAuthorized } from '../errors.ts';
import { NOT_SPECIFIED } from './attribute.ts';
import type { Resource, Values } from './resource.ts';

export type PolicyTarget = Readonly<Record<string, unknown>>;

/** The rules that an action on a resource asks, with upstream's text of their conjunction. */
interface Asked {
  readonly rules: readonly string[];
  readonly text: string;
}

/** Asks a rule; one that nobody defined is the rule `default`, as oslo.policy does. */
const passes = (policy: Policy, rule: string, ctx: Context, target: PolicyTarget): boolean => policy.allowed(policy.has(rule) ? rule : 'default', ctx, target);

/**
 * Creating asks `create_network` and, for each attribute that differs from its default, `create_network:<attribute>`;
 * updating asks for each attribute given (neutron/policy.py _build_match_rule). Throws PolicyNotAuthorized with upstream's text.
 */
export function authorizeChange(policy: Policy, ctx: Context, resource: Resource, action: 'create' | 'update', values: Values, target: PolicyTarget): void {
  const asked = rulesOf(resource, action, values);
  for (const rule of asked.rules) if (!passes(policy, rule, ctx, target)) throw policyNotAuthorized(asked.text);
}

/** Asks one rule, e.g. `delete_network`, `add_router_interface`. */
export function authorizeAction(policy: Policy, ctx: Context, rule: string, target: PolicyTarget): void {
  if (!passes(policy, rule, ctx, target)) throw policyNotAuthorized(`rule:${rule}`);
}

export const allows = passes;

function rulesOf(resource: Resource, action: 'create' | 'update', values: Values): Asked {
  const base = `${action}_${resource.ruleName}`;
  const rules = [base];
  let text = `rule:${base}`;
  for (const [name, attribute] of resource.enforced) {
    if (!Object.hasOwn(values, name)) continue;
    const value = values[name];
    if (value === NOT_SPECIFIED) continue;
    if (action === 'create' && 'default' in attribute && sameValue(value, attribute.default)) continue;
    const rule = `${base}:${name}`;
    let ruleText = `rule:${rule}`;
    rules.push(rule);
    const keys =
      attribute.subKeys && value !== null && typeof value === 'object'
        ? attribute.subKeys.filter((key) => Object.hasOwn(value, key))
        : attribute.subRulesOfItems
          ? keysOfItems(value)
          : [];
    if (keys.length > 0) {
      const subRules = keys.map((key) => `${rule}:${key}`);
      rules.push(...subRules);
      ruleText = `(${ruleText} and (${subRules.map((sub) => `rule:${sub}`).join(' and ')}))`;
    }
    text = `(${text} and ${ruleText})`;
  }
  return { rules, text };
}

const keysOfItems = (value: unknown): string[] =>
  Array.isArray(value) ? value.flatMap((item) => (item !== null && typeof item === 'object' ? Object.keys(item) : [])) : [];

const sameValue = (a: unknown, b: unknown): boolean => a === b || (typeof a === 'object' && typeof b === 'object' && JSON.stringify(a) === JSON.stringify(b));

/**
 * Attributes that the caller may not see: those whose `get_<resource>:<attribute>` rule refuses. Asked once per answer, with its
 * first resource, as upstream does.
 */
export class Visibility {
  readonly #resource: Resource;
  readonly #policy: Policy;
  readonly #ruled: readonly (readonly [attribute: string, rule: string])[];
  /** Attributes that views carry for policy alone. */
  readonly #never: readonly string[];
  readonly #show: string;

  constructor(resource: Resource, policy: Policy) {
    this.#resource = resource;
    this.#policy = policy;
    this.#show = `get_${resource.ruleName}`;
    this.#never = resource.list.filter(([, attribute]) => attribute.visible === false && attribute.requiredByPolicy).map(([name]) => name);
    this.#ruled = [...resource.visible].map((name) => [name, `${this.#show}:${name}`] as const).filter(([, rule]) => policy.has(rule));
  }

  /** May the caller see the resource at all? */
  shown(ctx: Context, target: PolicyTarget): boolean {
    return passes(this.#policy, this.#show, ctx, target);
  }

  /** The attributes to leave out; undefined for none. */
  hidden(ctx: Context, target: PolicyTarget): ReadonlySet<string> | undefined {
    let hidden: Set<string> | undefined = this.#never.length > 0 ? new Set(this.#never) : undefined;
    for (const [name, rule] of this.#ruled) {
      if (this.#policy.allowed(rule, ctx, target)) continue;
      hidden ??= new Set();
      hidden.add(name);
    }
    return hidden;
  }

  /** Takes out of a view, which is the caller's own, what is hidden or was not asked for. */
  trim(view: Record<string, unknown>, hidden: ReadonlySet<string> | undefined, fields: readonly string[] | undefined): object {
    // what is undefined is left out of JSON; copying all else would cost more than the rest of a page
    if (hidden) for (const name of hidden) if (view[name] !== undefined) view[name] = undefined;
    if (!fields) return view;
    const trimmed: Record<string, unknown> = {};
    for (const name of fields) if (this.#resource.visible.has(name) && view[name] !== undefined) trimmed[name] = view[name];
    return trimmed;
  }
}

const visibilities = new WeakMap<Policy, Map<Resource, Visibility>>();

/** The one Visibility of a resource under a policy. */
export function visibilityOf(policy: Policy, resource: Resource): Visibility {
  let known = visibilities.get(policy);
  if (!known) visibilities.set(policy, (known = new Map()));
  let found = known.get(resource);
  if (!found) known.set(resource, (found = new Visibility(resource, policy)));
  return found;
}
