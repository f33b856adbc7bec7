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

/** The rows that a filter lets through, in their order. */
export function filtered<T>(rows: readonly T[], columns: readonly Valued<T>[], filter: Filter): readonly T[] {
  if (filter.tokens.length === 0) return rows;
  const tests = filter.tokens.map(({ propertyKey, operator, value }): ((row: T) => boolean) => {
    if (propertyKey !== undefined) {
      const column = columns.find(({ id }) => id === propertyKey);
      return (row) => column !== undefined && holds(operator, column.value(row), value);
    }
    // without a column: contained in any, or in none
    return operator.startsWith('!')
      ? (row) => columns.every((column) => holds(operator, column.value(row), value))
      : (row) => columns.some((column) => holds(operator, column.value(row), value));
  });
  return rows.filter(filter.operation === 'or' ? (row) => tests.some((passes) => passes(row)) : (row) => tests.every((passes) => passes(row)));
}

/** The rows in the order of a column; equal ones stay as they were. */
export function sorted<T>(rows: readonly T[], columns: readonly Valued<T>[], sorting: Sorting | undefined): readonly T[] {
  const column = columns.find(({ id }) => id === sorting?.column);
  if (column === undefined || sorting === undefined) return rows;
  const { compare } = new Intl.Collator(undefined, { numeric: true });
  const sign = sorting.descending ? -1 : 1;
  return rows
    .map((row) => ({ row, value: column.value(row) }))
    .sort((a, b) => sign * (typeof a.value === 'number' && typeof b.value === 'number' ? a.value - b.value : compare(String(a.value), String(b.value))))
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
