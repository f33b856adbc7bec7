/** Filtering and sorting of the tables' rows, and how a filter is written into the page's address. Without React. */

/** One condition: a column's value, or without a column any value, compared with text. */
interface Token {
  readonly propertyKey?: string;
  readonly operator: string;
  readonly value: string;
}

export interface Filter {
  readonly operation: 'and' | 'or';
  readonly tokens: readonly Token[];
}

/** `descending` as the address says it: `-name`. */
export interface Sorting {
  readonly column: string;
  readonly descending: boolean;
}

/** What the model needs of a column. */
export interface Valued<T> {
  readonly id: string;
  readonly value: (row: T) => string | number;
}

export const NO_FILTER: Filter = { operation: 'and', tokens: [] };
/** A column with more different values offers none of them: nobody reads them, and tens of thousands stall the page. */
const MOST_OPTIONS = 100;

const escaped = (value: string): string => value.replaceAll(/[\\&|]/g, String.raw`\$&`);

/** A filter as text for the address: `status:active&name!:web`, or with `|` where one condition is enough. */
export const filterText = (filter: Filter): string =>
  filter.tokens.map(({ propertyKey = '', operator, value }) => propertyKey + operator + escaped(value)).join(filter.operation === 'or' ? '|' : '&');

/** The filter that a text of the address means; conditions on columns that do not exist are left out. */
export function filterOf(text: string, columns: readonly { readonly id: string }[]): Filter {
  const parts: string[] = [''];
  let operation: Filter['operation'] = 'and';
  for (const [piece] of text.matchAll(/\\[\s\S]|[\s\S]/g)) {
    if (piece === '&' || piece === '|') {
      if (piece === '|') operation = 'or';
      parts.push('');
    } else parts.push((parts.pop() ?? '') + (piece.length > 1 ? piece.slice(1) : piece));
  }
  const tokens: Token[] = [];
  for (const part of parts) {
    const [, key, operator, value] = /^([\w.-]*)(!:|!=|<=|>=|[:=<>])([\s\S]+)$/.exec(part) ?? [];
    if (operator === undefined || value === undefined) continue;
    if (key === '' || key === undefined) tokens.push({ operator, value });
    else if (columns.some(({ id }) => id === key)) tokens.push({ propertyKey: key, operator, value });
  }
  return { operation, tokens };
}

export const sortingText = (sorting: Sorting | undefined): string => (sorting === undefined ? '' : (sorting.descending ? '-' : '') + sorting.column);

export function sortingOf(text: string, columns: readonly { readonly id: string }[]): Sorting | undefined {
  const column = text.replace(/^-/, '');
  return columns.some(({ id }) => id === column) ? { column, descending: text.startsWith('-') } : undefined;
}

function holds(operator: string, actual: string | number, wanted: string): boolean {
  if (operator === '<' || operator === '>' || operator === '<=' || operator === '>=') {
    const [a, b] = typeof actual === 'number' ? [actual, Number(wanted)] : [actual, wanted];
    return operator === '<' ? a < b : operator === '>' ? a > b : operator === '<=' ? a <= b : a >= b;
  }
  const [text, other] = [String(actual).toLowerCase(), wanted.toLowerCase()];
  if (operator === ':') return text.includes(other);
  if (operator === '!:') return !text.includes(other);
  return operator === '!=' ? text !== other : text === other;
}

/** How long rows are made ready for at a time, so that no frame waits for it. */
const READY_MS = 4;

/** All that a filter looks for in a row without naming a column, in small letters: made once for each row, since making it costs more than looking. */
export class RowTexts<T extends object> {
  readonly #columns: readonly Valued<T>[];
  readonly #texts = new WeakMap<T, string>();

  constructor(columns: readonly Valued<T>[]) {
    this.#columns = columns;
  }

  /** The values with a character in between that nobody looks for. */
  of(row: T): string {
    let text = this.#texts.get(row);
    if (text === undefined) {
      text = this.#columns
        .map(({ value }) => value(row))
        .join('\0')
        .toLowerCase();
      this.#texts.set(row, text);
    }
    return text;
  }

  /** Makes rows ready from one of them on, for a moment; returns where it came to. */
  prepare(rows: readonly T[], from: number): number {
    const endMs = performance.now() + READY_MS;
    let at = from;
    for (; at < rows.length && (at % 50 !== 0 || performance.now() < endMs); at++) this.of(rows[at] as T);
    return at;
  }
}

/** The rows that a filter lets through, in their order. */
export function filtered<T extends object>(rows: readonly T[], columns: readonly Valued<T>[], filter: Filter, texts = new RowTexts(columns)): readonly T[] {
  if (filter.tokens.length === 0) return rows;
  const tests = filter.tokens.map(({ propertyKey, operator, value }): ((row: T) => boolean) => {
    if (propertyKey !== undefined) {
      const column = columns.find(({ id }) => id === propertyKey);
      return (row) => column !== undefined && holds(operator, column.value(row), value);
    }
    const wanted = value.toLowerCase();
    // without a column: contained in any, or in none
    if (operator === ':') return (row) => texts.of(row).includes(wanted);
    if (operator === '!:') return (row) => !texts.of(row).includes(wanted);
    return operator.startsWith('!')
      ? (row) => columns.every((column) => holds(operator, column.value(row), value))
      : (row) => columns.some((column) => holds(operator, column.value(row), value));
  });
  return rows.filter(filter.operation === 'or' ? (row) => tests.some((passes) => passes(row)) : (row) => tests.every((passes) => passes(row)));
}

/**
 * A text that sorts by its characters as names with numbers in them are to be sorted: `a2` before `a10`, capitals beside small letters. Undefined for
 * texts that only the rules of a language can sort.
 */
function sortKey(text: string): string | undefined {
  if (/[^ -~]/.test(text)) return undefined;
  return text.toLowerCase().replaceAll(/\d+/g, (digits) => {
    const number = digits.replace(/^0+(?=.)/, '');
    return `0${String.fromCharCode(number.length)}${number}`;
  });
}

/** The rows in the order of a column; equal ones stay as they were. */
export function sorted<T>(rows: readonly T[], columns: readonly Valued<T>[], sorting: Sorting | undefined): readonly T[] {
  const column = columns.find(({ id }) => id === sorting?.column);
  if (column === undefined || sorting === undefined) return rows;
  const sign = sorting.descending ? -1 : 1;
  const valued = rows.map((row) => ({ row, value: column.value(row), key: '' }));
  const isNumeric = valued.every(({ value }) => typeof value === 'number');
  const isPlain =
    !isNumeric &&
    valued.every((one) => {
      const key = sortKey(String(one.value));
      one.key = key ?? '';
      return key !== undefined;
    });
  // ten thousand rows are compared a hundred thousand times, and the rules of a language take ten times as long
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  return valued
    .sort((a, b) => {
      if (isPlain) return a.key === b.key ? 0 : a.key < b.key ? -sign : sign;
      return sign * (isNumeric ? (a.value as number) - (b.value as number) : compare(String(a.value), String(b.value)));
    })
    .map(({ row }) => row);
}

/** What the filter offers for each column that has few different values. */
export function optionsOf<T>(rows: readonly T[], columns: readonly Valued<T>[]): readonly { readonly propertyKey: string; readonly value: string }[] {
  return columns.flatMap(({ id, value }) => {
    const values = new Set<string>();
    for (const row of rows) {
      values.add(String(value(row)));
      if (values.size > MOST_OPTIONS) return [];
    }
    values.delete('');
    return [...values].sort().map((one) => ({ propertyKey: id, value: one }));
  });
}
