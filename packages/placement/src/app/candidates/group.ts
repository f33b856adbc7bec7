import type { Db } from '@cairn/kit/store/store';
import { providerById } from '../../store/providers.ts';
import { anchorsOf, type Placed, placesExcept, placesOf, providersInAll, providersWith, providersWithTraits } from '../../store/search.ts';
import { byClass } from '../resource-classes.ts';
import type { Allotment, RequestGroup } from './request.ts';
import type { Trees } from './trees.ts';

export const SHARES = 'MISC_SHARES_VIA_AGGREGATE';

/** What all groups of one search share. */
export interface Search {
  readonly db: Db;
  readonly trees: Trees;
  /** Roots that candidates may be anchored in; undefined: any. */
  readonly anchors: ReadonlySet<string> | undefined;
  /** All providers that share by aggregates. */
  readonly sharing: ReadonlySet<string>;
  /** Whether any provider has a parent. */
  readonly nestedExist: boolean;
}

const mayAnchor = (search: Search, rootId: string): boolean => search.anchors === undefined || search.anchors.has(rootId);

/** All ways to satisfy one group; none where nothing does. */
export async function allotmentsOf(search: Search, group: RequestGroup): Promise<Allotment[]> {
  const { db } = search;
  let rootId: string | undefined;
  if (group.inTree !== undefined) {
    rootId = (await providerById(db, group.inTree))?.root_id;
    if (rootId === undefined) return [];
  }
  const members = group.memberOf.length > 0 ? await providersInAll(db, group.memberOf) : undefined;
  if (members?.size === 0) return [];
  const roomy = new Map<string, Placed[]>();
  for (const [resourceClass, amount] of Object.entries(group.resources)) {
    const found = await providersWith(db, resourceClass, amount, rootId);
    if (found.length === 0) return [];
    roomy.set(resourceClass, found);
  }
  const facts: GroupFacts = { rootId, members, roomy };
  return group.suffix === '' && (search.sharing.size > 0 || search.nestedExist) ? fromTrees(search, group, facts) : fromSingles(search, group, facts);
}

interface GroupFacts {
  readonly rootId: string | undefined;
  readonly members: ReadonlySet<string> | undefined;
  readonly roomy: ReadonlyMap<string, readonly Placed[]>;
}

/** One provider gives all of the group (placement's `_alloc_candidates_single_provider`). */
async function fromSingles(search: Search, group: RequestGroup, { rootId, members, roomy }: GroupFacts): Promise<Allotment[]> {
  const { db, trees } = search;
  const excluded = new Set<string>();
  if (group.forbiddenAggregates.length > 0) for (const id of await providersInAll(db, [group.forbiddenAggregates])) excluded.add(id);
  if (group.forbiddenTraits.length > 0) for (const id of await providersWithTraits(db, [group.forbiddenTraits])) excluded.add(id);
  let allowed = members && new Set(members);
  if (group.requiredTraits.length > 0) {
    const able = await providersWithTraits(db, group.requiredTraits);
    allowed = allowed ? allowed.intersection(able) : able;
  }
  let places: readonly Placed[] | undefined;
  for (const found of roomy.values()) {
    const ids = new Set(found.map((place) => place.id));
    places = (places ?? found).filter((place) => ids.has(place.id));
  }
  places ??= allowed ? await placesOf(db, allowed) : await placesExcept(db, excluded);
  places = places.filter((place) => !excluded.has(place.id) && (!allowed || allowed.has(place.id)) && (rootId === undefined || place.root_id === rootId));
  await trees.load(places.map((place) => place.root_id));
  const shared = Map.groupBy(
    await anchorsOf(
      db,
      places.filter((place) => search.sharing.has(place.id)).map((place) => place.id),
    ),
    (anchor) => anchor.id,
  );
  const allotments: Allotment[] = [];
  for (const { id, root_id: ownRoot } of places) {
    const portions = Object.entries(group.resources).map(([resourceClass, amount]) => ({ providerId: id, resourceClass, amount }));
    // what shares may be anchored in every tree that it shares with
    for (const anchorId of new Set([ownRoot, ...(shared.get(id) ?? []).map((anchor) => anchor.root_id)])) {
      if (mayAnchor(search, anchorId)) allotments.push({ anchorId, portions, mappings: { [group.suffix]: [id] } });
    }
  }
  return allotments;
}

/** The classes may come from different providers of a tree, and from providers that share with it (placement's `get_trees_matching_all`). */
async function fromTrees(search: Search, group: RequestGroup, { rootId, members, roomy }: GroupFacts): Promise<Allotment[]> {
  const { db, trees } = search;
  const excluded = group.forbiddenAggregates.length > 0 ? await providersInAll(db, [group.forbiddenAggregates]) : new Set<string>();
  /** By anchor, by class: the providers that could give it. */
  const byAnchor = new Map<string, Map<string, string[]>>();
  for (const [resourceClass, found] of roomy) {
    const pairs = new Map(found.map((place) => [`${place.id} ${place.root_id}`, place]));
    const sharing = found.filter((place) => search.sharing.has(place.id) && (!members || members.has(place.id))).map((place) => place.id);
    // a group that asks for one tree takes nothing from elsewhere
    if (rootId === undefined) for (const anchor of await anchorsOf(db, sharing)) pairs.set(`${anchor.id} ${anchor.root_id}`, anchor);
    for (const { id, root_id: anchorId } of pairs.values()) {
      // an aggregate of a root spans its whole tree
      const fits = mayAnchor(search, anchorId) && (!members || members.has(id) || members.has(anchorId)) && !excluded.has(id) && !excluded.has(anchorId);
      if (!fits) continue;
      const classes = byAnchor.get(anchorId) ?? new Map<string, string[]>();
      classes.set(resourceClass, [...(classes.get(resourceClass) ?? []), id]);
      byAnchor.set(anchorId, classes);
    }
  }
  const complete = [...byAnchor].filter(([, classes]) => classes.size === roomy.size);
  const elsewhere = await placesOf(
    db,
    complete.flatMap(([, classes]) => [...classes.values()].flat()),
  );
  await trees.load([...complete.map(([anchorId]) => anchorId), ...elsewhere.map((place) => place.root_id)]);
  const allotments: Allotment[] = [];
  for (const [anchorId, classes] of complete) {
    const choices = [...classes]
      .toSorted(([a], [b]) => byClass(a, b))
      .map(([resourceClass, ids]) => ids.map((providerId) => ({ providerId, resourceClass, amount: group.resources[resourceClass] as number })));
    for (const portions of product(choices)) {
      const ids = [...new Set(portions.map((portion) => portion.providerId))];
      if (traitsFit(trees, ids, group)) allotments.push({ anchorId, portions, mappings: { [group.suffix]: ids } });
    }
  }
  return allotments;
}

/** Together the providers have what is required, and none of them what is forbidden. */
function traitsFit(trees: Trees, ids: readonly string[], group: RequestGroup): boolean {
  const all = new Set(ids.flatMap((id) => trees.member(id).traits));
  return group.requiredTraits.every((any) => any.some((trait) => all.has(trait))) && !group.forbiddenTraits.some((trait) => all.has(trait));
}

/** Every choice of one from each list, the last list turning fastest. A beginning that `keep` refuses is followed no further. */
export function* product<T>(
  lists: readonly (readonly T[])[],
  keep: (chosen: readonly T[]) => boolean = () => true,
  chosen: readonly T[] = [],
): Generator<readonly T[]> {
  const list = lists[chosen.length];
  if (!list) {
    yield chosen;
    return;
  }
  for (const one of list) {
    const next = [...chosen, one];
    if (keep(next)) yield* product(lists, keep, next);
  }
}
