import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type UseQueryOptions, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bulk } from './bulk.tsx';
import { type Column, ResourceTable } from './resource-table.tsx';

interface Props<T> {
  readonly name: string;
  readonly title: string;
  readonly query: { readonly queryKey: readonly unknown[]; readonly queryFn?: unknown };
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string;
  readonly labelOf: (row: T) => string;
  /** Why a row cannot be deleted; undefined when it can. */
  readonly kept?: (row: T) => string | undefined;
  readonly remove?: (id: string) => Promise<unknown>;
  /** Other words than those of deleting, where taking away is meant. */
  readonly removeWords?: { readonly label: string; readonly title: string; readonly text: string };
  /** It is a part of a page that has a title of its own. */
  readonly inner?: boolean;
  /** Further buttons, given what is selected. */
  readonly actions?: (selected: readonly T[]) => ReactNode;
  readonly empty: { readonly title: string; readonly text: string };
  /** The word on the button that makes one, and the form behind it. */
  readonly create?: { readonly label: string; readonly form: (close: () => void) => ReactNode };
}

/** A page with one list, whose rows can be made and deleted. */
export function ListPage<T>({ name, title, query, columns, keyOf, labelOf, kept, remove, removeWords, inner, actions, empty, create }: Props<T>) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const rows = useQuery(query as UseQueryOptions<readonly T[]>);
  const [removing, setRemoving] = useState<readonly T[]>();
  const [creating, setCreating] = useState(false);
  const button = create && (
    <Button variant="primary" onClick={() => setCreating(true)}>
      {create.label}
    </Button>
  );
  return (
    <>
      <ResourceTable
        name={name}
        title={title}
        rows={rows}
        columns={columns}
        keyOf={keyOf}
        labelOf={labelOf}
        inner={inner}
        actions={(selected) => {
          const reason = selected.length === 0 ? t('actions.selectFirst') : selected.map((row) => kept?.(row)).find((why) => why !== undefined);
          return (
            <SpaceBetween size="xs" direction="horizontal">
              {actions?.(selected)}
              {remove && (
                <Button disabled={reason !== undefined} disabledReason={reason} onClick={() => setRemoving(selected)}>
                  {removeWords?.label ?? t('delete')}
                </Button>
              )}
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
      {creating && create?.form(() => setCreating(false))}
    </>
  );
}
