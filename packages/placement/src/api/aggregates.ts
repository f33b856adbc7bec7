import { Reply, type Request } from '@cairn/kit/http/operation';
import type { PlacementApp } from '../app/app.ts';
import { aggregatesAnswer } from './answers/providers.ts';
import { bodyOf, cacheHeaders, op, param } from './op.ts';
import { SET_AGGREGATES } from './schemas.ts';

const PATH = '/resource_providers/{uuid}/aggregates' as const;

/** When an association was made is not recorded: last-modified is now, as upstream. */
const view = (app: PlacementApp, request: Request, aggregates: readonly string[], generation: number): Reply =>
  new Reply(
    { aggregates, ...(request.version.atLeast('1.19') && { resource_provider_generation: generation }) },
    { headers: cacheHeaders(request, app.env.clock.nowMs()) },
  );

export const aggregateOperations = [
  op({
    id: 'placement.aggregate.list',
    method: 'GET',
    path: PATH,
    answer: aggregatesAnswer,
    summary: 'List the aggregates of a provider',
    policy: 'placement:resource_providers:aggregates:list',
    since: '1.1',
    input: 'none',
    async handle(app, request) {
      const { provider, aggregates } = await app.providers.aggregates(param(request, 'uuid'));
      return view(app, request, aggregates, provider.generation);
    },
  }),
  op({
    id: 'placement.aggregate.set',
    method: 'PUT',
    path: PATH,
    answer: aggregatesAnswer,
    summary: 'Set the aggregates of a provider',
    policy: 'placement:resource_providers:aggregates:update',
    since: '1.1',
    body: SET_AGGREGATES,
    validation: 'handler',
    async handle(app, request) {
      const id = param(request, 'uuid');
      await app.providers.get(id);
      const body = bodyOf<readonly string[] | { aggregates: readonly string[]; resource_provider_generation: number }>(request, SET_AGGREGATES);
      const [aggregates, generation] = 'aggregates' in body ? [body.aggregates, body.resource_provider_generation] : [body, undefined];
      return view(app, request, aggregates, await app.providers.setAggregates(id, aggregates, generation));
    },
  }),
];
