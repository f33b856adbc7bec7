import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CollectionPreferences, { type CollectionPreferencesProps } from '@cloudscape-design/components/collection-preferences';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import PropertyFilter from '@cloudscape-design/components/property-filter';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { type ReactNode, useDeferredValue, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useKept } from './kept.ts';
import { Refusal } from './refusal.tsx';
import { useRowLabels } from './row-labels.ts';
import { useSearchTexts } from './search-text.ts';
import { filtered, filterOf, filterText, optionsOf, sorted, sortingOf, sortingText } from './table-model.ts';

export interface Column<T> {
  readonly id: string;
  readonly header: string;
  /** What it is sorted and filtered by. */
  readonly value: (row: T) => string | number;
  /** What is shown, when it is more than the value. */
  readonly cell?: (row: T) => ReactNode;
  /** Shown from the beginning; true when absent. */
  readonly shown?: boolean;
}

/** What a query gives, or what was made of it. */
interface Rows<T> {
  readonly data: readonly T[] | undefined;
  readonly error: Error | null;
  readonly isPending: boolean;
  readonly refetch: () => unknown;
}

interface Props<T> {
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

type Preferences = Pick<CollectionPreferencesProps.Preferences, 'pageSize' | 'contentDisplay'>;
const isPreferences = (value: unknown): value is Preferences =>
  value !== null && typeof value === 'object' && Array.isArray((value as Preferences).contentDisplay);
const WORDS = [':', '!:', '=', '!='] as const;
const NUMBERS = ['=', '!=', '<', '<=', '>', '>='] as const;

/** Filter and order: in the address of a page, of a part only as long as it is there. */
function useView(inner: boolean) {
  const [read, write] = useSearchTexts();
  const [own, setOwn] = useState<Readonly<Record<string, string>>>({});
  return inner
    ? ([(name: string) => own[name] ?? '', (texts: Readonly<Record<string, string>>) => setOwn({ ...own, ...texts })] as const)
    : ([read, write] as const);
}

/**
 * A list of the cloud's resources: filtered by any property, sorted, paged, with the columns that its reader chose. Ten thousand rows
 * are filtered and sorted when the question or the rows change, never by drawing; only one page of them is drawn.
 */
export function ResourceTable<T>({ name, title, rows: given, columns, keyOf, labelOf, actions, empty, inner = false }: Props<T>) {
  const { t } = useTranslation();
  const rows: Rows<T> = 'isPending' in given ? given : { ...given, error: null, isPending: false, refetch: () => undefined };
  const initial: Preferences = { pageSize: 25, contentDisplay: columns.map(({ id, shown = true }) => ({ id, visible: shown })) };
  const [kept, keep] = useKept<Preferences>(`cairn.table.${name}`, initial, isPreferences);
  // a column that came with a newer version is shown as it is by default
  const display = columns.map(({ id }) => id).every((id) => kept.contentDisplay?.some((item) => item.id === id)) ? kept.contentDisplay : initial.contentDisplay;
  const pageSize = kept.pageSize ?? 25;

  const [read, write] = useView(inner);
  const [asked, order] = [read('filter'), read('sort')];
  const query = useMemo(() => filterOf(asked, columns), [asked, columns]);
  // what is typed and clicked answers at once; long lists follow
  const deferred = useDeferredValue(query);
  const sorting = useMemo(() => sortingOf(order, columns), [order, columns]);
  const all = useMemo(() => rows.data ?? [], [rows.data]);
  const matching = useMemo(() => filtered(all, columns, deferred), [all, columns, deferred]);
  const ordered = useMemo(() => sorted(matching, columns, sorting), [matching, columns, sorting]);
  const options = useMemo(() => optionsOf(all, columns), [all, columns]);
  const [first] = all;

  const [page, setPage] = useState(1);
  const pages = Math.max(1, Math.ceil(ordered.length / pageSize));
  const current = Math.min(page, pages);
  const items = ordered.slice((current - 1) * pageSize, current * pageSize);

  // only what passes the filter is ever acted on
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const selected = useMemo(() => (chosen.size === 0 ? [] : matching.filter((row) => chosen.has(keyOf(row)))), [chosen, matching, keyOf]);

  const change = (texts: Readonly<Record<string, string>>): void => {
    setPage(1);
    write(texts);
  };
  const nothing = (header: string, text: string, action?: ReactNode): ReactNode => (
    <Box textAlign="center" padding={{ vertical: 'l' }}>
      <SpaceBetween size="m">
        <Box variant="h3" tagOverride="p">
          {header}
        </Box>
        <Box color="text-body-secondary">{text}</Box>
        {action}
      </SpaceBetween>
    </Box>
  );

  return (
    <SpaceBetween size="m">
      {rows.error !== null && (
        <Refusal header={t('table.failed')} error={rows.error} action={<Button onClick={() => void rows.refetch()}>{t('table.again')}</Button>} />
      )}
      <Table
        variant={inner ? 'container' : 'full-page'}
        stickyHeader={!inner}
        items={items}
        trackBy={keyOf}
        totalItemsCount={ordered.length}
        firstIndex={(current - 1) * pageSize + 1}
        loading={rows.isPending}
        loadingText={t('loading')}
        empty={
          rows.error !== null
            ? // what was refused is not nothing
              ''
            : all.length === 0
              ? nothing(empty.title, empty.text, empty.action)
              : nothing(t('table.noMatch'), t('table.noMatchText'), <Button onClick={() => change({ filter: '' })}>{t('table.clearFilter')}</Button>)
        }
        {...(actions && { selectionType: 'multi' as const })}
        selectedItems={selected}
        onSelectionChange={({ detail }) => setChosen(new Set(detail.selectedItems.map(keyOf)))}
        sortingColumn={sorting && { sortingField: sorting.column }}
        sortingDescending={sorting?.descending === true}
        onSortingChange={({ detail }) =>
          change({ sort: sortingText({ column: detail.sortingColumn.sortingField ?? '', descending: detail.isDescending === true }) })
        }
        columnDisplay={display}
        columnDefinitions={columns.map(({ id, header, value, cell }, index) => ({
          id,
          header,
          cell: (row: T) => cell?.(row) ?? value(row),
          sortingField: id,
          isRowHeader: index === 0,
        }))}
        ariaLabels={useRowLabels(title, labelOf)}
        header={
          <Header
            variant={inner ? 'h2' : 'awsui-h1-sticky'}
            counter={rows.data === undefined ? '' : `(${selected.length > 0 ? `${selected.length}/` : ''}${rows.data.length})`}
            actions={actions?.(selected)}
          >
            {title}
          </Header>
        }
        filter={
          (!inner || all.length > pageSize || query.tokens.length > 0) && (
            <PropertyFilter
              query={query}
              onChange={({ detail }) => change({ filter: filterText(detail as typeof query) })}
              filteringProperties={columns.map(({ id, header, value }) => ({
                key: id,
                propertyLabel: header,
                groupValuesLabel: header,
                operators: first !== undefined && typeof value(first) === 'number' ? [...NUMBERS] : [...WORDS],
              }))}
              filteringOptions={options}
              virtualScroll
              filteringPlaceholder={t('table.filter')}
              filteringAriaLabel={t('table.filter')}
              countText={t('table.matches', { count: matching.length })}
            />
          )
        }
        pagination={
          (!inner || pages > 1) && <Pagination currentPageIndex={current} pagesCount={pages} onChange={({ detail }) => setPage(detail.currentPageIndex)} />
        }
        preferences={
          !inner && (
            <CollectionPreferences
              title={t('table.preferences')}
              confirmLabel={t('confirm')}
              cancelLabel={t('cancel')}
              preferences={{ pageSize, contentDisplay: display ?? [] }}
              onConfirm={({ detail }) => keep({ pageSize: detail.pageSize ?? 25, contentDisplay: detail.contentDisplay ?? [] })}
              pageSizePreference={{ title: t('table.pageSize'), options: [10, 25, 50, 100].map((value) => ({ value, label: String(value) })) }}
              contentDisplayPreference={{
                title: t('table.columns'),
                options: columns.map(({ id, header }, index) => ({ id, label: header, alwaysVisible: index === 0 })),
              }}
            />
          )
        }
      />
    </SpaceBetween>
  );
}
