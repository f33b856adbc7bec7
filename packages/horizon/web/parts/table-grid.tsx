import Table, { type TableProps } from '@cloudscape-design/components/table';
import { memo, useMemo } from 'react';
import { useRowLabels } from './row-labels.ts';
import { type Sorting, sortingText } from './table-model.ts';
import type { Column } from './resource-table.tsx';
import { type Preferences, TableEmpty, TableFilter, TableHeader, TablePages, TablePreferences } from './table-slots.tsx';

interface Props<T extends object> {
  readonly title: string;
  readonly inner: boolean;
  /** The rows of the page that is shown. */
  readonly items: readonly T[];
  /** The first of them among all that pass the filter, from 1 on, and how many those are. */
  readonly firstIndex: number;
  readonly total: number;
  readonly isLoading: boolean;
  readonly loadingText: string;
  /** What was refused is not nothing. */
  readonly isRefused: boolean;
  readonly columns: readonly Column<T>[];
  readonly display: Preferences['contentDisplay'];
  readonly keyOf: (row: T) => string;
  readonly labelOf: (row: T) => string;
  readonly sorting: Sorting | undefined;
  readonly onSort: (text: string) => void;
  readonly canSelect: boolean;
  readonly selected: readonly T[];
  readonly onSelect: (rows: readonly T[]) => void;
  readonly hasFilter: boolean;
  readonly hasPages: boolean;
}

// the same elements each time, so that only what they read draws them anew
const [HEADER, FILTER, PAGES, PREFERENCES, EMPTY] = [<TableHeader />, <TableFilter />, <TablePages />, <TablePreferences />, <TableEmpty />];

function Grid<T extends object>(props: Props<T>) {
  const { title, inner, columns, keyOf, labelOf, sorting, onSort, onSelect } = props;
  const definitions = useMemo(
    (): readonly TableProps.ColumnDefinition<T>[] =>
      columns.map((column, index) => ({
        id: column.id,
        header: column.header,
        isRowHeader: index === 0,
        ...('live' in column ? { cell: column.live } : { cell: (row: T) => column.cell?.(row) ?? column.value(row), sortingField: column.id }),
      })),
    [columns],
  );
  return (
    <Table
      variant={inner ? 'container' : 'full-page'}
      stickyHeader={!inner}
      items={props.items}
      trackBy={keyOf}
      totalItemsCount={props.total}
      firstIndex={props.firstIndex}
      loading={props.isLoading}
      loadingText={props.loadingText}
      empty={props.isRefused ? '' : EMPTY}
      {...(props.canSelect && { selectionType: 'multi' as const })}
      selectedItems={props.selected}
      onSelectionChange={({ detail }) => onSelect(detail.selectedItems)}
      sortingColumn={sorting && { sortingField: sorting.column }}
      sortingDescending={sorting?.descending === true}
      onSortingChange={({ detail }) => onSort(sortingText({ column: detail.sortingColumn.sortingField ?? '', descending: detail.isDescending === true }))}
      columnDisplay={props.display}
      columnDefinitions={definitions}
      ariaLabels={useRowLabels(title, labelOf)}
      header={HEADER}
      filter={props.hasFilter && FILTER}
      pagination={props.hasPages && PAGES}
      preferences={!inner && PREFERENCES}
    />
  );
}

/** The table itself. It is drawn anew only when its rows, their order or what is selected change, not with all that happens around it. */
export const TableGrid = memo(Grid) as typeof Grid;
