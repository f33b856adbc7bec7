import { type QueryClient, useQueryClient } from '@tanstack/react-query';
import { createContext, type ReactNode, useContext, useEffect, useMemo, useRef, useState } from 'react';
import { regionNow } from '../api/region.ts';
import { keysOf } from './keys.ts';
import { ROW_LISTS } from './row-lists.ts';
import { RowRefresher } from './rows.ts';
import { type Change, listen, type StreamState } from './stream.ts';

/** `asked`: another region's changes are not told here, so that what is on screen is asked for anew now and then. */
type LiveState = StreamState | 'asked';

interface Live {
  readonly state: LiveState;
  /** Calls back for every change from now on. Returns the way to stop. */
  subscribe(listener: (change: Change) => void): () => void;
  /** The last changes that came, oldest first. */
  recent(): readonly Change[];
}

const LiveContext = createContext<Live | undefined>(undefined);

/** Changes come in bursts (a launch writes a dozen): lists are asked for anew at most this often. */
const GATHER_MS = 60;
const RECENT = 500;
const ASK_AGAIN_MS = 5_000;

/** Asks anew for what changed, gathered; only what is on screen is fetched, of long lists only the rows that changed. */
function refresher(queries: QueryClient): { touch(change: Change): void; all(): void; stop(): void } {
  const touched = new Map<string, readonly unknown[]>();
  const rows = new Map<string, Set<string>>();
  const refreshers = new Map(
    Object.entries(ROW_LISTS).map(([resource, list]) => [resource, { key: JSON.stringify(list.key), of: new RowRefresher(queries, list) }]),
  );
  let timer: ReturnType<typeof setTimeout> | undefined;
  const flush = (): void => {
    timer = undefined;
    for (const queryKey of touched.values()) void queries.invalidateQueries({ queryKey }, { cancelRefetch: true });
    for (const [resource, ids] of rows) {
      const refresher = refreshers.get(resource);
      // something else may have touched the whole list
      if (refresher && !touched.has(refresher.key)) void refresher.of.touch(ids);
    }
    touched.clear();
    rows.clear();
  };
  return {
    touch(change) {
      const rowKey = refreshers.get(change.resource)?.key;
      for (const key of keysOf(change)) {
        const text = JSON.stringify(key);
        if (text === rowKey) rows.set(change.resource, (rows.get(change.resource) ?? new Set()).add(change.id));
        else touched.set(text, key);
      }
      if (touched.size + rows.size > 0) timer ??= setTimeout(flush, GATHER_MS);
    },
    all: () => void queries.invalidateQueries(),
    stop: () => clearTimeout(timer),
  };
}

/** Keeps what the page shows as the cloud is, by its stream of changes. A new `epoch` is a renewed session: the stream begins again. */
export function LiveProvider({ epoch, children }: { readonly epoch: string; readonly children: ReactNode }) {
  const queries = useQueryClient();
  const [state, setState] = useState<LiveState>('connecting');
  const listeners = useRef(new Set<(change: Change) => void>());
  const recent = useRef<readonly Change[]>([]);
  useEffect(() => {
    if (regionNow() !== undefined) {
      setState('asked');
      // an answer that takes longer than this is waited for, or none would ever come
      const timer = setInterval(() => void queries.invalidateQueries({}, { cancelRefetch: false }), ASK_AGAIN_MS);
      return () => clearInterval(timer);
    }
    const end = new AbortController();
    const refresh = refresher(queries);
    // what happened in one project is not told in another
    recent.current = [];
    const handlers = {
      change(change: Change) {
        recent.current = [...recent.current, change].slice(-RECENT);
        refresh.touch(change);
        for (const listener of listeners.current) listener(change);
      },
      earlier(changes: readonly Change[]) {
        const from = recent.current[0]?.seq ?? Number.POSITIVE_INFINITY;
        recent.current = [...changes.filter(({ seq }) => seq < from), ...recent.current];
      },
      meanwhile: (changes: readonly Change[]) => changes.forEach(refresh.touch),
      lost: refresh.all,
      state: setState,
    };
    void listen(handlers, end.signal);
    return () => {
      end.abort();
      refresh.stop();
    };
  }, [queries, epoch]);
  const live = useMemo<Live>(
    () => ({
      state,
      subscribe(listener) {
        listeners.current.add(listener);
        return () => listeners.current.delete(listener);
      },
      recent: () => recent.current,
    }),
    [state],
  );
  return <LiveContext value={live}>{children}</LiveContext>;
}

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === undefined) throw new Error('nothing is live here');
  return live;
}
