import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useSession } from '../session/session.ts';
import { fitOf } from './quota-room.ts';
import { quotaQuery } from './quota.ts';

interface Props {
  readonly service: 'compute' | 'volume' | 'network';
  /** What is about to be used, under the quota's own name, with the word for it: `{ gigabytes: [10, 'GiB'] }`. */
  readonly adding: Readonly<Record<string, readonly [count: number, word: string]>>;
}

/** Says before the click whether it fits the project's quota. Silent when nobody may know, or nothing is limited. */
export function QuotaHint({ service, adding }: Props) {
  const { t } = useTranslation();
  const { session } = useSession();
  const projectId = session.project?.id ?? '';
  const { data } = useQuery({ ...quotaQuery(service, projectId), enabled: projectId !== '' });
  if (data === undefined) return null;
  return Object.entries(adding).map(([name, [count, word]]) => {
    const room = data[name];
    if (room?.limit === undefined || Number.isNaN(count)) return null;
    const fit = fitOf(room, count);
    return (
      <div key={name}>
        <StatusIndicator type={fit === 'over' ? 'error' : fit === 'tight' ? 'warning' : 'success'}>
          {t(fit === 'over' ? 'quota.over' : 'quota.fits', { word, after: room.used + count, limit: room.limit })}
        </StatusIndicator>
      </div>
    );
  });
}
