import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type ReactNode, useCallback, useDeferredValue, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { whenIdle } from './idle.ts';
import { useKept } from './kept.ts';
import { Refusal } from './refusal.tsx';
import { useSearchTexts } from './search-text.ts';
import { TableGrid } from './table-grid.tsx';
import { filtered, filterOf, optionsOf, RowTexts, sorted, sortingOf } from './table-model.ts';
import { type Preferences, TableSurroundings } from './table-slots.tsx';

interface AnyColumn {
  readonly id: string;
  readonly header: string;
  /** Shown from the beginning; true when absent. */
  readonly shown?: boolean;
}

interface ValueColumn<T> extends AnyColumn {
  /** What it is sorted and filtered by. */
  readonly value: (row: T) => string | number;
  /** What is shown, when it is more than the value. */
  readonly cell?: (row: T) => ReactNode;
}

/** What is shown is not in the row, and is there for the rows on screen alone: nothing is sorted or filtered by it. */
interface LiveColumn<T> extends AnyColumn {
  readonly live: (row: T) => ReactNode;
}

export type Column<T> = ValueColumn<T> | LiveColumn<T>;

/** What a query gives, or what was made of it. */
interface Rows<T> {
  readonly data: readonly T[] | undefined;
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly refetch: () => unknown;
}

interface Props<T extends object> {
  /** Under this name the browser keeps columns and page size. */
  readonly name: string;
  readonly title: string;
  /** A query, or rows that are there already. */
  readonly rows: Rows<T> | { readonly data: readonly T[] };
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly labelOf: (row: T) => string;
  /** Buttons, given what is selected. */
  readonly actions?: ((selected: readonly T[]) => ReactNode) | undefined;
  /** What to do when there is nothing yet. */
  readonly empty: { readonly title: string; readonly text: string; readonly action?: ReactNode };
  /** It is a part of a page that has a title of its own; only a whole page keeps filter and order in its address. */
  readonly inner?: boolean | undefined;
}

const isPreferences = (value: unknown): value is Preferences =>
  value !== null && typeof value === 'object' && Array.isArray((value as Preferences).contentDisplay);
const WORDS = [':', '!:', '=', '!='] as const;
const NUMBERS = ['=', '!=', '<', '<=', '>', '>='] as const;
const NOTHING: readonly never[] = [];

/** Filter and order: in the address of a page, of a part only as long as it is there. */
function useView(inner: boolean) {
  const [read, write] = useSearchTexts();
  const [own, setOwn] = useState<Readonly<Record<string, string>>>({});
  const writeOwn = useCallback((texts: Readonly<Record<string, string>>) => setOwn((before) => ({ ...before, ...texts })), []);
  return inner ? ([(name: string) => own[name] ?? '', writeOwn] as const) : ([read, write] as const);
}

/** What is looked for in rows, made ready for all of them while the browser has nothing else to do. */
function useRowTexts<T extends object>(rows: readonly T[], columns: readonly ValueColumn<T>[]): RowTexts<T> {
  const texts = useMemo(() => new RowTexts(columns), [columns]);
  useEffect(() => {
    let at = 0;
    let leave: () => void;
    const go = (): void => {
      at = texts.prepare(rows, at);
      if (at < rows.length) leave = whenIdle(go);
    };
    leave = whenIdle(go);
    return () => leave();
  }, [texts, rows]);
  return texts;
}

/**
 * A list of the cloud's resources: filtered by any property, sorted, paged, with the columns that its reader chose. What is typed and clicked shows at
 * once; rows follow as soon as there is time (deferred values), and of ten thousand one page is drawn.
 */
export function ResourceTable<T extends object>({ name, title, rows: given, columns: shownColumns, keyOf, labelOf, actions, empty, inner = false }: Props<T>) {
  const { t } = useTranslation();
  const columns = useMemo(() => shownColumns.filter((column) => 'value' in column), [shownColumns]);
  const rows: Rows<T> = 'isPending' in given ? given : { ...given, error: null, isPending: false, refetch: () => undefined };
  const initial: Preferences = { pageSize: 25, contentDisplay: shownColumns.map(({ id, shown = true }) => ({ id, visible: shown })) };
  const [kept, keep] = useKept<Preferences>(`cairn.table.${name}`, initial, isPreferences);
  // a column that came with a newer version is shown as it is by default
  const isWhole = shownColumns.map(({ id }) => id).every((id) => kept.contentDisplay?.some((item) => item.id === id));
  const display = useMemo(() => (isWhole ? kept.contentDisplay : initial.contentDisplay), [isWhole, kept, shownColumns]);
  const pageSize = kept.pageSize ?? 25;

  const [read, write] = useView(inner);
  const [page, setPage] = useState(1);
  const [asked, order] = [read('filter'), read('sort')];
  const query = useMemo(() => filterOf(asked, columns), [asked, columns]);
  const sorting = useMemo(() => sortingOf(order, columns), [order, columns]);
  // the rows follow when there is time
  const shown = useDeferredValue(useMemo(() => ({ query, sorting, page, data: rows.data, pageSize }), [query, sorting, page, rows.data, pageSize]));
  const all = shown.data ?? NOTHING;
  const texts = useRowTexts(all, columns);
  const matching = useMemo(() => filtered(all, columns, shown.query, texts), [all, columns, shown.query, texts]);
  const ordered = useMemo(() => sorted(matching, columns, shown.sorting), [matching, columns, shown.sorting]);
  const options = useMemo(() => optionsOf(all, columns), [all, columns]);
  const pages = Math.max(1, Math.ceil(ordered.length / shown.pageSize));
  const current = Math.min(shown.page, pages);
  const items = useMemo(() => ordered.slice((current - 1) * shown.pageSize, current * shown.pageSize), [ordered, current, shown.pageSize]);

  // only what passes the filter is ever acted on
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const selected = useMemo(() => (chosen.size === 0 ? NOTHING : matching.filter((row) => chosen.has(keyOf(row)))), [chosen, matching, keyOf]);
  const select = useCallback((picked: readonly T[]) => setChosen(new Set(picked.map(keyOf))), [keyOf]);

  const change = useCallback(
    (texts: Readonly<Record<string, string>>): void => {
      setPage(1);
      write(texts);
    },
    [write],
  );
  const sort = useCallback((text: string) => change({ sort: text }), [change]);
  const [first] = all;
  const properties = useMemo(
    () =>
      columns.map(({ id, header, value }) => ({
        key: id,
        propertyLabel: header,
        groupValuesLabel: header,
        operators: first !== undefined && typeof value(first) === 'number' ? NUMBERS : WORDS,
      })),
    [columns, first],
  );

  return (
    <SpaceBetween size="m">
      {rows.error !== null && (
        <Refusal header={t('table.failed')} error={rows.error} action={<Button onClick={() => void rows.refetch()}>{t('table.again')}</Button>} />
      )}
      <TableSurroundings
        value={{
          title,
          inner,
          counter: rows.data === undefined ? '' : `(${selected.length > 0 ? `${selected.length}/` : ''}${rows.data.length})`,
          actions: actions?.(selected),
          query,
          properties,
          options,
          matches: matching.length,
          page: Math.min(page, pages),
          pages,
          preferences: { pageSize, contentDisplay: display ?? [] },
          columns: shownColumns,
          empty: all.length === 0 ? empty : undefined,
          setFilter: (filter) => change({ filter }),
          setPage,
          keep,
        }}
      >
        <TableGrid
          title={title}
          inner={inner}
          items={items}
          firstIndex={(current - 1) * shown.pageSize + 1}
          total={ordered.length}
          isLoading={rows.isPending || (shown.data === undefined && rows.data !== undefined)}
          loadingText={t('loading')}
          isRefused={rows.error !== null}
          columns={shownColumns}
          display={display}
          keyOf={keyOf}
          labelOf={labelOf}
          sorting={shown.sorting}
          onSort={sort}
          canSelect={actions !== undefined}
          selected={selected}
          onSelect={select}
          hasFilter={!inner || all.length > pageSize || query.tokens.length > 0}
          hasPages={!inner || pages > 1}
        />
      </TableSurroundings>
    </SpaceBetween>
  );
}
