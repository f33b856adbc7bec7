import type { AnyOperation } from '@cairn/kit/http/operation';
import type { PolicyRule } from '@cairn/kit/policy/policy';
import type { PolicyAnswer } from '../app/policy-explanations.ts';
import Type from 'typebox';
import { one } from './answers/envelope.ts';
import { policyExplanation, policyRule } from './answers/policy-explanations.ts';
import { noTarget, op } from './common.ts';
import { bodyOf, id64, object, queryOf, shortText } from './schemas.ts';

interface QuestionBody {
  readonly user: { readonly id: string };
  readonly scope: { readonly project?: { readonly id: string }; readonly domain?: { readonly id: string }; readonly system?: { readonly all: true } };
  readonly service: string;
  readonly rule: string;
  readonly target?: Readonly<Record<string, unknown>>;
}

const byId = object({ id: id64 }, { required: ['id'], closed: true });
const questionBody = bodyOf<QuestionBody>()(
  'policy_explanation',
  {
    user: byId,
    scope: {
      ...object(
        { project: byId, domain: byId, system: object({ all: { const: true } }, { required: ['all'], closed: true }) },
        { closed: true, minProperties: 1 },
      ),
      maxProperties: 1,
    },
    service: shortText,
    rule: shortText,
    // flat, as the services' own targets are; `target.user.id` is one name
    target: { type: 'object', maxProperties: 64, additionalProperties: { type: ['string', 'boolean', 'number', 'null'] } },
  },
  { required: ['user', 'scope', 'service', 'rule'], closed: true },
);

const ruleView = ({ service, name, check, description, scopes }: PolicyRule & { readonly service: string }) => ({
  service,
  rule: name,
  check,
  description: description ?? '',
  scope_types: scopes ?? null,
});

const explanationView = (service: string, { rule, allowed, reason, roles, target, explanation }: PolicyAnswer) => ({
  ...ruleView({ ...rule, service }),
  allowed,
  reason,
  roles,
  target,
  // the first is what a request would pass by
  matching: allowed ? (explanation?.branches.find(({ passes }) => passes)?.check ?? null) : null,
  branches: explanation?.branches ?? [],
});

/** Cairn's own, not upstream's: which rules there are, and why one lets a user do something (docs/policies.md). */
export const policyExplanationOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.policy_rule.list',
    method: 'GET',
    path: '/v3/OS-CAIRN/policy_rules',
    answer: Type.Object({ policy_rules: Type.Array(policyRule) }),
    summary: "List the rules of the cloud's services",
    policy: 'admin_required',
    target: noTarget,
    query: queryOf({ service: shortText }),
    handle: (app, req) => ({ policy_rules: app.policyExplanations.rules(req.query.get('service') ?? undefined).map(ruleView) }),
  }),
  op({
    id: 'keystone.policy_explanation.show',
    method: 'POST',
    path: '/v3/OS-CAIRN/policy_explanations',
    answer: one('policy_explanation', policyExplanation),
    summary: 'Explain whether a user may do what a rule is about, and by which part of it',
    policy: 'admin_required',
    target: noTarget,
    body: questionBody,
    handle: async (app, req) => {
      const { user, scope, service, rule, target } = req.body.policy_explanation;
      const question = { userId: user.id, projectId: scope.project?.id, domainId: scope.domain?.id, system: scope.system && 'all', service, rule, target };
      return { policy_explanation: explanationView(service, await app.policyExplanations.explain(question, req.requestId)) };
    },
  }),
];
