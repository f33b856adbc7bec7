import { AUTHENTICATED } from '@cairn/kit/http/operation';
import Type, { type TSchema } from 'typebox';
import { defaultQuota, deleteQuota, listQuotas, quotaDetails, showQuota, updateQuota } from '../app/quotas.ts';
import { httpBadRequest } from '../errors.ts';
import { DEFAULT_QUOTAS } from '../options.ts';
import { op } from './op.ts';

const COUNTED = Object.keys(DEFAULT_QUOTAS);
const each = (schema: TSchema, title: string) => Type.Object(Object.fromEntries(COUNTED.map((name) => [name, schema])), { title });
const limits = each(Type.Integer({ description: '-1: no limit' }), 'NetworkQuota');
const details = each(Type.Object({ limit: Type.Integer(), used: Type.Integer(), reserved: Type.Integer() }), 'NetworkQuotaDetails');

const listQuotaSets = op({
  id: 'neutron.quota.list',
  method: 'GET',
  path: '/v2.0/quotas',
  summary: 'List the quotas of projects that have their own',
  policy: AUTHENTICATED,
  asks: 'get_quota',
  answer: Type.Object({ quotas: Type.Array(Type.Intersect([limits, Type.Object({ project_id: Type.String(), tenant_id: Type.String() })])) }),
  handle: async (app, req) => ({ quotas: await listQuotas(app, req.ctx) }),
});

const ownProject = (key: 'project' | 'tenant') =>
  op({
    id: `neutron.quota.show-${key}`,
    method: 'GET',
    path: `/v2.0/quotas/${key}`,
    summary: `Show the ${key} of the token`,
    policy: AUTHENTICATED,
    answer: Type.Object({ [key]: Type.Object({ [`${key}_id`]: Type.String() }) }),
    handle(_app, req) {
      if (req.ctx.projectId === undefined) throw httpBadRequest('Tenant-id was missing from quota request.');
      return { [key]: { [`${key}_id`]: req.ctx.projectId } };
    },
  });

const showQuotaSet = op({
  id: 'neutron.quota.show',
  method: 'GET',
  path: '/v2.0/quotas/{project_id}',
  summary: 'Show the quota of a project',
  policy: AUTHENTICATED,
  asks: 'get_quota',
  answer: Type.Object({ quota: limits }),
  handle: async (app, req) => ({ quota: await showQuota(app, req.ctx, req.params.project_id as string) }),
});

const showDefaults = op({
  id: 'neutron.quota.show-default',
  method: 'GET',
  path: '/v2.0/quotas/{project_id}/default',
  summary: 'Show the default quota',
  policy: AUTHENTICATED,
  asks: 'get_quota',
  answer: Type.Object({ quota: limits }),
  handle: (app, req) => ({ quota: defaultQuota(app, req.ctx, req.params.project_id as string) }),
});

/** Clients ask for it with and without the ending. */
const showDetails = (ending: '' | '.json') =>
  op({
    id: `neutron.quota.show-details${ending.replace('.', '-')}`,
    method: 'GET',
    path: `/v2.0/quotas/{project_id}/details${ending}`,
    summary: 'Show the quota of a project with what is in use',
    policy: AUTHENTICATED,
    answer: Type.Object({ quota: details }),
    handle: async (app, req) => ({ quota: await quotaDetails(app, req.ctx, req.params.project_id as string) }),
  });

const updateQuotaSet = op({
  id: 'neutron.quota.update',
  method: 'PUT',
  path: '/v2.0/quotas/{project_id}',
  summary: 'Change the quota of a project',
  policy: AUTHENTICATED,
  asks: 'update_quota',
  body: Type.Object({ quota: Type.Record(Type.String(), Type.Any()) }),
  validation: 'handler',
  answer: Type.Object({ quota: limits }),
  handle: async (app, req) => ({ quota: await updateQuota(app, req.ctx, req.params.project_id as string, req.body) }),
});

const deleteQuotaSet = op({
  id: 'neutron.quota.delete',
  method: 'DELETE',
  path: '/v2.0/quotas/{project_id}',
  summary: 'Give a project the default quota again',
  policy: AUTHENTICATED,
  asks: 'delete_quota',
  success: 204,
  answer: 'none',
  handle: (app, req) => deleteQuota(app, req.ctx, req.params.project_id as string),
});

export const quotaOperations = [
  listQuotaSets,
  ownProject('project'),
  ownProject('tenant'),
  showQuotaSet,
  showDefaults,
  showDetails(''),
  showDetails('.json'),
  updateQuotaSet,
  deleteQuotaSet,
];
