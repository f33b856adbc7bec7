import { product } from './group.ts';
import type { Allotment, CandidatesRequest, Portion } from './request.ts';
import type { Trees } from './trees.ts';

/**
 * Combines one allotment of every group into candidates that satisfy them all: within one anchor, by the group policy, the subtrees and what the
 * providers have left for the sum (placement's `_merge_candidates`). Gives them one by one, so that a limit ends the work.
 */
export function* merge(request: CandidatesRequest, byGroup: ReadonlyMap<string, readonly Allotment[]>, trees: Trees): Generator<Allotment> {
  const anchors = new Map<string, Map<string, Allotment[]>>();
  for (const [suffix, allotments] of byGroup) {
    for (const allotment of allotments) {
      const groups = anchors.get(allotment.anchorId) ?? new Map<string, Allotment[]>();
      groups.set(suffix, [...(groups.get(suffix) ?? []), allotment]);
      anchors.set(allotment.anchorId, groups);
    }
  }
  // both only get worse with more groups: a choice that breaks one is given up before the groups that follow multiply it
  const keep = (chosen: readonly Allotment[]): boolean => (request.groupPolicy !== 'isolate' || isolated(chosen)) && fits(together(chosen), trees);
  const seen = new Set<string>();
  for (const groups of anchors.values()) {
    if (groups.size !== byGroup.size) continue;
    for (const chosen of product([...groups.values()], keep)) {
      const candidate = together(chosen);
      if (!request.sameSubtrees.every((suffixes) => inOneSubtree(candidate, suffixes, trees))) continue;
      const key = keyOf(candidate);
      if (seen.has(key)) continue;
      seen.add(key);
      yield candidate;
    }
  }
}

/** Every suffixed group has a provider of its own. */
function isolated(chosen: readonly Allotment[]): boolean {
  const providers = chosen.flatMap((allotment) => Object.entries(allotment.mappings).flatMap(([suffix, ids]) => (suffix === '' ? [] : ids)));
  return new Set(providers).size === providers.length;
}

function together(chosen: readonly Allotment[]): Allotment {
  const portions = new Map<string, Portion>();
  for (const portion of chosen.flatMap((allotment) => allotment.portions)) {
    const key = `${portion.providerId} ${portion.resourceClass}`;
    portions.set(key, { ...portion, amount: portion.amount + (portions.get(key)?.amount ?? 0) });
  }
  return {
    anchorId: chosen[0]?.anchorId ?? '',
    portions: [...portions.values()],
    mappings: Object.assign({}, ...chosen.map((allotment) => allotment.mappings)),
  };
}

/** All providers of the groups are one of them or below it. */
function inOneSubtree(candidate: Allotment, suffixes: readonly string[], trees: Trees): boolean {
  const ids = [...new Set(suffixes.flatMap((suffix) => candidate.mappings[suffix] ?? []))];
  const lineages = ids.map((id) => trees.lineage(id));
  return ids.some((top) => lineages.every((lineage) => lineage.has(top)));
}

/** The sums of the groups fit, too: each group was searched by itself. */
const fits = (candidate: Allotment, trees: Trees): boolean =>
  candidate.portions.every(({ providerId, resourceClass, amount }) => {
    const inventory = trees.member(providerId).inventories.find((row) => row.resource_class === resourceClass);
    return inventory !== undefined && amount <= inventory.free && amount <= inventory.max_unit;
  });

/** Candidates that take and map the same are one, whatever they are anchored in. */
function keyOf(candidate: Allotment): string {
  const portions = candidate.portions.map((p) => `${p.providerId} ${p.resourceClass} ${p.amount}`).toSorted();
  const mappings = Object.entries(candidate.mappings)
    .map(([suffix, ids]) => `${suffix}=${[...ids].toSorted().join()}`)
    .toSorted();
  return JSON.stringify([portions, mappings]);
}
