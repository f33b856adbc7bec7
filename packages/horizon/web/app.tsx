import { I18nProvider, type I18nProviderProps } from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import Spinner from '@cloudscape-design/components/spinner';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { RouterProvider } from '@tanstack/react-router';
import { useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { activity } from './api/activity.ts';
import { ApiError } from './api/errors.ts';
import { LiveProvider } from './live/live.tsx';
import { router } from './router.tsx';
import { Renewal } from './session/renewal.tsx';
import { type Scope, type Session, SessionContext, sessions } from './session/session.ts';
import { SignInPage } from './session/sign-in.tsx';

type Messages = I18nProviderProps['messages'];

/** Cloudscape's own words in the page's language. */
function useComponentMessages(language: string): Messages {
  const [chinese, setChinese] = useState<Messages[number]>();
  useEffect(() => {
    if (language === 'zh-CN') void import('@cloudscape-design/components/i18n/messages/all.zh-CN').then((module) => setChinese(module.default));
  }, [language]);
  return useMemo(() => (chinese ? [messages, chinese] : [messages]), [chinese]);
}

const makeQueries = (): QueryClient =>
  new QueryClient({
    defaultOptions: {
      queries: {
        // live events say when something changed; this is for what they may have missed
        staleTime: 15_000,
        retry: (count, error) => count < 2 && !(error instanceof ApiError && error.status >= 400 && error.status < 500),
      },
    },
  });

/** The page: sign-in, or the console of a session. */
export function App() {
  const { i18n } = useTranslation();
  const componentMessages = useComponentMessages(i18n.language);
  const [session, setSession] = useState<Session | null>();
  const scope = session?.project?.id ?? session?.domain?.id ?? (session?.system === true ? 'system' : '');
  // nothing of one project is ever shown in another
  const queries = useMemo(makeQueries, [scope, session?.user.id]);

  useEffect(() => {
    sessions.current().then(
      (found) => setSession(found ?? null),
      () => setSession(null),
    );
  }, []);

  const move = useCallback(async (to: Scope) => setSession(await sessions.move(to)), []);
  const signOut = useCallback(async () => {
    await sessions.signOut();
    activity.clear();
    setSession(null);
  }, []);
  const handle = useMemo(() => (session ? { session, move, signOut, replace: setSession } : undefined), [session, move, signOut]);

  return (
    <I18nProvider locale={i18n.language} messages={componentMessages}>
      {handle !== undefined ? (
        <SessionContext value={handle}>
          <QueryClientProvider client={queries}>
            <LiveProvider epoch={handle.session.expires_at}>
              <RouterProvider router={router} key={scope} />
            </LiveProvider>
          </QueryClientProvider>
          <Renewal
            session={handle.session}
            onSignedIn={(renewed) => {
              setSession(renewed);
              void queries.invalidateQueries();
            }}
          />
        </SessionContext>
      ) : session === null ? (
        <SignInPage onSignedIn={setSession} />
      ) : (
        <Spinner size="large" />
      )}
    </I18nProvider>
  );
}
