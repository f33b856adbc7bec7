import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { askUsage } from './queries.ts';
import { lineOf, UsageFeed } from './usage-feed.ts';

const [WIDTH, HEIGHT] = [90, 22];
const Feed = createContext<UsageFeed | undefined>(undefined);

/** Around a table whose rows show what their servers use. */
export function UsageOnScreen({ children }: { readonly children: ReactNode }) {
  const feed = useMemo(() => new UsageFeed(askUsage, () => document.visibilityState === 'hidden'), []);
  useEffect(() => {
    const look = (): void => {
      if (document.visibilityState === 'visible') feed.wake();
    };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [feed]);
  return <Feed value={feed}>{children}</Feed>;
}

/** What a server used of its processors in the last minutes: a line, the figure of now, and the range in words. */
export function CpuLine({ serverId }: { readonly serverId: string }) {
  const { t } = useTranslation();
  const feed = useContext(Feed);
  const points = useSyncExternalStore(
    useCallback((listener) => feed?.watch(serverId, listener) ?? (() => {}), [feed, serverId]),
    () => feed?.pointsOf(serverId),
  );
  const known = (points ?? []).flatMap(({ cpuPercent }) => (cpuPercent === null ? [] : [cpuPercent]));
  const now = known.at(-1);
  if (points === undefined || now === undefined) return '-';
  const words = t('servers.cpuRange', { least: Math.round(Math.min(...known)), most: Math.round(Math.max(...known)) });
  return (
    <span className="cpu-line">
      <svg role="img" aria-label={words} width={WIDTH} height={HEIGHT} viewBox={`0 0 ${WIDTH} ${HEIGHT}`}>
        <title>{words}</title>
        <path d={lineOf(points, WIDTH, HEIGHT)} />
      </svg>
      <span>{t('servers.cpuNow', { value: Math.round(now) })}</span>
    </span>
  );
}
