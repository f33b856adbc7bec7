import type { Env } from '@cairn/kit/env';
import { notFound } from '@cairn/kit/errors/errors';
import type { Db, Tx } from '@cairn/kit/store/store';
import { associatedTraits, deleteName, insertNames, listNames, nameRow, namesAmong, traitInUse } from '../store/names.ts';
import { bumpGeneration, setTraits, traitsOf } from '../store/providers.ts';
import type { ProviderRow } from '../store/tables.ts';
import { bad, checkGeneration, clash, noTraits } from './errors.ts';
import { getProvider } from './providers.ts';
import { STANDARD_TRAITS } from './standard-traits.ts';

const STANDARD = new Set(STANDARD_TRAITS);

/** Standard traits come first, as upstream's ids have it; then by name. */
export const byTrait = (a: string, b: string): number => Number(!STANDARD.has(a)) - Number(!STANDARD.has(b)) || (a < b ? -1 : a > b ? 1 : 0);
export const isStandardTrait = (name: string): boolean => STANDARD.has(name);

export interface Trait {
  readonly name: string;
  /** When it was made known; for a standard trait when this process began to know it. */
  readonly createdAtMs: number;
}

export interface TraitFilters {
  readonly names?: readonly string[];
  readonly prefix?: string;
  /** true: on at least one provider; false: on none. */
  readonly associated?: boolean;
}

/** Rules of traits and of their places on providers (placement/objects/trait.py). */
export type Traits = ReturnType<typeof createTraits>;

export function createTraits(env: Env) {
  const sinceMs = env.clock.nowMs();
  const standard = (name: string): Trait => ({ name, createdAtMs: sinceMs });
  const { store, clock } = env;

  async function known(db: Db, names: readonly string[]): Promise<Trait[]> {
    const custom = await namesAmong(
      db,
      'placement_trait',
      names.filter((name) => !STANDARD.has(name)),
    );
    const customNames = new Map(custom.map((row) => [row.name, row.created_at_ms]));
    return [...new Set(names)].flatMap((name) =>
      STANDARD.has(name) ? [standard(name)] : customNames.has(name) ? [{ name, createdAtMs: customNames.get(name) as number }] : [],
    );
  }

  return {
    async list(filters: TraitFilters): Promise<Trait[]> {
      let found = [
        ...STANDARD_TRAITS.map(standard),
        ...(await listNames(store.read, 'placement_trait')).map((row) => ({ name: row.name, createdAtMs: row.created_at_ms })),
      ];
      if (filters.names) {
        const names = new Set(filters.names);
        found = found.filter((trait) => names.has(trait.name));
      }
      if (filters.prefix !== undefined) found = found.filter((trait) => trait.name.startsWith(filters.prefix as string));
      if (filters.associated !== undefined) {
        const associated = await associatedTraits(store.read);
        found = found.filter((trait) => associated.has(trait.name) === filters.associated);
      }
      return found;
    },
    async get(name: string): Promise<Trait> {
      const [trait] = await known(store.read, [name]);
      if (!trait) throw notFound(noTraits([name]));
      return trait;
    },
    /** Makes a custom trait known; tells whether it is new. */
    async ensure(name: string): Promise<{ readonly trait: Trait; readonly created: boolean }> {
      const nowMs = clock.nowMs();
      const created = await store.write((tx) => insertNames(tx, 'placement_trait', [name], nowMs));
      const [trait] = await known(store.read, [name]);
      return { trait: trait ?? { name, createdAtMs: nowMs }, created: created > 0 };
    },
    async remove(name: string): Promise<void> {
      await store.write(async (tx) => {
        if (STANDARD.has(name)) throw bad(`Cannot delete standard trait ${name}.`);
        if (!(await nameRow(tx, 'placement_trait', name))) throw notFound(noTraits([name]));
        if (await traitInUse(tx, name)) throw clash(`The trait ${name} is in use by a resource provider.`);
        await deleteName(tx, 'placement_trait', name);
      });
    },
    /** Throws the given error for the names that are no traits. */
    async check(names: readonly string[], refuse: (unknown: readonly string[]) => Error): Promise<void> {
      const found = new Set((await known(store.read, names)).map((trait) => trait.name));
      const unknown = [...new Set(names)].filter((name) => !found.has(name));
      if (unknown.length > 0) throw refuse(unknown);
    },
    async ofProvider(providerId: string): Promise<{ readonly provider: ProviderRow; readonly traits: readonly Trait[] }> {
      const provider = await getProvider(store.read, providerId);
      return { provider, traits: await known(store.read, (await traitsOf(store.read, providerId)).toSorted(byTrait)) };
    },
    /** Makes the provider's traits exactly these; without a generation, whatever it was. The generation grows only where something changes. */
    async setOfProvider(
      providerId: string,
      names: readonly string[],
      generation?: number,
    ): Promise<{ readonly generation: number; readonly traits: readonly Trait[] }> {
      return store.write(async (tx: Tx) => {
        const provider = await getProvider(tx, providerId);
        if (generation !== undefined)
          checkGeneration(provider.generation, generation, "Resource provider's generation already changed. Please update the generation and try again.");
        const traits = await known(tx, names);
        const found = new Set(traits.map((trait) => trait.name));
        const unknown = [...new Set(names)].filter((name) => !found.has(name));
        if (unknown.length > 0) throw bad(`No such trait ${unknown.join(', ')}`);
        const before = new Set(await traitsOf(tx, providerId));
        if (before.size === found.size && [...found].every((name) => before.has(name))) return { generation: provider.generation, traits };
        await setTraits(tx, providerId, names);
        await bumpGeneration(tx, providerId, clock.nowMs());
        return { generation: provider.generation + 1, traits };
      });
    },
  };
}
