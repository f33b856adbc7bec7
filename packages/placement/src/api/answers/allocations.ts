import Type from 'typebox';
import { amounts } from './providers.ts';

/** What consumers have, and what they could have. */

const text = Type.String();
const whole = Type.Integer();
const given = Type.Object({ resources: amounts });

/** A consumer that has nothing has no owner either. */
export const allocationsAnswer = Type.Object({
  allocations: Type.Record(text, Type.Object({ resources: amounts, generation: whole })),
  project_id: Type.Optional(text),
  user_id: Type.Optional(text),
  consumer_generation: Type.Optional(Type.Union([whole, Type.Null()])),
  consumer_type: Type.Optional(text),
});

export const providerAllocationsAnswer = Type.Object({
  allocations: Type.Record(text, Type.Object({ resources: amounts, consumer_generation: whole })),
  resource_provider_generation: whole,
});

const summaries = Type.Record(
  text,
  Type.Object(
    {
      resources: Type.Record(text, Type.Object({ capacity: whole, used: whole })),
      traits: Type.Array(text),
      parent_provider_uuid: Type.Union([text, Type.Null()]),
      root_provider_uuid: text,
    },
    { title: 'ProviderSummary' },
  ),
);
const byProvider = Type.Object(
  { allocations: Type.Record(text, given), mappings: Type.Record(text, Type.Array(text), { description: 'The providers of each group of the request.' }) },
  { title: 'AllocationRequest' },
);
const listed = Type.Object({ allocations: Type.Array(Type.Object({ resource_provider: Type.Object({ uuid: text }), resources: amounts })) });

/** In the form that allocations are written in at the same microversion. */
export const candidatesAnswer = [
  { from: '1.10', schema: Type.Object({ allocation_requests: Type.Array(listed), provider_summaries: summaries }) },
  { from: '1.12', schema: Type.Object({ allocation_requests: Type.Array(byProvider), provider_summaries: summaries }) },
];
