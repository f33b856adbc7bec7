import { type QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useEffect, useMemo } from 'react';
import { ApiError } from './api/errors.ts';
import { regionNow } from './api/region.ts';
import { LiveProvider } from './live/live.tsx';
import { LiveQueries } from './live/queries.ts';
import { router } from './router.tsx';
import { Renewal } from './session/renewal.tsx';
import { SessionContext, type SessionHandle } from './session/session.ts';

const makeQueries = (): QueryClient =>
  new LiveQueries({
    defaultOptions: {
      queries: {
        // live events say when something changed; this is for what they may have missed
        staleTime: 15_000,
        retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      },
    },
  });

/** The console of a session: everything behind the sign-in. */
export function SessionConsole({ handle }: { readonly handle: SessionHandle }) {
  const { session, region, replace } = handle;
  const scope = session.project?.id ?? session.domain?.id ?? (session.system ? 'system' : '');
  // nothing of one project is ever shown in another
  const queries = useMemo(makeQueries, [scope, session.user.id]);
  // the address says where it is, so that it can be sent to somebody
  useEffect(() => {
    if (regionNow() !== undefined) void router.navigate({ to: '.', search: (before: object) => ({ ...before, region }) as never, replace: true });
  }, [region]);
  return (
    <SessionContext value={handle}>
      <QueryClientProvider client={queries}>
        <LiveProvider epoch={session.expires_at}>
          <RouterProvider router={router} key={scope} />
        </LiveProvider>
      </QueryClientProvider>
      <Renewal
        session={session}
        onSignedIn={(renewed) => {
          replace(renewed);
          void queries.invalidateQueries();
        }}
      />
    </SessionContext>
  );
}
