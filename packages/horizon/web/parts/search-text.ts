import { useLocation, useNavigate } from '@tanstack/react-router';
import { useCallback } from 'react';

/**
 * Sets parts of the page's address behind the question mark, and takes out those that are empty; the page stays where it is.
 * What is read is text, whatever the address looks like.
 */
export function useSearchTexts(): readonly [(name: string) => string, (texts: Readonly<Record<string, string>>) => void] {
  const search: Readonly<Record<string, unknown>> = useLocation({ select: ({ search: found }) => found });
  const navigate = useNavigate();
  const read = useCallback(
    (name: string) => {
      const value = search[name];
      return value === undefined || value === null || typeof value === 'object' ? '' : String(value);
    },
    [search],
  );
  const write = useCallback(
    (texts: Readonly<Record<string, string>>) => {
      const next = (before: Readonly<Record<string, unknown>>): Record<string, unknown> =>
        Object.fromEntries(Object.entries({ ...before, ...texts }).filter(([, value]) => value !== ''));
      // every page keeps what belongs to others in its address, so the types of single pages do not matter here
      void navigate({ to: '.', search: next as never, replace: true, resetScroll: false });
    },
    [navigate],
  );
  return [read, write];
}
