import type { Answer } from '../api/client.ts';
import { targetOf } from '../identity/grants.ts';
import { propertiesOf } from './properties.ts';

/** One alternative of a check, with the rules that it refers to. */
export interface Branch {
  readonly check: string;
  readonly passes: boolean;
  readonly rules: readonly { readonly rule: string; readonly check: string; readonly passes: boolean; readonly branches: readonly Branch[] }[];
}

/** The answer to the question, with the alternatives in full: they hold each other. */
export type Explanation = Omit<Answer<'keystone.policy_explanation.show'>['policy_explanation'], 'branches'> & { readonly branches: readonly Branch[] };

interface Form {
  readonly user: string;
  /** `project:ID`, `domain:ID` or `system:all`. */
  readonly scope: string;
  /** Service and rule, with a space between. */
  readonly rule: string;
  /** Lines of name=value; nothing is the scope's own. */
  readonly target: string;
}

const VALUES = new Map<string, boolean | null>([
  ['true', true],
  ['false', false],
  ['null', null],
]);
const plainValue = (text: string): string | boolean | null => VALUES.get(text.toLowerCase()) ?? (text === 'null' ? null : text);

/** The body of the question. `True`, `False` and `null` in the target are what they say. */
export function questionOf({ user, scope, rule, target }: Form): object {
  const where = targetOf(scope);
  const space = rule.indexOf(' ');
  const properties = Object.entries(propertiesOf(target) ?? {}).map(([name, value]) => [name, plainValue(value)] as const);
  return {
    policy_explanation: {
      user: { id: user },
      scope: where.kind === 'system' ? { system: { all: true } } : { [where.kind]: { id: where.id } },
      service: rule.slice(0, space),
      rule: rule.slice(space + 1),
      ...(properties.length > 0 && { target: Object.fromEntries(properties) }),
    },
  };
}
