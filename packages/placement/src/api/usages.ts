import { Reply } from '@cairn/kit/http/operation';
import { providerUsagesAnswer, usagesAnswer } from './answers/providers.ts';
import { cacheHeaders, checkQuery, lastOf, op, param } from './op.ts';
import { TOTAL_USAGES } from './schemas.ts';

export const usageOperations = [
  op({
    id: 'placement.usage.provider',
    method: 'GET',
    path: '/resource_providers/{uuid}/usages',
    answer: providerUsagesAnswer,
    summary: 'Show what of a provider is in use',
    policy: 'placement:resource_providers:usages',
    input: 'none',
    async handle(app, request) {
      const { provider, usages } = await app.allocations.usageOfProvider(param(request, 'uuid'));
      return new Reply({ resource_provider_generation: provider.generation, usages }, { headers: cacheHeaders(request, app.env.clock.nowMs()) });
    },
  }),
  op({
    id: 'placement.usage.total',
    method: 'GET',
    path: '/usages',
    answer: usagesAnswer,
    summary: 'Show what a project uses',
    policy: 'placement:usages',
    target: (_app, request) => ({ project_id: lastOf(request.query, 'project_id') ?? null }),
    since: '1.9',
    query: TOTAL_USAGES,
    validation: 'handler',
    input: 'none',
    async handle(app, request) {
      checkQuery(request, TOTAL_USAGES);
      const headers = cacheHeaders(request, app.env.clock.nowMs());
      const [projectId = '', userId] = [lastOf(request.query, 'project_id'), lastOf(request.query, 'user_id')];
      if (request.version.before('1.38')) return new Reply({ usages: await app.allocations.usageOfProject(projectId, userId) }, { headers });
      const types = await app.allocations.usageByType(projectId, userId, lastOf(request.query, 'consumer_type'));
      const usages = Object.fromEntries(Object.entries(types).map(([type, usage]) => [type, { ...usage.resources, consumer_count: usage.consumerCount }]));
      return new Reply({ usages }, { headers });
    },
  }),
];
