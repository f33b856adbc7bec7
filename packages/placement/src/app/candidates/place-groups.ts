import type { Db } from '@cairn/kit/store/store';
import type { GroupsRequest, Shortage } from '../../face.ts';
import { allotmentsOf, type Search } from './group.ts';
import { merge } from './merge.ts';
import type { Allotment } from './request.ts';
import { TraitMemory, Trees } from './trees.ts';

/** Groups of resources within trees that are chosen already (PlacementFace): the search of the API, for what a server's ports ask. */
export function createGroupSearch() {
  const memory = new TraitMemory();
  return {
    async placeGroups(db: Db, rootIds: readonly string[], ask: GroupsRequest): Promise<ReadonlyMap<string, Readonly<Record<string, string>>>> {
      const placed = new Map<string, Readonly<Record<string, string>>>();
      const search: Search = { db, trees: new Trees(db, memory), anchors: new Set(rootIds), sharing: new Set(), nestedExist: true };
      const byGroup = new Map<string, ReadonlyMap<string, readonly Allotment[]>>();
      const [only] = rootIds.length === 1 ? rootIds : [];
      for (const { id, resources, required } of ask.groups) {
        const group = { suffix: id, resources, requiredTraits: required.map((trait) => [trait]), forbiddenTraits: [], memberOf: [], forbiddenAggregates: [] };
        const allotments = await allotmentsOf(search, only === undefined ? group : { ...group, inTree: only });
        byGroup.set(
          id,
          Map.groupBy(allotments, (allotment) => allotment.anchorId),
        );
      }
      const request = { groups: [], groupPolicy: 'none', rootRequired: [], rootForbidden: [], sameSubtrees: ask.sameSubtrees, nested: true } as const;
      for (const rootId of rootIds) {
        const here = new Map([...byGroup].map(([id, anchors]) => [id, anchors.get(rootId) ?? []]));
        if ([...here.values()].some((allotments) => allotments.length === 0)) continue;
        const [first] = merge(request, here, search.trees);
        if (first !== undefined) placed.set(rootId, Object.fromEntries(Object.entries(first.mappings).map(([id, [provider]]) => [id, provider as string])));
      }
      return placed;
    },

    async explainGroups(db: Db, rootIds: readonly string[], ask: GroupsRequest): Promise<Shortage> {
      const trees = new Trees(db, memory);
      await trees.load(rootIds);
      const nearest: Shortage['nearest'][number][] = [];
      const totals: Record<string, number> = {};
      for (const group of ask.groups) {
        const able = [...trees.members()].filter(({ traits }) => group.required.every((trait) => traits.includes(trait)));
        for (const [resourceClass, amount] of Object.entries(group.resources)) {
          totals[resourceClass] = (totals[resourceClass] ?? 0) + amount;
          const best = able
            .flatMap(({ provider, inventories }) =>
              inventories
                .filter((row) => row.resource_class === resourceClass)
                .map((row) => ({ id: provider.id, room: Math.max(0, Math.min(row.free, row.max_unit)) })),
            )
            .reduce((most, one) => (one.room > most.room ? one : most), { id: '', room: 0 });
          const needed = totals[resourceClass] as number;
          if (best.room < needed) nearest.push({ resourceClass, needed, bestFree: best.room, bestProvider: best.id, reason: 'free' });
        }
      }
      const name = `what its ports ask (${Object.entries(totals)
        .map(([resourceClass, amount]) => `${resourceClass} ${amount}`)
        .join(', ')})`;
      return { providersTotal: rootIds.length, filters: [{ name, left: 0 }], nearest };
    },
  };
}
