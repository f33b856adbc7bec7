import type { Db } from '@cairn/kit/store/store';
import { membersOfTrees, type TreeMember } from '../../store/search.ts';

/** The trees that a search has come across, each loaded once. */
export class Trees {
  readonly #db: Db;
  readonly #members = new Map<string, TreeMember>();
  readonly #roots = new Set<string>();

  constructor(db: Db) {
    this.#db = db;
  }

  async load(rootIds: Iterable<string>): Promise<void> {
    const missing = [...new Set(rootIds)].filter((id) => !this.#roots.has(id));
    for (const member of await membersOfTrees(this.#db, missing)) this.#members.set(member.provider.id, member);
    for (const id of missing) this.#roots.add(id);
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
