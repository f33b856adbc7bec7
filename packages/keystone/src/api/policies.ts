import type { AnyOperation } from '@cairn/kit/http/operation';
import { extraOf } from '../app/core.ts';
import type { PolicyDocument } from '../app/policies.ts';
import { policyDocument } from './answers/catalog.ts';
import { many, one } from './answers/envelope.ts';
import { collection, filtersOf, member, noTarget, op, param, requireSameId, who } from './common.ts';
import { bodyOf, text } from './schemas.ts';

interface PolicyBody {
  readonly id?: string;
  readonly type?: string;
  readonly blob?: string;
}

const KNOWN = ['id', 'type', 'blob'];
const properties = { blob: text, type: { ...text, maxLength: 255 } };
const createBody = bodyOf<PolicyBody & { readonly type: string; readonly blob: string }>()('policy', properties, {
  required: ['blob', 'type'],
  openRoot: true,
});
const updateBody = bodyOf<PolicyBody>()('policy', properties, { minProperties: 1, openRoot: true });

export const policyView = (policy: PolicyDocument) => ({ ...policy.extra, id: policy.id, type: policy.type, blob: policy.blob });

/** Policy documents; upstream keeps the API for what still uses it. */
export const policyOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.policy.list',
    method: 'GET',
    path: '/v3/policies',
    answer: many('policies', policyDocument),
    summary: 'List policy documents',
    policy: 'identity:list_policies',
    target: noTarget,
    handle: async (app, req) => collection(req, 'policies', (await app.policies.list(filtersOf(req, ['type']))).map(policyView)),
  }),
  op({
    id: 'keystone.policy.create',
    method: 'POST',
    path: '/v3/policies',
    answer: one('policy', policyDocument),
    summary: 'Create a policy document',
    policy: 'identity:create_policy',
    target: noTarget,
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const { type, blob } = req.body.policy;
      return member(
        req,
        'policy',
        'policies',
        policyView(await app.policies.create({ type, blob, extra: extraOf({ ...req.body.policy }, KNOWN, true) }, who(req))),
      );
    },
  }),
  op({
    id: 'keystone.policy.show',
    method: 'GET',
    path: '/v3/policies/{policy_id}',
    answer: one('policy', policyDocument),
    summary: 'Show a policy document',
    policy: 'identity:get_policy',
    target: noTarget,
    handle: async (app, req) => member(req, 'policy', 'policies', policyView(await app.policies.get(param(req, 'policy_id')))),
  }),
  op({
    id: 'keystone.policy.update',
    method: 'PATCH',
    path: '/v3/policies/{policy_id}',
    answer: one('policy', policyDocument),
    summary: 'Update a policy document',
    policy: 'identity:update_policy',
    target: noTarget,
    body: updateBody,
    handle: async (app, req) => {
      const body = req.body.policy;
      requireSameId(req, 'policy_id', body);
      const change = {
        ...(body.type !== undefined && { type: body.type }),
        ...(body.blob !== undefined && { blob: body.blob }),
        extra: extraOf({ ...body }, KNOWN),
      };
      return member(req, 'policy', 'policies', policyView(await app.policies.update(param(req, 'policy_id'), change, who(req))));
    },
  }),
  op({
    id: 'keystone.policy.delete',
    method: 'DELETE',
    path: '/v3/policies/{policy_id}',
    summary: 'Delete a policy document',
    policy: 'identity:delete_policy',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.policies.remove(param(req, 'policy_id'), who(req)),
  }),
];
