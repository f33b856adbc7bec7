import { AUTHENTICATED } from '@cairn/kit/http/operation';
import Type from 'typebox';
import { defaultQuota, deleteQuota, listQuotas, quotaDetails, showQuota, updateQuota } from '../app/quotas.ts';
import { httpBadRequest } from '../errors.ts';
import { op } from './op.ts';

const listQuotaSets = op({
  id: 'neutron.quota.list',
  method: 'GET',
  path: '/v2.0/quotas',
  summary: 'List the quotas of projects that have their own',
  policy: AUTHENTICATED,
  asks: 'get_quota',
  handle: async (app, req) => ({ quotas: await listQuotas(app, req.ctx) }),
});

const ownProject = (key: 'project' | 'tenant') =>
  op({
    id: `neutron.quota.show-${key}`,
    method: 'GET',
    path: `/v2.0/quotas/${key}`,
    summary: `Show the ${key} of the token`,
    policy: AUTHENTICATED,
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
  handle: async (app, req) => ({ quota: await showQuota(app, req.ctx, req.params.project_id as string) }),
});

const showDefaults = op({
  id: 'neutron.quota.show-default',
  method: 'GET',
  path: '/v2.0/quotas/{project_id}/default',
  summary: 'Show the default quota',
  policy: AUTHENTICATED,
  asks: 'get_quota',
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
