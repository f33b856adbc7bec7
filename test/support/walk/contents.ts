import type { Contained } from './scene.ts';
import type { State } from './state.ts';

/** The bytes that stand at the slots of a disk; 0 where nothing was written. Everything between the slots is zero. */
export type Content = readonly number[];

/** Where a walk writes: spread over the first GiB, which every volume has, at both its ends too. */
export const SLOT_BYTES = 65_536;
export const SLOT_OFFSETS: readonly number[] = [0, 65_536, 2 ** 20, 100 * 2 ** 20, 2 ** 29, 2 ** 29 + 65_536, 2 ** 30 - 65_536];
const BLANK: Content = SLOT_OFFSETS.map(() => 0);

export interface Write {
  readonly volumeId: string;
  readonly slot: number;
  readonly byte: number;
}

/** One volume or snapshot, and what it may hold by what was done to it. */
export interface Expected {
  readonly kind: 'volume' | 'snapshot';
  readonly id: string;
  readonly contents: readonly Content[];
}

interface Thing {
  readonly kind: Contained;
  readonly id: string;
}
export type Note =
  | { readonly is: 'made'; readonly kind: Contained; readonly name: string; readonly of: Thing | undefined }
  | { readonly is: 'overwritten'; readonly volumeId: string; readonly by: Thing };
/** What a step wanted, and what it was told. */
export interface NotedStep {
  readonly notes: readonly Note[];
  readonly outcome: 'accepted' | 'refused' | 'unknown';
}

const keyOf = ({ kind, id }: Thing): string => `${kind} ${id}`;
const union = (...all: readonly (readonly Content[])[]): Content[] => [...new Map(all.flat().map((content) => [content.join(), content])).values()];

/**
 * What volumes, snapshots and backups hold, by what was done to them. Steps of one burst run side by side, so a copy made while its source is
 * overwritten may hold the one or the other; looking at it settles which.
 */
export class Contents {
  readonly #known = new Map<string, readonly Content[]>();
  #stamp = 0;

  /** Takes in what a burst did. */
  settle(state: State, steps: readonly NotedStep[]): void {
    const before = new Map(this.#known);
    const notes = steps.flatMap(({ notes, outcome }) => notes.map((note) => ({ note, outcome })));
    const overwrites = notes.flatMap(({ note, outcome }) => (note.is === 'overwritten' && outcome !== 'refused' ? [{ ...note, outcome }] : []));
    // a source that is itself overwritten meanwhile may be copied before or after
    const sourceOf = (of: Thing): readonly Content[] | undefined => {
      const own = before.get(keyOf(of));
      const others = overwrites.filter((o) => of.kind === 'volume' && o.volumeId === of.id).map((o) => before.get(keyOf(o.by)));
      return own === undefined || others.includes(undefined) ? undefined : union(own, ...(others as Content[][]));
    };
    for (const { volumeId } of overwrites) {
      const mine = overwrites.filter((o) => o.volumeId === volumeId);
      const by = mine.map((o) => sourceOf(o.by));
      const own = before.get(`volume ${volumeId}`);
      const isSure = mine.length === 1 && mine[0]?.outcome === 'accepted';
      if (by.includes(undefined) || (!isSure && own === undefined)) this.#known.delete(`volume ${volumeId}`);
      else this.#known.set(`volume ${volumeId}`, union(isSure ? [] : (own as Content[]), ...(by as Content[][])));
    }
    const rows = { volume: state.volumes, snapshot: state.snapshots, backup: state.backups };
    for (const { note } of notes) {
      if (note.is !== 'made') continue;
      const contents = note.of === undefined ? [BLANK] : sourceOf(note.of);
      for (const row of rows[note.kind].filter((r) => r.name === note.name && !before.has(`${note.kind} ${r.id}`)))
        if (contents !== undefined) this.#known.set(`${note.kind} ${row.id}`, contents);
    }
    for (const key of this.#known.keys()) {
      const [kind, id] = key.split(' ') as [Contained, string];
      if (!rows[kind].some((row) => row.id === id)) this.#known.delete(key);
    }
  }

  /** Writes to make to some volumes that nobody uses. */
  plan(state: State, random: () => number): Write[] {
    const free = state.volumes.filter((v) => v.status === 'available' && v.migration_status !== 'migrating' && this.#known.has(`volume ${v.id}`));
    return free
      .filter(() => random() < 0.6)
      .map(({ id }) => {
        this.#stamp = (this.#stamp % 255) + 1;
        return { volumeId: id, slot: Math.floor(random() * SLOT_OFFSETS.length), byte: this.#stamp };
      });
  }

  written(writes: readonly Write[]): void {
    for (const { volumeId, slot, byte } of writes) {
      const key = `volume ${volumeId}`;
      this.#known.set(
        key,
        (this.#known.get(key) ?? []).map((content) => content.with(slot, byte)),
      );
    }
  }

  /** All that can be looked at. */
  expected(): Expected[] {
    return [...this.#known].flatMap(([key, contents]) => {
      const [kind, id] = key.split(' ') as [Contained, string];
      return kind === 'backup' ? [] : [{ kind, id, contents }];
    });
  }

  /** It was looked at, and held this. */
  seen({ kind, id }: Thing, content: Content): void {
    this.#known.set(`${kind} ${id}`, [content]);
  }
}
