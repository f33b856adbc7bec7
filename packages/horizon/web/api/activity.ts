import type { ServiceName } from './services.ts';

/** One call that the page made, as the activity panel shows it. */
export interface Activity {
  readonly number: number;
  readonly service: ServiceName;
  readonly method: string;
  /** Path within the service: `/v2.1/servers/detail?limit=100`. */
  readonly path: string;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;
  readonly startedAtMs: number;
  /** The path of the page that made it. */
  readonly page: string;
  readonly milliseconds?: number;
  /** 0 while it runs, or when no answer came. */
  readonly status: number;
  readonly requestId?: string | undefined;
}

const KEPT = 200;
let entries: readonly Activity[] = [];
let last = 0;
let page = '';
const listeners = new Set<() => void>();

const change = (next: readonly Activity[]): void => {
  entries = next;
  for (const listener of listeners) listener();
};

/** The calls of this page, newest first: a store for React's useSyncExternalStore. */
export const activity = {
  subscribe(listener: () => void): () => void {
    listeners.add(listener);
    return () => listeners.delete(listener);
  },
  list: (): readonly Activity[] => entries,
  /** Notes a call; the function that is returned notes its end. */
  begin(call: Omit<Activity, 'number' | 'status' | 'page'>): (end: { status: number; milliseconds: number; requestId?: string | undefined }) => void {
    last += 1;
    const number = last;
    change([{ ...call, number, page, status: 0 }, ...entries].slice(0, KEPT));
    return (end) => change(entries.map((entry) => (entry.number === number ? { ...entry, ...end } : entry)));
  },
  /** Calls from now on are made by the page at this path. */
  at(path: string): void {
    page = path;
  },
  clear(): void {
    change([]);
  },
};
