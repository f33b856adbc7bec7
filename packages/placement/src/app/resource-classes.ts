import type { Env } from '@cairn/kit/env';
import { notFound } from '@cairn/kit/errors/errors';
import type { Db } from '@cairn/kit/store/store';
import { classHasInventory, renameClass } from '../store/inventories.ts';
import { deleteName, insertNames, listNames, nameRow, namesAmong } from '../store/names.ts';
import { bad, clash, noClass } from './errors.ts';
import { STANDARD_RESOURCE_CLASSES } from './standard-resource-classes.ts';

const RANKS = new Map(STANDARD_RESOURCE_CLASSES.map((name, rank) => [name, rank]));

/** Orders classes as upstream's ids do: the standard ones in their order, then the custom ones. */
export const byClass = (a: string, b: string): number => (RANKS.get(a) ?? RANKS.size) - (RANKS.get(b) ?? RANKS.size) || (a < b ? -1 : a > b ? 1 : 0);
export const isStandardClass = (name: string): boolean => RANKS.has(name);

export interface ResourceClass {
  readonly name: string;
  readonly updatedAtMs: number;
}

const missing = (name: string) => notFound(noClass(name));

/** Those of the names that are no resource classes. */
export async function unknownClasses(db: Db, names: readonly string[]): Promise<string[]> {
  const custom = names.filter((name) => !RANKS.has(name));
  const found = new Set((await namesAmong(db, 'placement_resource_class', custom)).map((row) => row.name));
  return custom.filter((name) => !found.has(name));
}

/** Rules of resource classes (placement/objects/resource_class.py). */
export type ResourceClasses = ReturnType<typeof createResourceClasses>;

export function createResourceClasses(env: Env) {
  const sinceMs = env.clock.nowMs();
  const { store, clock } = env;
  return {
    /** Those of the names that are no resource classes. */
    unknown: (names: readonly string[]): Promise<string[]> => unknownClasses(store.read, names),
    async list(): Promise<ResourceClass[]> {
      const custom = await listNames(store.read, 'placement_resource_class');
      return [
        ...STANDARD_RESOURCE_CLASSES.map((name) => ({ name, updatedAtMs: sinceMs })),
        ...custom.map((row) => ({ name: row.name, updatedAtMs: row.updated_at_ms })),
      ];
    },
    async get(name: string): Promise<ResourceClass> {
      if (RANKS.has(name)) return { name, updatedAtMs: sinceMs };
      const row = await nameRow(store.read, 'placement_resource_class', name);
      if (!row) throw missing(name);
      return { name, updatedAtMs: row.updated_at_ms };
    },
    async create(name: string): Promise<void> {
      const added = await store.write((tx) => insertNames(tx, 'placement_resource_class', [name], clock.nowMs()));
      if (added === 0) throw clash(`Conflicting resource class already exists: ${name}`);
    },
    /** Makes sure that the class exists; tells whether it is new. */
    async ensure(name: string): Promise<boolean> {
      return (await store.write((tx) => insertNames(tx, 'placement_resource_class', [name], clock.nowMs()))) > 0;
    },
    /** Another name for a custom class (until microversion 1.6). */
    async rename(name: string, to: string): Promise<void> {
      await store.write(async (tx) => {
        if (RANKS.has(name)) throw bad(`Cannot update standard resource class ${name}`);
        if (!(await nameRow(tx, 'placement_resource_class', name))) throw missing(name);
        if (name === to) return;
        if ((await insertNames(tx, 'placement_resource_class', [to], clock.nowMs())) === 0) throw clash(`Resource class already exists: ${to}`);
        await renameClass(tx, name, to);
        await deleteName(tx, 'placement_resource_class', name);
      });
    },
    async remove(name: string): Promise<void> {
      await store.write(async (tx) => {
        if (RANKS.has(name)) throw bad(`Error in delete resource class: Cannot delete standard resource class ${name}.`);
        if (!(await nameRow(tx, 'placement_resource_class', name))) throw missing(name);
        if (await classHasInventory(tx, name))
          throw clash(`Error in delete resource class: Cannot delete resource class ${name}. Class is in use in inventory.`);
        await deleteName(tx, 'placement_resource_class', name);
      });
    },
  };
}
