import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import CollectionPreferences, { type CollectionPreferencesProps } from '@cloudscape-design/components/collection-preferences';
import Header from '@cloudscape-design/components/header';
import Pagination from '@cloudscape-design/components/pagination';
import PropertyFilter, { type PropertyFilterProps } from '@cloudscape-design/components/property-filter';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { createContext, type ReactNode, useContext } from 'react';
import { useTranslation } from 'react-i18next';
import { type Filter, filterText } from './table-model.ts';

export type Preferences = Pick<CollectionPreferencesProps.Preferences, 'pageSize' | 'contentDisplay'>;

/** What stands around the rows of a table. */
export interface Surroundings {
  readonly title: string;
  readonly inner: boolean;
  /** `(3/100)`. */
  readonly counter: string;
  readonly actions: ReactNode;
  readonly query: Filter;
  readonly properties: readonly PropertyFilterProps.FilteringProperty[];
  readonly options: readonly PropertyFilterProps.FilteringOption[];
  readonly matches: number;
  readonly page: number;
  readonly pages: number;
  readonly preferences: Preferences;
  readonly columns: readonly { readonly id: string; readonly header: string }[];
  /** Nothing is there at all, and what to do about it; undefined when it is the filter that lets nothing through. */
  readonly empty: { readonly title: string; readonly text: string; readonly action?: ReactNode } | undefined;
  setFilter(text: string): void;
  setPage(page: number): void;
  keep(preferences: Preferences): void;
}

/**
 * The parts around the rows read this by themselves, so that a key that is pressed in the filter, or a page that is turned, draws them and not
 * the table with all of its rows.
 */
export const TableSurroundings = createContext<Surroundings | undefined>(undefined);

function useSurroundings(): Surroundings {
  const surroundings = useContext(TableSurroundings);
  if (surroundings === undefined) throw new Error('a part of a table stands without one');
  return surroundings;
}

export function TableHeader() {
  const { title, inner, counter, actions } = useSurroundings();
  return (
    <Header variant={inner ? 'h2' : 'awsui-h1-sticky'} counter={counter} actions={actions}>
      {title}
    </Header>
  );
}

export function TableFilter() {
  const { t } = useTranslation();
  const { query, properties, options, matches, setFilter } = useSurroundings();
  return (
    <PropertyFilter
      query={query}
      onChange={({ detail }) => setFilter(filterText(detail as Filter))}
      filteringProperties={properties}
      filteringOptions={options}
      virtualScroll
      filteringPlaceholder={t('table.filter')}
      filteringAriaLabel={t('table.filter')}
      countText={t('table.matches', { count: matches })}
    />
  );
}

export function TablePages() {
  const { page, pages, setPage } = useSurroundings();
  return <Pagination currentPageIndex={page} pagesCount={pages} onChange={({ detail }) => setPage(detail.currentPageIndex)} />;
}

export function TablePreferences() {
  const { t } = useTranslation();
  const { preferences, columns, keep } = useSurroundings();
  return (
    <CollectionPreferences
      title={t('table.preferences')}
      confirmLabel={t('confirm')}
      cancelLabel={t('cancel')}
      preferences={preferences}
      onConfirm={({ detail }) => keep({ pageSize: detail.pageSize ?? 25, contentDisplay: detail.contentDisplay ?? [] })}
      pageSizePreference={{ title: t('table.pageSize'), options: [10, 25, 50, 100].map((value) => ({ value, label: String(value) })) }}
      contentDisplayPreference={{
        title: t('table.columns'),
        options: columns.map(({ id, header }, index) => ({ id, label: header, alwaysVisible: index === 0 })),
      }}
    />
  );
}

export function TableEmpty() {
  const { t } = useTranslation();
  const { empty, setFilter } = useSurroundings();
  const { title, text, action } = empty ?? {
    title: t('table.noMatch'),
    text: t('table.noMatchText'),
    action: <Button onClick={() => setFilter('')}>{t('table.clearFilter')}</Button>,
  };
  return (
    <Box textAlign="center" padding={{ vertical: 'l' }}>
      <SpaceBetween size="m">
        <Box variant="h3" tagOverride="p">
          {title}
        </Box>
        <Box color="text-body-secondary">{text}</Box>
        {action}
      </SpaceBetween>
    </Box>
  );
}
