import type { AnyOperation } from '@cairn/kit/http/operation';
import type { ServiceProvider } from '../app/federation/service-providers.ts';
import { many, one } from './answers/envelope.ts';
import { serviceProvider } from './answers/federation.ts';
import { collection, filtersOf, member, noTarget, op, pagingOf, param } from './common.ts';
import { pathId } from './identity-providers.ts';
import { bodyOf, flagValue, queryFlag, queryOf, text, textOrNull, url } from './schemas.ts';

interface SpBody {
  readonly auth_url?: string;
  readonly sp_url?: string;
  readonly description?: string | null;
  readonly enabled?: boolean;
  readonly relay_state_prefix?: string | null;
}

const PATH = 'OS-FEDERATION/service_providers';
// both are answered in headers
const headerUrl = { ...url, format: 'no-control' };
const properties = {
  auth_url: headerUrl,
  sp_url: headerUrl,
  description: textOrNull,
  enabled: flagValue,
  relay_state_prefix: { ...textOrNull, maxLength: 256 },
};
const createBody = bodyOf<SpBody & { readonly auth_url: string; readonly sp_url: string }>()('service_provider', properties, {
  required: ['auth_url', 'sp_url'],
  closed: true,
});
const updateBody = bodyOf<SpBody>()('service_provider', properties, { minProperties: 1, closed: true });

const spView = (sp: ServiceProvider) => ({
  id: sp.id,
  enabled: sp.enabled,
  description: sp.description,
  auth_url: sp.authUrl,
  sp_url: sp.spUrl,
  relay_state_prefix: sp.relayStatePrefix,
});

const changeOf = (body: SpBody) => ({
  ...(body.auth_url !== undefined && { authUrl: body.auth_url }),
  ...(body.sp_url !== undefined && { spUrl: body.sp_url }),
  ...(body.description !== undefined && { description: body.description }),
  ...(body.enabled !== undefined && { enabled: body.enabled }),
  ...(body.relay_state_prefix !== undefined && { relayStatePrefix: body.relay_state_prefix }),
});

/** /v3/OS-FEDERATION/service_providers (keystone/api/os_federation.py). */
export const serviceProviderOperations: readonly AnyOperation[] = [
  op({
    id: 'keystone.service_provider.list',
    method: 'GET',
    path: `/v3/${PATH}`,
    answer: many('service_providers', serviceProvider),
    summary: 'List service providers',
    policy: 'identity:list_service_providers',
    target: noTarget,
    query: queryOf({ id: text, enabled: queryFlag }),
    handle: async (app, req) => {
      const page = pagingOf(req);
      const { providers, hasMore } = await app.serviceProviders.list(filtersOf(req, ['id', 'enabled'], ['enabled']), page);
      return collection(req, 'service_providers', providers.map(spView), { path: PATH, hasMore, ...page });
    },
  }),
  op({
    id: 'keystone.service_provider.show',
    method: 'GET',
    path: `/v3/${PATH}/{service_provider_id}`,
    answer: one('service_provider', serviceProvider),
    summary: 'Show a service provider',
    policy: 'identity:get_service_provider',
    target: noTarget,
    handle: async (app, req) => member(req, 'service_provider', PATH, spView(await app.serviceProviders.get(param(req, 'service_provider_id')))),
  }),
  op({
    id: 'keystone.service_provider.create',
    method: 'PUT',
    path: `/v3/${PATH}/{service_provider_id}`,
    answer: one('service_provider', serviceProvider),
    summary: 'Register a service provider',
    policy: 'identity:create_service_provider',
    target: noTarget,
    success: 201,
    body: createBody,
    handle: async (app, req) => {
      const body = req.body.service_provider;
      const wanted = { ...changeOf(body), authUrl: body.auth_url, spUrl: body.sp_url };
      return member(req, 'service_provider', PATH, spView(await app.serviceProviders.create(pathId(req, 'service_provider_id'), wanted)));
    },
  }),
  op({
    id: 'keystone.service_provider.update',
    method: 'PATCH',
    path: `/v3/${PATH}/{service_provider_id}`,
    answer: one('service_provider', serviceProvider),
    summary: 'Update a service provider',
    policy: 'identity:update_service_provider',
    target: noTarget,
    body: updateBody,
    handle: async (app, req) =>
      member(req, 'service_provider', PATH, spView(await app.serviceProviders.update(param(req, 'service_provider_id'), changeOf(req.body.service_provider)))),
  }),
  op({
    id: 'keystone.service_provider.delete',
    method: 'DELETE',
    path: `/v3/${PATH}/{service_provider_id}`,
    summary: 'Remove a service provider',
    policy: 'identity:delete_service_provider',
    target: noTarget,
    success: 204,
    answer: 'none',
    handle: (app, req) => app.serviceProviders.remove(param(req, 'service_provider_id')),
  }),
];
