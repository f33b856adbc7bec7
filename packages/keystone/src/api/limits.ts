import type { AnyOperation } from '@cairn/kit/http/operation';
import { Type } from 'typebox';
import type { Limit, RegisteredLimit } from '../app/limits.ts';
import type { LimitQuery } from '../store/limits.ts';
import { many, one } from './answers/envelope.ts';
import { limit, registeredLimit } from './answers/limits.ts';
import { type AnyRequest, collection, type KeystoneApp, member, noTarget, op, param, targetOf, withSelf } from './common.ts';
import { bodyOf, description255, id64OrNull, object, queryOf, regionId, type Schema, shortText, text } from './schemas.ts';

interface RegisteredBody {
  readonly service_id: string;
  readonly region_id?: string | null;
  readonly resource_name: string;
  readonly default_limit: number;
  readonly description?: string | null;
}
interface LimitBody {
  readonly project_id?: string | null;
  readonly domain_id?: string | null;
  readonly service_id: string;
  readonly region_id?: string | null;
  readonly resource_name: string;
  readonly resource_limit: number;
  readonly description?: string | null;
}

const amount: Schema = { type: 'integer', minimum: -1, maximum: 2147483647 };
const serviceId: Schema = { type: 'string', format: 'uuid' };
const registeredProperties = { service_id: serviceId, region_id: regionId, resource_name: shortText, default_limit: amount, description: description255 };
const listOf = <T>(name: string, item: Schema) =>
  Type.Unsafe<Readonly<Record<string, readonly T[]>>>(object({ [name]: { type: 'array', items: item, minItems: 1 } }, { required: [name], closed: true }));

const newRegistered = listOf<RegisteredBody>(
  'registered_limits',
  object(registeredProperties, { required: ['service_id', 'resource_name', 'default_limit'], closed: true }),
);
const changedRegistered = bodyOf<Partial<RegisteredBody>>()('registered_limit', registeredProperties, { closed: true });
const required = ['service_id', 'resource_name', 'resource_limit'];
const newLimits = listOf<LimitBody>('limits', {
  ...object(
    {
      project_id: id64OrNull,
      domain_id: id64OrNull,
      service_id: serviceId,
      region_id: regionId,
      resource_name: shortText,
      resource_limit: amount,
      description: description255,
    },
    { required, closed: true },
  ),
  oneOf: [{ required: ['domain_id'] }, { required: ['project_id'] }],
});
const changedLimit = bodyOf<{ readonly resource_limit?: number; readonly description?: string | null }>()(
  'limit',
  { resource_limit: amount, description: description255 },
  { closed: true },
);
const registeredQuery = queryOf({ service_id: serviceId, region_id: text, resource_name: shortText });
const limitQuery = queryOf({ service_id: serviceId, region_id: text, resource_name: shortText, project_id: text, domain_id: text });

const registeredView = (limit: RegisteredLimit) => ({
  id: limit.id,
  service_id: limit.serviceId,
  region_id: limit.regionId,
  resource_name: limit.resourceName,
  default_limit: limit.defaultLimit,
  description: limit.description,
});
export const limitView = (limit: Limit) => ({
  id: limit.id,
  project_id: limit.projectId,
  domain_id: limit.domainId,
  service_id: limit.serviceId,
  region_id: limit.regionId,
  resource_name: limit.resourceName,
  resource_limit: limit.resourceLimit,
  description: limit.description,
});

function queryFor(req: AnyRequest): LimitQuery {
  const query: Record<string, string> = {};
  for (const [name, key] of [
    ['service_id', 'serviceId'],
    ['region_id', 'regionId'],
    ['resource_name', 'resourceName'],
    ['project_id', 'projectId'],
    ['domain_id', 'domainId'],
  ] as const) {
    const value = req.query.get(name);
    if (value !== null) query[key] = value;
  }
  return query;
}

const registered: readonly AnyOperation[] = [
  op({
    id: 'keystone.registered_limit.list',
    method: 'GET',
    path: '/v3/registered_limits',
    answer: many('registered_limits', registeredLimit),
    summary: 'List registered limits',
    policy: 'identity:list_registered_limits',
    target: noTarget,
    query: registeredQuery,
    handle: async (app, req) => {
      const { projectId: _project, domainId: _domain, ...query } = queryFor(req);
      return collection(req, 'registered_limits', (await app.limits.listRegistered(query)).map(registeredView));
    },
  }),
  op({
    id: 'keystone.registered_limit.create',
    method: 'POST',
    path: '/v3/registered_limits',
    answer: Type.Object({ registered_limits: Type.Array(registeredLimit) }),
    summary: 'Create registered limits',
    policy: 'identity:create_registered_limits',
    target: noTarget,
    success: 201,
    body: newRegistered,
    handle: async (app, req) => {
      const limits = (req.body.registered_limits ?? []).map((limit) => ({
        serviceId: limit.service_id,
        regionId: limit.region_id ?? null,
        resourceName: limit.resource_name,
        defaultLimit: limit.default_limit,
        description: limit.description ?? null,
      }));
      return { registered_limits: (await app.limits.register(limits)).map((limit) => withSelf(req, 'registered_limits', registeredView(limit))) };
    },
  }),
  op({
    id: 'keystone.registered_limit.show',
    method: 'GET',
    path: '/v3/registered_limits/{registered_limit_id}',
    answer: one('registered_limit', registeredLimit),
    summary: 'Show a registered limit',
    policy: 'identity:get_registered_limit',
    target: noTarget,
    handle: async (app, req) =>
      member(req, 'registered_limit', 'registered_limits', registeredView(await app.limits.getRegistered(param(req, 'registered_limit_id')))),
  }),
  op({
    id: 'keystone.registered_limit.update',
    method: 'PATCH',
    path: '/v3/registered_limits/{registered_limit_id}',
    answer: one('registered_limit', registeredLimit),
    summary: 'Update a registered limit',
    policy: 'identity:update_registered_limit',
    target: noTarget,
    body: changedRegistered,
    handle: async (app, req) => {
      const body = req.body.registered_limit;
      const change = {
        ...(body.service_id !== undefined && { serviceId: body.service_id }),
        ...(body.region_id !== undefined && { regionId: body.region_id }),
        ...(body.resource_name !== undefined && { resourceName: body.resource_name }),
        ...(body.default_limit !== undefined && { defaultLimit: body.default_limit }),
        ...(body.description !== undefined && { description: body.description }),
      };
      return member(req, 'registered_limit', 'registered_limits', registeredView(await app.limits.updateRegistered(param(req, 'registered_limit_id'), change)));
    },
  }),
  op({
    id: 'keystone.registered_limit.delete',
    method: 'DELETE',
    path: '/v3/registered_limits/{registered_limit_id}',
    summary: 'Delete a registered limit',
    policy: 'identity:delete_registered_limit',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.limits.removeRegistered(param(req, 'registered_limit_id')),
  }),
];

/** The limit of the path, with its project or domain. */
async function limitTarget(app: KeystoneApp, req: AnyRequest): Promise<Readonly<Record<string, unknown>>> {
  const limit = await app.limits.get(param(req, 'limit_id')).catch(() => undefined);
  if (!limit) return targetOf(req, {});
  const owner = await app.projects.find(limit.projectId ?? limit.domainId ?? '');
  const place = owner && (limit.projectId ? { project: { id: owner.id, domain_id: owner.domainId } } : { domain: { id: owner.id } });
  return targetOf(req, { limit: { ...limitView(limit), ...place } });
}

/** What of the limits a caller may see: all for admins, services and the system; else those of the own scope. */
async function visible(app: KeystoneApp, req: AnyRequest): Promise<Limit[]> {
  const query = queryFor(req);
  const { systemScope, roles, domainId, projectId } = req.ctx;
  if (systemScope || roles.includes('admin') || roles.includes('service')) return await app.limits.list(query);
  if (domainId !== undefined) {
    const limits = await app.limits.list(query);
    const inside: Limit[] = [];
    for (const limit of limits) {
      const owner = limit.projectId ? (await app.projects.find(limit.projectId))?.domainId : limit.domainId;
      if (owner === domainId) inside.push(limit);
    }
    return inside;
  }
  if (projectId === undefined || (query.projectId !== undefined && query.projectId !== projectId)) return [];
  return await app.limits.list({ ...query, projectId });
}

const limits: readonly AnyOperation[] = [
  op({
    id: 'keystone.limit.model',
    method: 'GET',
    path: '/v3/limits/model',
    answer: Type.Object({ model: Type.Object({ name: Type.String(), description: Type.String() }) }),
    summary: 'Show how limits are enforced',
    policy: 'identity:get_limit_model',
    target: noTarget,
    handle: (app) => ({ model: app.limits.model }),
  }),
  op({
    id: 'keystone.limit.list',
    method: 'GET',
    path: '/v3/limits',
    answer: many('limits', limit),
    summary: 'List limits',
    policy: 'identity:list_limits',
    target: noTarget,
    query: limitQuery,
    handle: async (app, req) => collection(req, 'limits', (await visible(app, req)).map(limitView)),
  }),
  op({
    id: 'keystone.limit.create',
    method: 'POST',
    path: '/v3/limits',
    answer: Type.Object({ limits: Type.Array(limit) }),
    summary: 'Create limits',
    policy: 'identity:create_limits',
    target: noTarget,
    success: 201,
    body: newLimits,
    handle: async (app, req) => {
      const made = await app.limits.create(
        (req.body.limits ?? []).map((limit) => ({
          projectId: limit.project_id ?? null,
          domainId: limit.domain_id ?? null,
          serviceId: limit.service_id,
          regionId: limit.region_id ?? null,
          resourceName: limit.resource_name,
          resourceLimit: limit.resource_limit,
          description: limit.description ?? null,
        })),
      );
      return { limits: made.map((limit) => withSelf(req, 'limits', limitView(limit))) };
    },
  }),
  op({
    id: 'keystone.limit.show',
    method: 'GET',
    path: '/v3/limits/{limit_id}',
    answer: one('limit', limit),
    summary: 'Show a limit',
    policy: 'identity:get_limit',
    target: limitTarget,
    handle: async (app, req) => member(req, 'limit', 'limits', limitView(await app.limits.get(param(req, 'limit_id')))),
  }),
  op({
    id: 'keystone.limit.update',
    method: 'PATCH',
    path: '/v3/limits/{limit_id}',
    answer: one('limit', limit),
    summary: 'Update a limit',
    policy: 'identity:update_limit',
    target: noTarget,
    body: changedLimit,
    handle: async (app, req) => {
      const { resource_limit: resourceLimit, description } = req.body.limit;
      const change = { ...(resourceLimit !== undefined && { resourceLimit }), ...(description !== undefined && { description }) };
      return member(req, 'limit', 'limits', limitView(await app.limits.update(param(req, 'limit_id'), change)));
    },
  }),
  op({
    id: 'keystone.limit.delete',
    method: 'DELETE',
    path: '/v3/limits/{limit_id}',
    summary: 'Delete a limit',
    policy: 'identity:delete_limit',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.limits.remove(param(req, 'limit_id')),
  }),
];

/** Unified limits. */
export const limitOperations: readonly AnyOperation[] = [...registered, ...limits];
