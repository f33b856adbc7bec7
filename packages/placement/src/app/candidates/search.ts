import type { Env } from '@cairn/kit/env';
import type { CandidateRequest } from '../../face.ts';
import { findCandidates } from '../../store/candidates.ts';
import { providersWithTraits, rootsWith, treesExist } from '../../store/search.ts';
import { allotmentsOf, type Search, SHARES } from './group.ts';
import { merge } from './merge.ts';
import type { Allotment, CandidatesRequest } from './request.ts';
import { TraitMemory, type TreeMember, Trees } from './trees.ts';

export interface Candidates {
  readonly requests: readonly Allotment[];
  /** Every member of the trees that the candidates take from. */
  readonly providers: readonly TreeMember[];
}

const UNLIMITED = 2 ** 31 - 1;
const NONE: Candidates = { requests: [], providers: [] };

/** The search for allocation candidates over single providers, trees and sharing providers (placement/objects/allocation_candidate.py). */
export function createCandidateSearch(env: Env) {
  const memory = new TraitMemory();
  return async (request: CandidatesRequest): Promise<Candidates> => {
    const db = env.store.read;
    let anchors: ReadonlySet<string> | undefined;
    if (request.rootRequired.length > 0 || request.rootForbidden.length > 0) {
      anchors = await rootsWith(db, request.rootRequired, request.rootForbidden);
      if (anchors.size === 0) return NONE;
    }
    const search: Search = { db, trees: new Trees(db, memory), anchors, sharing: await providersWithTraits(db, [[SHARES]]), nestedExist: await treesExist(db) };
    const plain = plainRequest(request, search);
    if (plain) return collect(request, search, await firstFitting(search, plain));
    const byGroup = new Map<string, Allotment[]>();
    for (const group of request.groups) {
      const allotments = await allotmentsOf(search, group);
      if (allotments.length === 0) return NONE;
      byGroup.set(group.suffix, allotments);
    }
    return collect(request, search, merge(request, byGroup, search.trees));
  };
}

/** A request that single providers answer: the index of free space gives them, as many as are wanted, without a look at the rest. */
function plainRequest(request: CandidatesRequest, search: Search): CandidateRequest | undefined {
  const [group, ...more] = request.groups;
  if (!group || more.length > 0 || search.anchors || search.nestedExist || search.sharing.size > 0) return undefined;
  if (group.suffix !== '' || group.requiredTraits.some((any) => any.length !== 1)) return undefined;
  const { resources, forbiddenTraits, memberOf, forbiddenAggregates, inTree } = group;
  return {
    resources,
    requiredTraits: group.requiredTraits.flat(),
    forbiddenTraits,
    memberOf,
    forbiddenAggregates,
    ...(inTree !== undefined && { inTree }),
    limit: request.limit ?? UNLIMITED,
  };
}

async function firstFitting({ db, trees }: Search, wanted: CandidateRequest): Promise<Allotment[]> {
  const found = await findCandidates(db, wanted);
  await trees.loadSingle(found);
  const asked = Object.entries(wanted.resources);
  const portions = (providerId: string) => asked.map(([resourceClass, amount]) => ({ providerId, resourceClass, amount }));
  return found.map(({ id }) => ({ anchorId: id, portions: portions(id), mappings: { '': [id] } }));
}

function collect(request: CandidatesRequest, { trees, nestedExist }: Search, candidates: Iterable<Allotment>): Candidates {
  const flat = !request.nested && nestedExist;
  const requests: Allotment[] = [];
  const taken = new Set<string>();
  for (const candidate of candidates) {
    if (request.limit !== undefined && requests.length >= request.limit) break;
    if (flat) {
      const ids = new Set(candidate.portions.map((portion) => portion.providerId));
      if (new Set([...ids].map(trees.rootOf)).size !== ids.size) continue;
    }
    requests.push(candidate);
    for (const portion of candidate.portions) taken.add(portion.providerId);
  }
  const roots = new Set<string>();
  for (const id of taken) roots.add(trees.rootOf(id));
  return { requests, providers: [...trees.members()].filter(({ provider }) => (flat ? taken.has(provider.id) : roots.has(provider.root_id))) };
}
