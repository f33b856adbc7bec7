import { isCairnError } from '@cairn/kit/errors/errors';
import type { Explanation, Policy, PolicyRule } from '@cairn/kit/policy/policy';
import { notFoundText } from '../errors.ts';
import type { KeystoneOptions } from '../options.ts';
import type { Authorizations } from './authorization.ts';
import type { createProjects } from './projects.ts';
import type { createUsers } from './users.ts';

/** A question: may this user, within this scope, do what the rule is about to the target? */
export interface PolicyQuestion {
  readonly userId: string;
  /** One of the three. */
  readonly projectId?: string | undefined;
  readonly domainId?: string | undefined;
  readonly system?: string | undefined;
  /** Code name: `nova`. */
  readonly service: string;
  readonly rule: string;
  /** What the rule looks at; the scope's own project and the user when absent. */
  readonly target?: Readonly<Record<string, unknown>> | undefined;
}

export interface PolicyAnswer {
  readonly rule: PolicyRule;
  readonly allowed: boolean;
  /** `passes`: by the first of its branches that does. `fails`: no branch does. `scope`: the rule is not for this scope. `no_role`: the user gets no token for it. */
  readonly reason: 'passes' | 'fails' | 'scope' | 'no_role';
  /** The user's roles in the scope, implied ones included. */
  readonly roles: readonly string[];
  readonly target: Readonly<Record<string, unknown>>;
  /** Absent where the user gets no token for the scope. */
  readonly explanation?: Explanation;
}

interface Parts {
  readonly policies: KeystoneOptions['policiesOfServices'];
  readonly authorizations: Authorizations;
  readonly users: ReturnType<typeof createUsers>;
  readonly projects: ReturnType<typeof createProjects>;
}

/** Says why the rules of the cloud's services let somebody do something, with the operator's files applied. Asks what a request would ask, and does nothing. */
export function createPolicyExplanations({ policies, authorizations, users, projects }: Parts) {
  function policyOf(service: string): Policy {
    const policy = policies().get(service);
    if (policy === undefined) throw notFoundText(`There is no service ${service} with rules; there are ${[...policies().keys()].join(', ')}.`);
    return policy;
  }

  return {
    /** The rules of a service, or of all. */
    rules(service: string | undefined): readonly (PolicyRule & { readonly service: string })[] {
      const of = service === undefined ? [...policies()] : [[service, policyOf(service)] as const];
      return of.flatMap(([name, policy]) => [...policy.rules.values()].map((rule) => ({ ...rule, service: name })));
    },

    /** Throws NotFound for a user, a scope, a service or a rule that there is not. */
    async explain(question: PolicyQuestion, requestId: string): Promise<PolicyAnswer> {
      const policy = policyOf(question.service);
      const rule = policy.rules.get(question.rule);
      if (rule === undefined) throw notFoundText(`${question.service} has no rule ${question.rule}.`);
      const { userId, projectId, domainId, system } = question;
      await users.get(userId);
      if (projectId !== undefined) await projects.get(projectId);
      if (domainId !== undefined) await projects.getDomain(domainId);
      const target = question.target ?? {
        ...(projectId !== undefined && { project_id: projectId }),
        ...(domainId !== undefined && { domain_id: domainId }),
        user_id: userId,
      };
      try {
        const { context } = await authorizations.of({ userId, projectId, domainId, system }).then(({ value }) => value);
        const caller = { ...context, requestId, methods: ['password'], expiresAtMs: Number.MAX_SAFE_INTEGER };
        const explanation = policy.explain(question.rule, caller, target) as Explanation;
        const reason = explanation.passes ? 'passes' : explanation.wrongScope === undefined ? 'fails' : 'scope';
        return { rule, allowed: explanation.passes, reason, roles: context.roles, target, explanation };
      } catch (error) {
        // no role there, or something of it is disabled: whoever asks is not the one who is refused
        if (isCairnError(error) && (error.kind === 'Unauthorized' || error.kind === 'NotFound'))
          return { rule, allowed: false, reason: 'no_role', roles: [], target };
        throw error;
      }
    },
  };
}
