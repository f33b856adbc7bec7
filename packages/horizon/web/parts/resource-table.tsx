import { useCollection } from '@cloudscape-design/collection-hooks';
import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CollectionPreferences, { type CollectionPreferencesProps } from '@cloudscape-design/components/collection-preferences';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import PropertyFilter from '@cloudscape-design/components/property-filter';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/errors.ts';
import { useKept } from './kept.ts';

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

interface Props<T> {
  /** Under this name the browser keeps columns and page size. */
  readonly name: string;
  readonly title: string;
  readonly rows: UseQueryResult<readonly T[]>;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly labelOf: (row: T) => string;
  /** It is a part of a page that has a title of its own. */
  readonly inner?: boolean | undefined;
  /** Buttons, given what is selected. */
  readonly actions?: (selected: readonly T[]) => ReactNode;
  /** What to do when there is nothing yet. */
  readonly empty: { readonly title: string; readonly text: string; readonly action?: ReactNode };
}

type Preferences = Pick<CollectionPreferencesProps.Preferences, 'pageSize' | 'contentDisplay'>;
const isPreferences = (value: unknown): value is Preferences =>
  value !== null && typeof value === 'object' && Array.isArray((value as Preferences).contentDisplay);

/** A list of the cloud's resources: filtered by any property, sorted, paged, with the columns that its reader chose. */
export function ResourceTable<T>({ name, title, rows, columns, keyOf, labelOf, inner = false, actions, empty }: Props<T>) {
  const { t } = useTranslation();
  const initial: Preferences = { pageSize: 25, contentDisplay: columns.map(({ id, shown = true }) => ({ id, visible: shown })) };
  const [kept, keep] = useKept<Preferences>(`cairn.table.${name}`, initial, isPreferences);
  // a column that came with a newer version is shown as it is by default
  const display = columns.map(({ id }) => id).every((id) => kept.contentDisplay?.some((item) => item.id === id)) ? kept.contentDisplay : initial.contentDisplay;
  const pageSize = kept.pageSize ?? 25;
  // the filter looks at plain values by column
  const flat = useMemo(
    () => (rows.data ?? []).map((row) => ({ row, ...Object.fromEntries(columns.map(({ id, value }) => [id, value(row)])) })),
    [rows.data, columns],
  ) as readonly (Record<string, string | number> & { row: T })[];

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
  const {
    items,
    collectionProps,
    propertyFilterProps,
    paginationProps,
    filteredItemsCount,
    actions: change,
  } = useCollection(flat, {
    propertyFiltering: {
      filteringProperties: columns.map(({ id, header }) => ({
        key: id,
        propertyLabel: header,
        groupValuesLabel: header,
        operators: [':', '!:', '=', '!='] as const,
      })),
      // what was refused is not nothing
      empty: rows.isError ? '' : nothing(empty.title, empty.text, empty.action),
      noMatch: nothing(
        t('table.noMatch'),
        t('table.noMatchText'),
        <Button onClick={() => change.setPropertyFiltering({ tokens: [], operation: 'and' })}>{t('table.clearFilter')}</Button>,
      ),
    },
    pagination: { pageSize },
    sorting: {},
    selection: { trackBy: ({ row }) => keyOf(row), keepSelection: false },
  });
  const selected = (collectionProps.selectedItems ?? []).map(({ row }) => row);
  const failed = rows.error instanceof Error ? rows.error : undefined;

  return (
    <SpaceBetween size="m">
      {failed !== undefined && (
        <Alert type="error" header={t('table.failed')} action={<Button onClick={() => void rows.refetch()}>{t('table.again')}</Button>}>
          {failed.message} {failed instanceof ApiError && failed.requestId !== undefined && t('requestId', { id: failed.requestId })}
        </Alert>
      )}
      <Table
        {...collectionProps}
        variant={inner ? 'container' : 'full-page'}
        stickyHeader={!inner}
        items={items}
        loading={rows.isPending}
        loadingText={t('loading')}
        {...(actions && { selectionType: 'multi' as const })}
        columnDisplay={display}
        columnDefinitions={columns.map(({ id, header, value, cell }, index) => ({
          id,
          header,
          cell: ({ row }: { row: T }) => cell?.(row) ?? value(row),
          sortingField: id,
          isRowHeader: index === 0,
        }))}
        ariaLabels={{
          tableLabel: title,
          selectionGroupLabel: t('table.selection'),
          allItemsSelectionLabel: () => t('table.selectAll'),
          itemSelectionLabel: (_state, item) => t('table.select', { name: labelOf(item.row) }),
        }}
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
          <PropertyFilter
            {...propertyFilterProps}
            filteringPlaceholder={t('table.filter')}
            filteringAriaLabel={t('table.filter')}
            countText={t('table.matches', { count: filteredItemsCount ?? 0 })}
          />
        }
        pagination={<Pagination {...paginationProps} />}
        preferences={
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
        }
      />
    </SpaceBetween>
  );
}
