import { isoNaiveMicros } from '@cairn/kit/clock/clock';
import { invalidInput } from '@cairn/kit/errors/errors';
import { type AnyBody, Reply, type Request } from '@cairn/kit/http/operation';
import type { Aggregate } from '../app/aggregates.ts';
import { AggregateList, CreatedAggregate, OneAggregate } from './answers/hosts.ts';
import { op } from './op.ts';
import { actionBody, fqdn, name, object } from './schemas/types.ts';

const zone = { type: ['string', 'null'], minLength: 1, maxLength: 255, pattern: '^(?!\\s)[^\\p{C}\\p{Zl}\\p{Zp}:]*(?<!\\s)$' };
/** A name that may begin and end with white space, which is then taken off. */
const looseName = { type: 'string', minLength: 1, maxLength: 255, pattern: '^(?=.*\\S)[^\\p{C}\\p{Zl}\\p{Zp}]*$' };
const CREATE = object({ aggregate: object({ name, availability_zone: zone }, ['name']) }, ['aggregate']);
const UPDATE = object(
  { aggregate: { ...object({ name: looseName, availability_zone: zone }), anyOf: [{ required: ['name'] }, { required: ['availability_zone'] }] } },
  ['aggregate'],
);
const host = object({ host: fqdn }, ['host']);
const metadata = {
  type: 'object',
  patternProperties: { '^[a-zA-Z0-9\\-_:. ]{1,255}$': { type: ['string', 'null'], maxLength: 255 } },
  additionalProperties: false,
};

/** The number in the path. */
function seqOf(req: Request<AnyBody>): number {
  const id = req.params.aggregate_id as string;
  if (!/^[+-]?\d{1,15}$/.test(id)) throw invalidInput('Invalid input received: id must be an integer', { field: 'aggregate_id' });
  return Number(id);
}

const basic = (req: Request<AnyBody>, { row, metadata: kept }: Aggregate): object => ({
  id: row.seq,
  ...(req.version.atLeast('2.41') && { uuid: row.id }),
  name: row.name,
  availability_zone: kept.availability_zone ?? null,
  created_at: isoNaiveMicros(row.created_at_ms),
  updated_at: row.updated_at_ms === null ? null : isoNaiveMicros(row.updated_at_ms),
  deleted: false,
  deleted_at: null,
});
const full = (req: Request<AnyBody>, aggregate: Aggregate): object => ({ ...basic(req, aggregate), hosts: aggregate.hosts, metadata: aggregate.metadata });

export const aggregateOperations = [
  op({
    id: 'nova.aggregate.list',
    method: 'GET',
    path: '/v2.1/os-aggregates',
    summary: 'List aggregates',
    policy: 'os_compute_api:os-aggregates:index',
    answer: AggregateList,
    handle: async (app, req) => ({ aggregates: (await app.aggregates.list()).map((aggregate) => full(req, aggregate)) }),
  }),
  op({
    id: 'nova.aggregate.create',
    method: 'POST',
    path: '/v2.1/os-aggregates',
    summary: 'Create an aggregate',
    policy: 'os_compute_api:os-aggregates:create',
    answer: CreatedAggregate,
    body: CREATE,
    async handle(app, req) {
      const { aggregate } = req.body as { aggregate: { name: string; availability_zone?: string | null } };
      return { aggregate: basic(req, await app.aggregates.create(req.ctx, aggregate.name, aggregate.availability_zone ?? undefined)) };
    },
  }),
  op({
    id: 'nova.aggregate.show',
    method: 'GET',
    path: '/v2.1/os-aggregates/{aggregate_id}',
    summary: 'Show an aggregate',
    policy: 'os_compute_api:os-aggregates:show',
    answer: OneAggregate,
    handle: async (app, req) => ({ aggregate: full(req, await app.aggregates.get(seqOf(req))) }),
  }),
  op({
    id: 'nova.aggregate.update',
    method: 'PUT',
    path: '/v2.1/os-aggregates/{aggregate_id}',
    summary: 'Change an aggregate',
    policy: 'os_compute_api:os-aggregates:update',
    answer: OneAggregate,
    body: UPDATE,
    async handle(app, req) {
      const { aggregate: change } = req.body as { aggregate: { name?: string; availability_zone?: string | null } };
      return {
        aggregate: full(req, await app.aggregates.update(req.ctx, seqOf(req), change.name === undefined ? change : { ...change, name: change.name.trim() })),
      };
    },
  }),
  op({
    id: 'nova.aggregate.delete',
    method: 'DELETE',
    path: '/v2.1/os-aggregates/{aggregate_id}',
    summary: 'Delete an aggregate',
    policy: 'os_compute_api:os-aggregates:delete',
    answer: 'none',
    async handle(app, req) {
      await app.aggregates.delete(req.ctx, seqOf(req));
      return new Reply(undefined);
    },
  }),
  op({
    id: 'nova.aggregate.add-host',
    method: 'POST',
    path: '/v2.1/os-aggregates/{aggregate_id}/action',
    action: 'add_host',
    summary: 'Put a host into an aggregate',
    policy: 'os_compute_api:os-aggregates:add_host',
    answer: OneAggregate,
    body: actionBody('add_host', host),
    handle: async (app, req) => ({ aggregate: full(req, await app.aggregates.addHost(req.ctx, seqOf(req), (req.body as AnyBody).add_host.host)) }),
  }),
  op({
    id: 'nova.aggregate.remove-host',
    method: 'POST',
    path: '/v2.1/os-aggregates/{aggregate_id}/action',
    action: 'remove_host',
    summary: 'Take a host out of an aggregate',
    policy: 'os_compute_api:os-aggregates:remove_host',
    answer: OneAggregate,
    body: actionBody('remove_host', host),
    handle: async (app, req) => ({ aggregate: full(req, await app.aggregates.removeHost(req.ctx, seqOf(req), (req.body as AnyBody).remove_host.host)) }),
  }),
  op({
    id: 'nova.aggregate.set-metadata',
    method: 'POST',
    path: '/v2.1/os-aggregates/{aggregate_id}/action',
    action: 'set_metadata',
    summary: "Change an aggregate's metadata",
    policy: 'os_compute_api:os-aggregates:set_metadata',
    answer: OneAggregate,
    body: actionBody('set_metadata', object({ metadata }, ['metadata'])),
    handle: async (app, req) => ({ aggregate: full(req, await app.aggregates.setMetadata(req.ctx, seqOf(req), (req.body as AnyBody).set_metadata.metadata)) }),
  }),
];
