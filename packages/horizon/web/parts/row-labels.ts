import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';

/** What a screen reader says of a table and of the boxes by which its rows are selected. */
export function useRowLabels<T>(title: string, labelOf: (row: T) => string) {
  const { t } = useTranslation();
  return useMemo(
    () => ({
      tableLabel: title,
      selectionGroupLabel: t('table.selection'),
      allItemsSelectionLabel: () => t('table.selectAll'),
      itemSelectionLabel: (_state: unknown, row: T) => t('table.select', { name: labelOf(row) }),
    }),
    [t, title, labelOf],
  );
}
