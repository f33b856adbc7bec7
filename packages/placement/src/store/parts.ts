// databases take only so many parameters in a statement (SQLite 32,766)
const PART = 500;

/** A list in parts that fit into one statement each. */
export function* partsOf<T>(list: Iterable<T>): Generator<T[]> {
  const all = [...list];
  for (let at = 0; at < all.length; at += PART) yield all.slice(at, at + PART);
}

/** Asks for parts of a list (of distinct ids) and puts the answers together. */
export async function inParts<T>(ids: Iterable<string>, ask: (part: string[]) => Promise<T[]>): Promise<T[]> {
  const found: T[] = [];
  for (const part of partsOf(new Set(ids))) found.push(...(await ask(part)));
  return found;
}
