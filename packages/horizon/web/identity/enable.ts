import { useTranslation } from 'react-i18next';
import type { RowAction } from '../parts/row-actions.tsx';
import { change } from './queries.ts';

interface Enabled {
  readonly id: string;
  readonly enabled: boolean;
}

/** Enabling and disabling of domains, projects and users; `why` says what cannot be disabled. */
export function useEnabling<T extends Enabled>(plural: string, key: string, why?: (row: T) => string | undefined): readonly RowAction<T>[] {
  const { t } = useTranslation();
  return [
    {
      id: 'enable',
      text: t('identity.enable'),
      ask: t('identity.enableText'),
      why: ({ enabled }) => (enabled ? t('identity.isEnabled') : undefined),
      run: ({ id }) => change(plural, key, id, { enabled: true }),
    },
    {
      id: 'disable',
      text: t('identity.disable'),
      ask: t(`identity.disableText.${key as 'user'}`),
      why: (row) => (row.enabled ? why?.(row) : t('identity.isDisabled')),
      run: ({ id }) => change(plural, key, id, { enabled: false }),
    },
  ];
}
