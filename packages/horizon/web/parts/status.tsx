import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import { useTranslation } from 'react-i18next';
import { kindOfStatus } from './status-kind.ts';

const TYPES: Readonly<Record<ReturnType<typeof kindOfStatus>, StatusIndicatorProps.Type>> = {
  good: 'success',
  bad: 'error',
  busy: 'in-progress',
  off: 'stopped',
  unknown: 'info',
};

/** A state of the API with its colour and its name in the reader's language; what is not known stays as the API said it. */
export function Status({ status, task }: { readonly status: string; readonly task?: string | null | undefined }) {
  const { t, i18n } = useTranslation();
  const key = `states.${status.toLowerCase()}`;
  const words = i18n.exists(key) ? t(key as 'states.active') : status;
  const taskKey = `tasks.${task ?? ''}`;
  const taskWords = task === undefined || task === null ? '' : ` (${i18n.exists(taskKey) ? t(taskKey as 'tasks.spawning') : task})`;
  return <StatusIndicator type={task === undefined || task === null ? TYPES[kindOfStatus(status)] : 'in-progress'}>{words + taskWords}</StatusIndicator>;
}
