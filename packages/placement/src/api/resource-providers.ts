import { Reply, type Request } from '@cairn/kit/http/operation';
import { bad, noClass, noTraits } from '../app/errors.ts';
import type { ListFilters } from '../app/providers.ts';
import type { ProviderRow } from '../store/tables.ts';
import { providersAnswer, resourceProvider } from './answers/providers.ts';
import { bodyOf, cacheHeaders, checkQuery, lastOf, latest, mountOf, op, param } from './op.ts';
import { memberships, parseResources, requiredTraits, treeMember } from './query.ts';
import { CREATE_PROVIDER, LIST_PROVIDERS, UPDATE_PROVIDER } from './schemas.ts';

const LINKS = [
  ['inventories', '1.0'],
  ['usages', '1.0'],
  ['aggregates', '1.1'],
  ['traits', '1.6'],
  ['allocations', '1.11'],
] as const;

/** A provider as its microversion shows it: links by version, places in the tree from 1.14 on. */
function view(request: Request, row: ProviderRow): object {
  const self = `${mountOf(request)}/resource_providers/${row.id}`;
  return {
    uuid: row.id,
    name: row.name,
    generation: row.generation,
    links: [{ rel: 'self', href: self }, ...LINKS.filter(([, since]) => request.version.atLeast(since)).map(([rel]) => ({ rel, href: `${self}/${rel}` }))],
    ...(request.version.atLeast('1.14') && { parent_provider_uuid: row.parent_id, root_provider_uuid: row.root_id }),
  };
}

function filtersOf(request: Request): ListFilters {
  const { query, version } = request;
  const [name, id, resources] = [lastOf(query, 'name'), lastOf(query, 'uuid'), lastOf(query, 'resources')];
  const { memberOf, forbiddenAggregates } = memberships(query, version);
  const { required, forbidden } = requiredTraits(query, version);
  const inTree = treeMember(query);
  return {
    // an empty name or uuid filters nothing, as upstream
    ...(name && { name }),
    ...(id && { id }),
    ...(inTree && { inTree }),
    memberOf,
    forbiddenAggregates,
    requiredTraits: required,
    forbiddenTraits: forbidden,
    ...(resources !== undefined && { resources: parseResources(resources) }),
  };
}

export const resourceProviderOperations = [
  op({
    id: 'placement.resource_provider.list',
    method: 'GET',
    path: '/resource_providers',
    answer: providersAnswer,
    summary: 'List resource providers',
    policy: 'placement:resource_providers:list',
    query: LIST_PROVIDERS,
    validation: 'handler',
    input: 'none',
    async handle(app, request) {
      checkQuery(request, LIST_PROVIDERS);
      const filters = filtersOf(request);
      await app.traits.check([...(filters.requiredTraits ?? []).flat(), ...(filters.forbiddenTraits ?? [])], (unknown) =>
        bad(`Invalid trait(s) in "required" parameter: ${noTraits(unknown)}`),
      );
      const [unknown] = await app.resourceClasses.unknown(Object.keys(filters.resources ?? {}));
      if (unknown) throw bad(`Invalid resource class in resources parameter: ${noClass(unknown)}`);
      const rows = await app.providers.list(filters);
      const modified = latest(
        rows.map((row) => row.updated_at_ms),
        app.env.clock.nowMs(),
      );
      return new Reply({ resource_providers: rows.map((row) => view(request, row)) }, { headers: cacheHeaders(request, modified) });
    },
  }),
  op({
    id: 'placement.resource_provider.create',
    method: 'POST',
    path: '/resource_providers',
    answer: resourceProvider,
    summary: 'Create a resource provider',
    policy: 'placement:resource_providers:create',
    body: CREATE_PROVIDER,
    validation: 'handler',
    async handle(app, request) {
      const body = bodyOf<{ name: string; uuid?: string; parent_provider_uuid?: string | null }>(request, CREATE_PROVIDER);
      const row = await app.providers.create({ name: body.name, ...(body.uuid && { id: body.uuid }), parentId: body.parent_provider_uuid ?? null });
      const location = `${request.baseUrl}/resource_providers/${row.id}`;
      if (request.version.before('1.20')) return new Reply(undefined, { status: 201, headers: { location } });
      return new Reply(view(request, row), { headers: { location, ...cacheHeaders(request, row.updated_at_ms) } });
    },
  }),
  op({
    id: 'placement.resource_provider.show',
    method: 'GET',
    path: '/resource_providers/{uuid}',
    answer: resourceProvider,
    summary: 'Show a resource provider',
    policy: 'placement:resource_providers:show',
    input: 'none',
    async handle(app, request) {
      const row = await app.providers.get(param(request, 'uuid'));
      return new Reply(view(request, row), { headers: cacheHeaders(request, row.updated_at_ms) });
    },
  }),
  op({
    id: 'placement.resource_provider.update',
    method: 'PUT',
    path: '/resource_providers/{uuid}',
    answer: resourceProvider,
    summary: 'Rename a resource provider, or give it another parent',
    policy: 'placement:resource_providers:update',
    body: UPDATE_PROVIDER,
    validation: 'handler',
    async handle(app, request) {
      const id = param(request, 'uuid');
      await app.providers.get(id);
      const body = bodyOf<{ name: string; parent_provider_uuid?: string | null }>(request, UPDATE_PROVIDER);
      const row = await app.providers.update(id, {
        name: body.name,
        ...('parent_provider_uuid' in body && { parentId: body.parent_provider_uuid ?? null }),
        mayMove: request.version.atLeast('1.37'),
      });
      return new Reply(view(request, row), { headers: cacheHeaders(request, row.updated_at_ms) });
    },
  }),
  op({
    id: 'placement.resource_provider.delete',
    method: 'DELETE',
    path: '/resource_providers/{uuid}',
    summary: 'Delete a resource provider',
    policy: 'placement:resource_providers:delete',
    success: 204,
    answer: 'none',
    input: 'none',
    handle: (app, request) => app.providers.remove(param(request, 'uuid')),
  }),
];
