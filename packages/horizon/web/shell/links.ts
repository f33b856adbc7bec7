import { useLocation, useRouter } from '@tanstack/react-router';
import { useCallback } from 'react';

const BASE = '/console';

/** The address of a view, for links that can be copied and opened in another tab. */
export const hrefOf = (path: string): string => BASE + path;

/** The path of the page; what stands behind the question mark does not draw its readers anew. */
export const usePathname = (): string => useLocation({ select: ({ pathname }) => pathname });

interface Follow {
  readonly detail: { readonly href?: string; readonly external?: boolean };
  preventDefault(): void;
}

/** Follows a link within the page; with a modifier key the browser opens it as ever. */
export function useFollow(): (event: Follow) => void {
  const router = useRouter();
  return useCallback(
    (event: Follow) => {
      const { href, external } = event.detail;
      if (external || href === undefined || !href.startsWith(`${BASE}/`)) return;
      event.preventDefault();
      router.history.push(href);
    },
    [router],
  );
}
