import { useQueries } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { api } from '../api/client.ts';
import type { ServiceName } from '../api/services.ts';
import { isId, literally, withEarlier } from './palette-model.ts';

interface Named {
  readonly id: string;
  readonly name: string | null;
}
export interface Found extends Named {
  readonly kind: (typeof SOURCES)[number]['kind'];
  readonly path: string;
}

/** Kinds of things that can be found: where to ask for them by name, where for one of them, and the page of one. */
const SOURCES = [
  {
    kind: 'server',
    key: 'servers',
    service: 'compute',
    list: 'servers',
    one: 'server',
    base: '/v2.1/servers',
    query: (text: string) => `?limit=10&name=${encodeURIComponent(literally(text))}`,
    path: (id: string) => `/servers/${id}`,
  },
  {
    kind: 'volume',
    key: 'volumes',
    service: 'volume',
    list: 'volumes',
    one: 'volume',
    base: '/v3/volumes',
    // by a part of the name only administrators may ask
    query: () => '?limit=500',
    path: (id: string) => `/volumes/${id}`,
  },
  {
    kind: 'image',
    key: 'images',
    service: 'image',
    list: 'images',
    one: undefined,
    base: '/v2/images',
    query: () => '?limit=200',
    path: (id: string) => `/images/${id}`,
  },
  {
    kind: 'network',
    key: 'networks',
    service: 'network',
    list: 'networks',
    one: 'network',
    base: '/v2.0/networks',
    query: () => '?limit=200&fields=id&fields=name',
    path: (id: string) => `/networks/${id}`,
  },
  {
    kind: 'securityGroup',
    key: 'security-groups',
    service: 'network',
    list: 'security_groups',
    one: 'security_group',
    base: '/v2.0/security-groups',
    query: () => '?limit=200&fields=id&fields=name',
    path: (id: string) => `/security-groups/${id}`,
  },
] as const;

/** Somebody still types: ask when they pause. */
const PAUSE_MS = 200;
const LEAST_LETTERS = 2;

async function find(source: (typeof SOURCES)[number], text: string, signal: AbortSignal): Promise<readonly Found[]> {
  const service: ServiceName = source.service;
  const shown = ({ id, name }: Named): Found => ({ id, name, kind: source.kind, path: source.path(id) });
  if (isId(text)) {
    try {
      const answer = await api<Record<string, unknown>>(service, `${source.base}/${encodeURIComponent(text.trim())}`, { signal });
      return [shown((source.one === undefined ? answer : answer[source.one]) as Named)];
    } catch {
      // it is an id of something else
      return [];
    }
  }
  const answer = await api<Record<string, readonly Named[]>>(service, source.base + source.query(text), { signal });
  return (answer[source.list] ?? []).map(shown);
}

/** Things of the cloud by name or id, asked for when the reader pauses. */
export function useFound(typed: string): { readonly found: readonly Found[]; readonly busy: boolean } {
  const [text, setText] = useState('');
  useEffect(() => {
    const timer = setTimeout(() => setText(typed.trim()), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed]);
  const asks = useQueries({
    queries: SOURCES.map((source) => ({
      // below the list's own key, so that what is made meanwhile is found; those that cannot be asked for by a part of the name are asked for once
      queryKey: [source.key, 'find', isId(text) ? text : source.query(text)],
      queryFn: ({ signal }: { signal: AbortSignal }) => find(source, text, signal),
      enabled: text.length >= LEAST_LETTERS,
      staleTime: 0,
      retry: false,
    })),
  });
  const now = asks.flatMap(({ data }) => data ?? []);
  const busy = asks.some(({ isFetching }) => isFetching) || (typed.trim() !== text && typed.trim().length >= LEAST_LETTERS);
  // what was found stays until the next answers are there: somebody may be about to take it
  const [earlier, keep] = useState<readonly Found[]>([]);
  const found = busy ? withEarlier(now, earlier) : now;
  const told = JSON.stringify(found);
  useEffect(() => keep(JSON.parse(told) as readonly Found[]), [told]);
  return { found, busy };
}
