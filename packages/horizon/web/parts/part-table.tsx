import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Header from '@cloudscape-design/components/header';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Table from '@cloudscape-design/components/table';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bulk } from './bulk.tsx';
import { useRowLabels } from './row-labels.ts';

interface Props<T> {
  readonly title: string;
  readonly description?: string;
  /** Undefined while they are being asked for. */
  readonly items: readonly T[] | undefined;
  readonly columns: readonly { readonly id: string; readonly header: string; readonly cell: (row: T) => ReactNode }[];
  readonly keyOf: (row: T) => string;
  readonly labelOf: (row: T) => string;
  readonly empty: string;
  /** The word on the button that adds one, the form behind it, and why it cannot be. */
  readonly create?: { readonly label: string; readonly form: (close: () => void) => ReactNode; readonly not?: string | undefined };
  /** Changes the one that is selected. */
  readonly edit?: {
    readonly label: string;
    readonly form: (row: T, close: () => void) => ReactNode;
    /** Why a row stays as it is; undefined when it can be changed. */
    readonly kept?: (row: T) => string | undefined;
  };
  /** Takes away those that are selected; afterwards `touches` is asked for anew. */
  readonly remove?: {
    readonly label: string;
    readonly run: (row: T) => Promise<unknown>;
    readonly touches: readonly (readonly unknown[])[];
    /** Why a row has to stay; undefined when it has not. */
    readonly kept?: (row: T) => string | undefined;
  };
}

/** What belongs to a resource, on its page: rows that came with it, few, that are added, changed and taken away. Many rows are shown by `ListPage`, which filters, sorts and pages them. */
export function PartTable<T>({ title, description, items, columns, keyOf, labelOf, empty, create, edit, remove }: Props<T>) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [selectedKeys, setSelectedKeys] = useState<ReadonlySet<string>>(new Set());
  // what a dialog was opened for stays in it, whatever becomes of the table behind it
  const [open, setOpen] = useState<{ readonly what: 'create' | 'edit' | 'remove'; readonly rows: readonly T[] }>();
  const selected = (items ?? []).filter((row) => selectedKeys.has(keyOf(row)));
  const close = (): void => setOpen(undefined);
  const nothing = selected.length === 0 ? t('actions.selectFirst') : undefined;
  const several = selected.length > 1 ? t('selectOne') : undefined;
  const kept = selected.map((row) => remove?.kept?.(row)).find((reason) => reason !== undefined);
  const one = selected[0];
  const fixed = nothing ?? several ?? (one && edit?.kept?.(one));
  return (
    <>
      <Table
        items={[...(items ?? [])]}
        loading={items === undefined}
        loadingText={t('loading')}
        trackBy={keyOf}
        {...((edit || remove) && {
          selectionType: 'multi' as const,
          selectedItems: selected,
          onSelectionChange: ({ detail }: { detail: { selectedItems: T[] } }) => setSelectedKeys(new Set(detail.selectedItems.map(keyOf))),
        })}
        enableKeyboardNavigation
        wrapLines
        ariaLabels={useRowLabels(title, labelOf)}
        header={
          <Header
            variant="h2"
            {...(description !== undefined && { description })}
            counter={items === undefined ? '' : `(${items.length})`}
            actions={
              <SpaceBetween size="xs" direction="horizontal">
                {edit && (
                  <Button disabled={fixed !== undefined} disabledReason={fixed} onClick={() => setOpen({ what: 'edit', rows: selected })}>
                    {edit.label}
                  </Button>
                )}
                {remove && (
                  <Button
                    disabled={(nothing ?? kept) !== undefined}
                    disabledReason={nothing ?? kept}
                    onClick={() => setOpen({ what: 'remove', rows: selected })}
                  >
                    {remove.label}
                  </Button>
                )}
                {create && (
                  <Button disabled={create.not !== undefined} disabledReason={create.not} onClick={() => setOpen({ what: 'create', rows: selected })}>
                    {create.label}
                  </Button>
                )}
              </SpaceBetween>
            }
          >
            {title}
          </Header>
        }
        empty={<Box color="text-body-secondary">{empty}</Box>}
        columnDefinitions={columns.map((column, index) => ({ ...column, isRowHeader: index === 0 }))}
      />
      {open?.what === 'create' && create?.form(close)}
      {open?.what === 'edit' && open.rows[0] !== undefined && edit?.form(open.rows[0], close)}
      {open?.what === 'remove' && remove && (
        <Bulk
          title={t('removeTitle', { action: remove.label, count: open.rows.length })}
          text={t('deleteText')}
          confirm={remove.label}
          items={open.rows.map((row) => ({ id: keyOf(row), name: labelOf(row) }))}
          run={({ id }) => {
            const row = open.rows.find((each) => keyOf(each) === id);
            return row === undefined ? Promise.resolve() : remove.run(row);
          }}
          onEnd={() => {
            close();
            setSelectedKeys(new Set());
            for (const queryKey of remove.touches) void queries.invalidateQueries({ queryKey });
          }}
        />
      )}
    </>
  );
}
