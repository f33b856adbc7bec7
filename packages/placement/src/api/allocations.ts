import { Reply, type Request } from '@cairn/kit/http/operation';
import { isUuidLike } from '@cairn/kit/ids/ids';
import type { ConsumerClaim } from '../app/allocations.ts';
import { bad } from '../app/errors.ts';
import { allocationsAnswer, providerAllocationsAnswer } from './answers/allocations.ts';
import { bodyOf, cacheHeaders, latest, op, param } from './op.ts';
import { MANAGE_ALLOCATIONS, SET_ALLOCATIONS } from './schemas.ts';

interface ListedAllocation {
  readonly resource_provider: { readonly uuid: string };
  readonly resources: Readonly<Record<string, number>>;
}

/** Of one consumer, in the form of any microversion: a list before 1.12, from then on by provider. */
export interface AllocationsBody {
  readonly allocations: readonly ListedAllocation[] | Readonly<Record<string, { readonly resources: Readonly<Record<string, number>> }>>;
  readonly project_id?: string;
  readonly user_id?: string;
  readonly consumer_generation?: number | null;
  readonly consumer_type?: string;
}

/** A consumer's body as a claim; the generation counts from microversion 1.28 on, the type from 1.38 on. */
export function claimOf(request: Request, consumerId: string, body: AllocationsBody): ConsumerClaim {
  const { allocations } = body;
  const entries = Array.isArray(allocations)
    ? (allocations as readonly ListedAllocation[]).map((one) => [one.resource_provider.uuid, one.resources] as const)
    : Object.entries(allocations as Exclude<AllocationsBody['allocations'], readonly ListedAllocation[]>).map(([id, one]) => [id, one.resources] as const);
  return {
    consumerId,
    ...(body.project_id !== undefined && { projectId: body.project_id }),
    ...(body.user_id !== undefined && { userId: body.user_id }),
    generation: request.version.atLeast('1.28') ? (body.consumer_generation ?? null) : undefined,
    ...(body.consumer_type !== undefined && { consumerType: body.consumer_type }),
    allocations: Object.fromEntries(entries),
  };
}

const ONE = '/allocations/{consumer_uuid}' as const;

export const allocationOperations = [
  op({
    id: 'placement.allocation.show',
    method: 'GET',
    path: ONE,
    answer: allocationsAnswer,
    summary: 'List the allocations of a consumer',
    policy: 'placement:allocations:list',
    input: 'none',
    async handle(app, request) {
      const { version } = request;
      const { consumer, allocations } = await app.allocations.ofConsumer(param(request, 'consumer_uuid'));
      const byProvider: Record<string, { resources: Record<string, number>; generation: number }> = {};
      for (const row of allocations)
        (byProvider[row.provider_id] ??= { resources: {}, generation: row.provider_generation }).resources[row.resource_class] = row.used;
      const body = {
        allocations: byProvider,
        ...(consumer && version.atLeast('1.12') && { project_id: consumer.project_id, user_id: consumer.user_id }),
        ...(consumer && version.atLeast('1.28') && { consumer_generation: consumer.generation }),
        ...(consumer && version.atLeast('1.38') && { consumer_type: consumer.consumer_type ?? 'unknown' }),
      };
      const modified = latest(
        allocations.map((row) => row.updated_at_ms),
        app.env.clock.nowMs(),
      );
      return new Reply(body, { headers: cacheHeaders(request, modified) });
    },
  }),
  op({
    id: 'placement.allocation.set',
    method: 'PUT',
    path: ONE,
    summary: 'Set the allocations of a consumer',
    policy: 'placement:allocations:update',
    success: 204,
    answer: 'none',
    body: SET_ALLOCATIONS,
    validation: 'handler',
    async handle(app, request) {
      const given = param(request, 'consumer_uuid');
      if (!isUuidLike(given)) throw bad(`Malformed consumer_uuid: ${given}`);
      const consumerId = given
        .toLowerCase()
        .replaceAll('-', '')
        .replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
      const body = bodyOf<AllocationsBody>(request, SET_ALLOCATIONS);
      await app.allocations.set([claimOf(request, consumerId, body)], `Unable to allocate inventory for consumer ${consumerId}: `);
    },
  }),
  op({
    id: 'placement.allocation.delete',
    method: 'DELETE',
    path: ONE,
    summary: 'Delete the allocations of a consumer',
    policy: 'placement:allocations:delete',
    success: 204,
    answer: 'none',
    input: 'none',
    handle: (app, request) => app.allocations.remove(param(request, 'consumer_uuid')),
  }),
  op({
    id: 'placement.allocation.manage',
    method: 'POST',
    path: '/allocations',
    summary: 'Set the allocations of several consumers, all or none',
    policy: 'placement:allocations:manage',
    since: '1.13',
    success: 204,
    answer: 'none',
    body: MANAGE_ALLOCATIONS,
    validation: 'handler',
    async handle(app, request) {
      const body = bodyOf<Readonly<Record<string, AllocationsBody>>>(request, MANAGE_ALLOCATIONS);
      await app.allocations.set(
        Object.entries(body).map(([consumerId, one]) => claimOf(request, consumerId, one)),
        'Unable to allocate inventory ',
      );
    },
  }),
  op({
    id: 'placement.allocation.provider',
    method: 'GET',
    path: '/resource_providers/{uuid}/allocations',
    answer: providerAllocationsAnswer,
    summary: 'List the allocations on a provider',
    policy: 'placement:resource_providers:allocations:list',
    input: 'none',
    async handle(app, request) {
      const { provider, allocations } = await app.allocations.onProvider(param(request, 'uuid'));
      const byConsumer: Record<string, { resources: Record<string, number>; consumer_generation?: number }> = {};
      for (const row of allocations)
        (byConsumer[row.consumer_id] ??= { resources: {}, ...(request.version.atLeast('1.28') && { consumer_generation: row.consumer_generation }) }).resources[
          row.resource_class
        ] = row.used;
      const modified = latest(
        allocations.map((row) => row.updated_at_ms),
        app.env.clock.nowMs(),
      );
      return new Reply({ allocations: byConsumer, resource_provider_generation: provider.generation }, { headers: cacheHeaders(request, modified) });
    },
  }),
];
