import type { AnyOperation, Method } from '@cairn/kit/http/operation';
import type { PolicyTarget } from '../app/endpoint-policies.ts';
import { endpointOfPolicy, policyDocument } from './answers/catalog.ts';
import { many, one } from './answers/envelope.ts';
import { endpointView } from './catalog.ts';
import { type AnyRequest, collection, type KeystoneApp, member, noTarget, op, param } from './common.ts';
import { policyView } from './policies.ts';

/** One kind of association: its path below the policy, its rule's ending, and its target. */
interface Family {
  readonly kind: 'endpoint' | 'service' | 'region_and_service';
  readonly path: string;
  readonly words: string;
  target(req: AnyRequest): PolicyTarget;
}

const FAMILIES: readonly Family[] = [
  { kind: 'endpoint', path: 'endpoints/{endpoint_id}', words: 'an endpoint', target: (req) => ({ endpointId: param(req, 'endpoint_id') }) },
  { kind: 'service', path: 'services/{service_id}', words: 'a service', target: (req) => ({ serviceId: param(req, 'service_id') }) },
  {
    kind: 'region_and_service',
    path: 'services/{service_id}/regions/{region_id}',
    words: 'a service in a region',
    target: (req) => ({ serviceId: param(req, 'service_id'), regionId: param(req, 'region_id') }),
  },
];

function operationsOfFamily(family: Family): AnyOperation[] {
  const verb = (name: 'check' | 'create' | 'delete', method: Method, summary: string, act: (app: KeystoneApp, req: AnyRequest) => Promise<void>) =>
    op({
      id: `keystone.endpoint_policy.${family.kind}.${name}`,
      method,
      path: `/v3/policies/{policy_id}/OS-ENDPOINT-POLICY/${family.path}`,
      summary: `${summary} a policy and ${family.words}`,
      policy: `identity:${name}_policy_association_for_${family.kind}`,
      target: noTarget,
      success: 204,
      answer: 'none',
      handle: act,
    });
  return [
    verb('check', 'GET', 'Check the association of', (app, req) => app.endpointPolicies.check(param(req, 'policy_id'), family.target(req))),
    verb('create', 'PUT', 'Associate', (app, req) => app.endpointPolicies.associate(param(req, 'policy_id'), family.target(req))),
    verb('delete', 'DELETE', 'Dissociate', (app, req) => app.endpointPolicies.dissociate(param(req, 'policy_id'), family.target(req))),
  ];
}

/** OS-ENDPOINT-POLICY: which policy document holds for which endpoint. */
export const endpointPolicyOperations: readonly AnyOperation[] = [
  ...FAMILIES.flatMap(operationsOfFamily),
  op({
    id: 'keystone.endpoint_policy.endpoints',
    method: 'GET',
    path: '/v3/policies/{policy_id}/OS-ENDPOINT-POLICY/endpoints',
    answer: many('endpoints', endpointOfPolicy),
    summary: 'List the endpoints that a policy holds for',
    policy: 'identity:list_endpoints_for_policy',
    target: noTarget,
    handle: async (app, req) => {
      const views = (await app.endpointPolicies.endpointsOf(param(req, 'policy_id'))).map(endpointView);
      // this list of upstream alone has no `region` beside `region_id`
      return collection(
        req,
        'endpoints',
        views.map(({ region: _region, ...view }) => view),
      );
    },
  }),
  op({
    id: 'keystone.endpoint_policy.show',
    method: 'GET',
    path: '/v3/endpoints/{endpoint_id}/OS-ENDPOINT-POLICY/policy',
    answer: one('policy', policyDocument),
    summary: 'Show the policy that holds for an endpoint',
    policy: 'identity:get_policy_for_endpoint',
    target: noTarget,
    handle: async (app, req) => member(req, 'policy', 'endpoints', policyView(await app.endpointPolicies.policyFor(param(req, 'endpoint_id')))),
  }),
];
