import { useLocation, useRouter } from '@tanstack/react-router';
import { useCallback } from 'react';
import { regionNow } from '../api/region.ts';

const BASE = '/console';

/** The address of a view, for links that can be copied and opened in another tab; with the region, when that is not the console's own. */
export function hrefOf(path: string): string {
  const region = regionNow();
  return BASE + path + (region === undefined ? '' : `${path.includes('?') ? '&' : '?'}region=${encodeURIComponent(region)}`);
}

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
