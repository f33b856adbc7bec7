import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type UseQueryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bulk } from './bulk.tsx';
import { type Column, ResourceTable } from './resource-table.tsx';
import { useSearchTexts } from './search-text.ts';

interface Props<T extends object> {
  readonly name: string;
  readonly title: string;
  readonly query: { readonly queryKey: readonly unknown[]; readonly queryFn?: unknown };
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly labelOf: (row: T) => string;
  /** Why a row cannot be deleted; undefined when it can. */
  readonly kept?: (row: T) => string | undefined;
  readonly remove?: (id: string) => Promise<unknown>;
  readonly empty: { readonly title: string; readonly text: string };
  /** The word on the button that makes one, and the form behind it. */
  readonly create?: Making;
  /** Further ways to make one, as plain buttons before it. */
  readonly more?: readonly Making[];
  /** Changes the one row that is selected. */
  readonly edit?: { readonly label: string; readonly form: (row: T, close: () => void) => ReactNode };
  /** What else can be done with the selected rows, before "Delete". */
  readonly actions?: (selected: readonly T[]) => ReactNode;
  /** Other words than those of deleting, where taking away is meant. */
  readonly removeWords?: { readonly label: string; readonly title: string; readonly text: string };
  /** It is a part of a page that has a title of its own. */
  readonly inner?: boolean;
}

interface Making {
  readonly label: string;
  readonly form: (close: () => void) => ReactNode;
  /** Why it cannot be done. */
  readonly reason?: string | undefined;
}

/** A page with one list, whose rows can be made and deleted. */
export function ListPage<T extends object>({
  name,
  title,
  query,
  columns,
  keyOf,
  labelOf,
  kept,
  remove,
  empty,
  create,
  more = [],
  edit,
  actions,
  removeWords,
  inner,
}: Props<T>) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const rows = useQuery(query as UseQueryOptions<readonly T[]>);
  const [removing, setRemoving] = useState<readonly T[]>();
  const [making, setMaking] = useState<Making>();
  const [read, write] = useSearchTexts();
  const asked = read('do');
  useEffect(() => {
    if (asked !== 'create' || inner === true || create === undefined) return;
    setMaking(create);
    write({ do: '' });
    // the form that was asked for is opened once
  }, [asked, inner, create, write]);
  const buttonOf = (one: Making, weight: 'primary' | 'normal') => (
    <Button key={one.label} variant={weight} onClick={() => setMaking(one)} {...(one.reason !== undefined && { disabled: true, disabledReason: one.reason })}>
      {one.label}
    </Button>
  );
  const button = create && buttonOf(create, 'primary');
  return (
    <>
      <ResourceTable
        name={name}
        title={title}
        rows={rows}
        columns={columns}
        inner={inner}
        keyOf={keyOf}
        labelOf={labelOf}
        actions={(selected) => {
          const reason = selected.length === 0 ? t('actions.selectFirst') : selected.map((row) => kept?.(row)).find((why) => why !== undefined);
          return (
            <SpaceBetween size="xs" direction="horizontal">
              {actions?.(selected)}
              {edit && (
                <Button
                  disabled={reason !== undefined || selected.length > 1}
                  disabledReason={reason ?? t('selectOne')}
                  onClick={() => setMaking({ label: edit.label, form: (close) => selected[0] && edit.form(selected[0], close) })}
                >
                  {edit.label}
                </Button>
              )}
              {remove && (
                <Button disabled={reason !== undefined} disabledReason={reason} onClick={() => setRemoving(selected)}>
                  {removeWords?.label ?? t('delete')}
                </Button>
              )}
              {more.map((one) => buttonOf(one, 'normal'))}
              {button}
            </SpaceBetween>
          );
        }}
        empty={{ ...empty, action: button }}
      />
      {removing !== undefined && remove && (
        <Bulk
          title={removeWords?.title ?? t('deleteTitle', { count: removing.length })}
          text={removeWords?.text ?? t('deleteText')}
          confirm={removeWords?.label ?? t('delete')}
          items={removing.map((row) => ({ id: keyOf(row), name: labelOf(row) }))}
          run={({ id }) => remove(id)}
          onEnd={() => {
            setRemoving(undefined);
            void queries.invalidateQueries({ queryKey: query.queryKey });
          }}
        />
      )}
      {making?.form(() => setMaking(undefined))}
    </>
  );
}
