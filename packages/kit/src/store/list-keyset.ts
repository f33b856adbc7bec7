import { type RawBuilder, sql } from 'kysely';

/** One column of the order, with its direction after any reversal. */
export interface SortKey {
  readonly ref: RawBuilder<unknown>;
  readonly name: string;
  readonly nullable: boolean;
  readonly descending: boolean;
}

/** The alias of the marker row's value of a key. */
export const marks = (at: number): string => `mark_${at}`;

/**
 * The ranges that follow the marker's row (`values`, one per key), in the order of the list. With one direction and no nullable key it is
 * one range by row comparison. Otherwise it is, from the last key to the first: equal up to the key, and beyond in the key. Written as one
 * OR the database would walk over all rows that share the first key; as separate ranges each one starts in the index where it should. Every
 * range is to be read in the whole order: with a part of it, PostgreSQL might take the index of another order.
 */
export function rangesAfter(keys: readonly SortKey[], values: readonly unknown[]): RawBuilder<boolean>[] {
  const descending = keys[0]?.descending ?? false;
  if (keys.every((key) => !key.nullable && key.descending === descending)) {
    const columns = sql.join(keys.map((key) => key.ref));
    const marker = sql.join([...values]);
    return [sql<boolean>`(${columns}) ${descending ? sql`<` : sql`>`} (${marker})`];
  }
  const ranges: RawBuilder<boolean>[] = [];
  for (let at = keys.length - 1; at >= 0; at -= 1) {
    const same = keys.slice(0, at).map((key, i) => equal(key, values[i]));
    for (const beyond of after(keys[at] as SortKey, values[at])) {
      ranges.push(sql<boolean>`${sql.join([...same, beyond], sql` and `)}`);
    }
  }
  return ranges;
}

const equal = (key: SortKey, value: unknown): RawBuilder<boolean> => (value === null ? sql`${key.ref} is null` : sql`${key.ref} = ${value}`);

/** What follows `value` in one key, null being smaller than all. */
function after(key: SortKey, value: unknown): RawBuilder<boolean>[] {
  if (!key.descending) return [value === null ? sql`${key.ref} is not null` : sql`${key.ref} > ${value}`];
  if (value === null) return [];
  return key.nullable ? [sql`${key.ref} < ${value}`, sql`${key.ref} is null`] : [sql`${key.ref} < ${value}`];
}
