/** What a server used at a moment. */
export interface UsagePoint {
  readonly atMs: number;
  /** Of all virtual processors together, 0 to 100; null where it is not known. */
  readonly cpuPercent: number | null;
  readonly memoryMib: number;
}

/** Of some servers, by their ids, what came after a moment. */
export type AskUsage = (serverIds: readonly string[], sinceMs: number) => Promise<ReadonlyMap<string, readonly UsagePoint[]>>;

/** How often hosts look, and how much of it a line shows. */
export const USAGE_EVERY_MS = 10_000;
export const USAGE_SHOWN_MS = 600_000;
/** Rows of a page come one by one; they are asked for together. */
const GATHER_MS = 30;
/** The API takes no more at once. */
const MOST_SERVERS = 100;
const NONE: readonly UsagePoint[] = [];

/** What was known and what came since, without what is too old to be shown. */
export function joined(before: readonly UsagePoint[], news: readonly UsagePoint[]): readonly UsagePoint[] {
  const last = before.at(-1)?.atMs ?? 0;
  const all = [...before, ...news.filter(({ atMs }) => atMs > last)];
  const oldest = (all.at(-1)?.atMs ?? 0) - USAGE_SHOWN_MS;
  return all.filter(({ atMs }) => atMs > oldest);
}

/**
 * What the servers on screen use: all that are watched are asked for with one call, again and again while somebody looks, and only for what is new.
 * Nothing is asked while the page is hidden.
 */
export class UsageFeed {
  readonly #ask: AskUsage;
  readonly #isHidden: () => boolean;
  readonly #points = new Map<string, readonly UsagePoint[]>();
  readonly #watchers = new Map<string, Set<() => void>>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #dueMs = Number.POSITIVE_INFINITY;

  constructor(ask: AskUsage, isHidden: () => boolean) {
    this.#ask = ask;
    this.#isHidden = isHidden;
  }

  /** Calls back when there is more of a server, until the answer is called. */
  watch(serverId: string, listener: () => void): () => void {
    const watchers = this.#watchers.get(serverId) ?? new Set();
    this.#watchers.set(serverId, watchers.add(listener));
    if (!this.#points.has(serverId)) this.#askIn(GATHER_MS);
    return () => {
      watchers.delete(listener);
      if (watchers.size > 0 || this.#watchers.get(serverId) !== watchers) return;
      this.#watchers.delete(serverId);
      if (this.#watchers.size === 0) this.#rest();
    };
  }

  /** Oldest first; the same array until there is more. */
  pointsOf(serverId: string): readonly UsagePoint[] {
    return this.#points.get(serverId) ?? NONE;
  }

  /** The page is on screen again. */
  wake(): void {
    if (this.#watchers.size > 0) this.#askIn(GATHER_MS);
  }

  #rest(): void {
    clearTimeout(this.#timer);
    this.#dueMs = Number.POSITIVE_INFINITY;
  }

  /** Sooner, where it is later already. */
  #askIn(ms: number): void {
    const dueMs = Date.now() + ms;
    if (dueMs >= this.#dueMs) return;
    clearTimeout(this.#timer);
    this.#dueMs = dueMs;
    this.#timer = setTimeout(() => {
      this.#dueMs = Number.POSITIVE_INFINITY;
      if (this.#isHidden()) return;
      this.#askIn(USAGE_EVERY_MS);
      void this.#refresh();
    }, ms);
  }

  async #refresh(): Promise<void> {
    const ids = [...this.#watchers.keys()].slice(0, MOST_SERVERS);
    const isNew = ids.some((id) => !this.#points.has(id));
    const newest = Math.max(...ids.map((id) => this.pointsOf(id).at(-1)?.atMs ?? 0));
    // hosts do not look at the same moment, so the last ones are asked for once more
    const sinceMs = isNew || newest === 0 ? Date.now() - USAGE_SHOWN_MS : newest - 2 * USAGE_EVERY_MS;
    try {
      const answer = await this.#ask(ids, sinceMs);
      for (const id of ids) {
        const before = this.#points.get(id);
        const now = joined(before ?? NONE, answer.get(id) ?? NONE);
        this.#points.set(id, now);
        if (now.length > 0) for (const listener of this.#watchers.get(id) ?? []) listener();
      }
    } catch {
      // a line that does not grow says enough; the next round asks again
    }
  }
}

/** The line of a course in a box, for `d` of an SVG path: it breaks where nothing is known. The newest point stands at the right edge. */
export function lineOf(points: readonly UsagePoint[], width: number, height: number): string {
  const endMs = points.at(-1)?.atMs ?? 0;
  let isOpen = false;
  const parts: string[] = [];
  for (const { atMs, cpuPercent } of points) {
    if (cpuPercent === null) isOpen = false;
    else {
      const x = width * (1 - (endMs - atMs) / USAGE_SHOWN_MS);
      parts.push(`${isOpen ? 'L' : 'M'}${x.toFixed(1)} ${(height - 1 - (cpuPercent / 100) * (height - 2)).toFixed(1)}`);
      isOpen = true;
    }
  }
  return parts.join('');
}
