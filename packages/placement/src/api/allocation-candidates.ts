import { Reply, type Request } from '@cairn/kit/http/operation';
import type { Allotment, CandidatesRequest } from '../app/candidates/request.ts';
import type { TreeMember } from '../app/candidates/trees.ts';
import { bad, noClass, noTraits } from '../app/errors.ts';
import { candidatesAnswer } from './answers/allocations.ts';
import { candidatesRequestOf } from './candidate-groups.ts';
import { cacheHeaders, checkQuery, op } from './op.ts';
import { LIST_CANDIDATES } from './schemas.ts';

type Amounts = Record<string, number>;

/** In the form that PUT /allocations takes at the same microversion: a list before 1.12, from then on by provider. */
function viewCandidate(request: Request, candidate: Allotment): object {
  const byProvider = new Map<string, { resources: Amounts }>();
  for (const { providerId, resourceClass, amount } of candidate.portions) {
    const entry = byProvider.get(providerId) ?? { resources: {} };
    entry.resources[resourceClass] = amount;
    byProvider.set(providerId, entry);
  }
  if (request.version.before('1.12')) return { allocations: [...byProvider].map(([uuid, { resources }]) => ({ resource_provider: { uuid }, resources })) };
  return { allocations: Object.fromEntries(byProvider), ...(request.version.atLeast('1.34') && { mappings: candidate.mappings }) };
}

/** Before microversion 1.27 only what was asked for. */
function viewProvider(request: Request, asked: ReadonlySet<string>, { provider, inventories, traits }: TreeMember): object {
  const { version } = request;
  const all = version.atLeast('1.27');
  const resources: Record<string, { capacity: number; used: number }> = {};
  for (const row of inventories) if (all || asked.has(row.resource_class)) resources[row.resource_class] = { capacity: row.capacity, used: row.used };
  if (version.atLeast('1.29')) return { resources, traits, parent_provider_uuid: provider.parent_id, root_provider_uuid: provider.root_id };
  return version.atLeast('1.17') ? { resources, traits } : { resources };
}

const traitsOf = (wanted: CandidatesRequest): string[] => [
  ...wanted.rootRequired,
  ...wanted.rootForbidden,
  ...wanted.groups.flatMap((group) => [...group.requiredTraits.flat(), ...group.forbiddenTraits]),
];

export const allocationCandidateOperations = [
  op({
    id: 'placement.allocation_candidate.list',
    method: 'GET',
    path: '/allocation_candidates',
    answer: candidatesAnswer,
    summary: 'List allocation candidates',
    policy: 'placement:allocation_candidates:list',
    since: '1.10',
    query: LIST_CANDIDATES,
    validation: 'handler',
    input: 'none',
    async handle(app, request) {
      checkQuery(request, LIST_CANDIDATES);
      const wanted = candidatesRequestOf(request);
      const asked = new Set(wanted.groups.flatMap((group) => Object.keys(group.resources)));
      const [unknown] = await app.resourceClasses.unknown([...asked]);
      if (unknown) throw bad(`Invalid resource class in resources parameter: ${noClass(unknown)}`);
      await app.traits.check(traitsOf(wanted), (names) => bad(noTraits(names)));
      const { requests, providers } = await app.candidates(wanted);
      const body = {
        allocation_requests: requests.map((candidate) => viewCandidate(request, candidate)),
        provider_summaries: Object.fromEntries(providers.map((member) => [member.provider.id, viewProvider(request, asked, member)])),
      };
      return new Reply(body, { headers: cacheHeaders(request, app.env.clock.nowMs()) });
    },
  }),
];
