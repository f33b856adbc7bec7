import type { Db } from '@cairn/kit/store/store';
import { membersOfTrees, type Room, roomOf, type TreeProvider, traitsOfProviders } from '../../store/search.ts';
import { byTrait } from '../traits.ts';

/** A provider with what it has. */
export interface TreeMember {
  readonly provider: TreeProvider;
  readonly inventories: readonly Room[];
  /** Sorted as answers show them. */
  readonly traits: readonly string[];
}

const MAX_REMEMBERED = 20_000;

/**
 * Traits of providers, remembered for as long as a provider is of the generation that they were read at: whatever changes its traits makes it
 * another one. A host has dozens, and they hardly ever change, while every search shows them.
 */
export class TraitMemory {
  readonly #known = new Map<string, { readonly generation: number; readonly createdAtMs: number; readonly traits: readonly string[] }>();

  async of(db: Db, providers: readonly TreeProvider[]): Promise<ReadonlyMap<string, readonly string[]>> {
    const found = new Map<string, readonly string[]>();
    const missing: TreeProvider[] = [];
    for (const provider of providers) {
      const known = this.#known.get(provider.id);
      // the time tells a provider from an earlier one of the same id
      if (known && known.generation === provider.generation && known.createdAtMs === provider.created_at_ms) found.set(provider.id, known.traits);
      else missing.push(provider);
    }
    const read = new Map<string, string[]>(missing.map(({ id }) => [id, []]));
    for (const { provider_id, trait } of await traitsOfProviders(db, [...read.keys()])) read.get(provider_id)?.push(trait);
    if (this.#known.size + missing.length > MAX_REMEMBERED) this.#known.clear();
    for (const { id, generation, created_at_ms: createdAtMs } of missing) {
      const traits = (read.get(id) ?? []).sort(byTrait);
      found.set(id, traits);
      this.#known.set(id, { generation, createdAtMs, traits });
    }
    return found;
  }
}

/** The trees that a search has come across, each loaded once. */
export class Trees {
  readonly #db: Db;
  readonly #memory: TraitMemory;
  readonly #members = new Map<string, TreeMember>();
  readonly #roots = new Set<string>();

  constructor(db: Db, memory: TraitMemory) {
    this.#db = db;
    this.#memory = memory;
  }

  async load(rootIds: Iterable<string>): Promise<void> {
    const missing = [...new Set(rootIds)].filter((id) => !this.#roots.has(id));
    await this.#add(missing, await membersOfTrees(this.#db, missing));
  }

  /** Takes in roots that have nothing below them. */
  async loadSingle(roots: readonly TreeProvider[]): Promise<void> {
    await this.#add(
      roots.map((root) => root.id),
      roots,
    );
  }

  async #add(rootIds: readonly string[], providers: readonly TreeProvider[]): Promise<void> {
    const rooms = new Map<string, Room[]>();
    for (const room of await roomOf(
      this.#db,
      providers.map((provider) => provider.id),
    )) {
      const list = rooms.get(room.provider_id);
      if (list) list.push(room);
      else rooms.set(room.provider_id, [room]);
    }
    const traits = await this.#memory.of(this.#db, providers);
    for (const provider of providers)
      this.#members.set(provider.id, { provider, inventories: rooms.get(provider.id) ?? [], traits: traits.get(provider.id) ?? [] });
    for (const id of rootIds) this.#roots.add(id);
  }

  /** A member of a loaded tree. */
  member(id: string): TreeMember {
    const member = this.#members.get(id);
    if (!member) throw new Error(`provider ${id} is in no tree that was loaded`);
    return member;
  }

  rootOf = (id: string): string => this.member(id).provider.root_id;

  members(): Iterable<TreeMember> {
    return this.#members.values();
  }

  /** The provider and all above it. */
  lineage(id: string): Set<string> {
    const line = new Set<string>();
    for (let at: string | null = id; at !== null && !line.has(at); at = this.member(at).provider.parent_id) line.add(at);
    return line;
  }
}
