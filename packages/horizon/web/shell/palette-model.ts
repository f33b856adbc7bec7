/** What Ctrl-K can lead to: a page, a thing of the cloud, or something to do. */
export interface Entry {
  readonly id: string;
  /** The word for its kind: `Page`, `Server`. */
  readonly kind: string;
  readonly text: string;
  /** What is found besides the text, such as an id, and shown beside it. */
  readonly detail?: string | undefined;
  readonly go: () => void;
}

const MOST_SHOWN = 30;

/** How well an entry fits what was typed; undefined when it does not. Less is better. */
function rank(entry: Entry, words: readonly string[]): number | undefined {
  const text = entry.text.toLowerCase();
  const all = `${text} ${entry.detail?.toLowerCase() ?? ''} ${entry.kind.toLowerCase()}`;
  if (!words.every((word) => all.includes(word))) return undefined;
  const [first = ''] = words;
  if (text.startsWith(words.join(' '))) return 0;
  if (text.split(/[\s_-]+/).some((part) => part.startsWith(first))) return 1;
  return text.includes(first) ? 2 : 3;
}

/** The entries that have every word of what was typed, best first; among equals in their order. */
export function matching(entries: readonly Entry[], typed: string): readonly Entry[] {
  const words = typed.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) return entries.slice(0, MOST_SHOWN);
  return entries
    .map((entry, index) => ({ entry, index, rank: rank(entry, words) }))
    .filter((one): one is typeof one & { rank: number } => one.rank !== undefined)
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .slice(0, MOST_SHOWN)
    .map(({ entry }) => entry);
}

/** Where the entry stands that was gone to by arrow keys, however the list has changed since; the best one where none was, or it is gone. */
export const placeOf = (entries: readonly Entry[], id: string | undefined): number =>
  Math.max(
    0,
    entries.findIndex((entry) => entry.id === id),
  );

/** What is found now, and behind it what was found before and is not among it. */
export const withEarlier = <T extends { readonly id: string }>(now: readonly T[], earlier: readonly T[]): readonly T[] => [
  ...now,
  ...earlier.filter(({ id }) => now.every((one) => one.id !== id)),
];

/** Is it an id of the cloud, so that single things can be asked for by it? */
export const isId = (typed: string): boolean => /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i.test(typed.trim());

/** Text as a regular expression that means it literally: compute finds names by expressions of the database. */
export const literally = (text: string): string => text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
