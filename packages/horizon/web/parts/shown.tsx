import Button from '@cloudscape-design/components/button';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/errors.ts';
import { Refusal } from './refusal.tsx';
import { Waiting } from './waiting.tsx';

/** What was asked for, as soon as it is there; or why it is not. */
export function Shown<T>({
  query,
  header,
  children,
}: {
  readonly query: UseQueryResult<T>;
  /** Said above the cloud's words when it cannot be shown, in place of the words for anything. */
  readonly header?: string;
  readonly children: (value: T) => ReactNode;
}) {
  const { t } = useTranslation();
  const { data, error } = query;
  if (data !== undefined && !(error instanceof ApiError && error.status === 404)) return children(data);
  if (error === null) return <Waiting />;
  return <Refusal header={header ?? t('notShown')} error={error} action={<Button onClick={() => void query.refetch()}>{t('table.again')}</Button>} />;
}
