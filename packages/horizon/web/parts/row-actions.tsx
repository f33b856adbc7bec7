import ButtonDropdown from '@cloudscape-design/components/button-dropdown';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bulk } from './bulk.tsx';

interface Common<T> {
  readonly id: string;
  readonly text: string;
  /** Why it cannot be done with a row; undefined when it can. */
  readonly why?: (row: T) => string | undefined;
}

/** Something that can be done with rows of a table: one at a time in a dialog, or several at once after a question. */
export type RowAction<T> =
  | (Common<T> & { readonly dialog: (row: T, close: () => void) => ReactNode })
  | (Common<T> & { readonly ask: string; readonly run: (row: T) => Promise<unknown> });

interface Props<T> {
  readonly rows: readonly T[];
  readonly actions: readonly RowAction<T>[];
  readonly keyOf: (row: T) => string;
  readonly labelOf: (row: T) => string;
  /** What has to be asked for anew afterwards. */
  readonly touches: readonly (readonly unknown[])[];
}

/** A menu of what can be done with the selected rows; what cannot says why. */
export function RowActions<T>({ rows, actions, keyOf, labelOf, touches }: Props<T>) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [open, setOpen] = useState<{ readonly action: RowAction<T>; readonly rows: readonly T[] }>();
  const reasonOf = (action: RowAction<T>): string | undefined => {
    if ('dialog' in action && rows.length > 1) return t('rows.selectOne');
    return rows.map((row) => action.why?.(row)).find((why) => why !== undefined);
  };
  const [first] = open?.rows ?? [];
  const end = (): void => {
    setOpen(undefined);
    for (const queryKey of touches) void queries.invalidateQueries({ queryKey });
  };
  return (
    <>
      <ButtonDropdown
        items={actions.map((action) => {
          const reason = reasonOf(action);
          return { id: action.id, text: action.text, disabled: reason !== undefined, ...(reason !== undefined && { disabledReason: reason }) };
        })}
        disabled={rows.length === 0}
        disabledReason={t('actions.selectFirst')}
        onItemClick={({ detail }) => {
          const action = actions.find(({ id }) => id === detail.id);
          if (action !== undefined) setOpen({ action, rows });
        }}
      >
        {t('actions.title')}
      </ButtonDropdown>
      {open !== undefined &&
        ('dialog' in open.action ? (
          first !== undefined && open.action.dialog(first, end)
        ) : (
          <Ask action={open.action} rows={open.rows} keyOf={keyOf} labelOf={labelOf} end={end} />
        ))}
    </>
  );
}

interface AskProps<T> extends Pick<Props<T>, 'rows' | 'keyOf' | 'labelOf'> {
  readonly action: Extract<RowAction<T>, { readonly ask: string }>;
  readonly end: () => void;
}

function Ask<T>({ action, rows, keyOf, labelOf, end }: AskProps<T>) {
  const byKey = new Map(rows.map((row) => [keyOf(row), row]));
  return (
    <Bulk
      title={action.text}
      text={action.ask}
      confirm={action.text}
      items={rows.map((row) => ({ id: keyOf(row), name: labelOf(row) }))}
      run={({ id }) => action.run(byKey.get(id) as T)}
      onEnd={end}
    />
  );
}
