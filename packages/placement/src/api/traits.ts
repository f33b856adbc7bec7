import { Reply, type Request } from '@cairn/kit/http/operation';
import type { PlacementApp } from '../app/app.ts';
import { bad } from '../app/errors.ts';
import type { Trait, TraitFilters } from '../app/traits.ts';
import { providerTraitsAnswer, traitsAnswer } from './answers/providers.ts';
import { bodyOf, cacheHeaders, checkQuery, lastOf, latest, op, param } from './op.ts';
import { LIST_TRAITS, NAME_PATTERN, SET_TRAITS } from './schemas.ts';

const OF_PROVIDER = '/resource_providers/{uuid}/traits' as const;

const CUSTOM = new RegExp(NAME_PATTERN);

function filtersOf(request: Request): TraitFilters {
  const [name, associated] = [lastOf(request.query, 'name'), lastOf(request.query, 'associated')];
  const filters: { names?: string[]; prefix?: string; associated?: boolean } = {};
  if (name !== undefined) {
    const colon = name.indexOf(':');
    if (colon < 0)
      throw bad(`Badly formatted name parameter. Expected name query string parameter in form: ?name=[in|startswith]:[name1,name2|prefix]. Got: "${name}"`);
    const [operator, value] = [name.slice(0, colon), name.slice(colon + 1)];
    if (operator === 'in') filters.names = value.split(',');
    if (operator === 'startswith') filters.prefix = value;
  }
  if (associated !== undefined) {
    if (!/^(true|false)$/i.test(associated)) throw bad('The query parameter "associated" only accepts "true" or "false"');
    filters.associated = associated.toLowerCase() === 'true';
  }
  return filters;
}

function view(app: PlacementApp, request: Request, traits: readonly Trait[], generation?: number): Reply {
  const modified = latest(
    traits.map((trait) => trait.createdAtMs),
    app.env.clock.nowMs(),
  );
  return new Reply(
    { traits: traits.map((trait) => trait.name), ...(generation !== undefined && { resource_provider_generation: generation }) },
    { headers: cacheHeaders(request, modified) },
  );
}

export const traitOperations = [
  op({
    id: 'placement.trait.list',
    method: 'GET',
    path: '/traits',
    answer: traitsAnswer,
    summary: 'List traits',
    policy: 'placement:traits:list',
    since: '1.6',
    query: LIST_TRAITS,
    validation: 'handler',
    input: 'none',
    async handle(app, request) {
      checkQuery(request, LIST_TRAITS);
      return view(app, request, await app.traits.list(filtersOf(request)));
    },
  }),
  op({
    id: 'placement.trait.show',
    method: 'GET',
    path: '/traits/{name}',
    summary: 'Show whether a trait exists',
    policy: 'placement:traits:show',
    since: '1.6',
    success: 204,
    answer: 'none',
    input: 'none',
    async handle(app, request) {
      const trait = await app.traits.get(param(request, 'name'));
      return new Reply(undefined, { headers: cacheHeaders(request, trait.createdAtMs) });
    },
  }),
  op({
    id: 'placement.trait.create',
    method: 'PUT',
    path: '/traits/{name}',
    answer: 'none',
    summary: 'Make a custom trait known',
    policy: 'placement:traits:update',
    since: '1.6',
    success: 201,
    input: 'none',
    async handle(app, request) {
      const name = param(request, 'name');
      if (name.length > 255 || !CUSTOM.test(name))
        throw bad(
          'The trait is invalid. A valid trait must be no longer than 255 characters, start with the prefix "CUSTOM_" and use following characters: "A"-"Z", "0"-"9" and "_"',
        );
      const { trait, created } = await app.traits.ensure(name);
      return new Reply(undefined, {
        status: created ? 201 : 204,
        headers: { location: `${request.baseUrl}/traits/${name}`, ...cacheHeaders(request, trait.createdAtMs) },
      });
    },
  }),
  op({
    id: 'placement.trait.delete',
    method: 'DELETE',
    path: '/traits/{name}',
    summary: 'Delete a custom trait',
    policy: 'placement:traits:delete',
    since: '1.6',
    success: 204,
    answer: 'none',
    input: 'none',
    handle: (app, request) => app.traits.remove(param(request, 'name')),
  }),
  op({
    id: 'placement.provider_trait.list',
    method: 'GET',
    path: OF_PROVIDER,
    answer: providerTraitsAnswer,
    summary: 'List the traits of a provider',
    policy: 'placement:resource_providers:traits:list',
    since: '1.6',
    input: 'none',
    async handle(app, request) {
      const { provider, traits } = await app.traits.ofProvider(param(request, 'uuid'));
      return view(app, request, traits, provider.generation);
    },
  }),
  op({
    id: 'placement.provider_trait.set',
    method: 'PUT',
    path: OF_PROVIDER,
    answer: providerTraitsAnswer,
    summary: 'Set the traits of a provider',
    policy: 'placement:resource_providers:traits:update',
    since: '1.6',
    body: SET_TRAITS,
    validation: 'handler',
    async handle(app, request) {
      const body = bodyOf<{ traits: readonly string[]; resource_provider_generation: number }>(request, SET_TRAITS);
      const { traits, generation } = await app.traits.setOfProvider(param(request, 'uuid'), body.traits, body.resource_provider_generation);
      return view(app, request, traits, generation);
    },
  }),
  op({
    id: 'placement.provider_trait.delete',
    method: 'DELETE',
    path: OF_PROVIDER,
    summary: 'Take all traits from a provider',
    policy: 'placement:resource_providers:traits:delete',
    since: '1.6',
    success: 204,
    answer: 'none',
    input: 'none',
    async handle(app, request) {
      await app.traits.setOfProvider(param(request, 'uuid'), []);
    },
  }),
];
