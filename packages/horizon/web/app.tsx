import { I18nProvider, type I18nProviderProps } from '@cloudscape-design/components/i18n';
import messages from '@cloudscape-design/components/i18n/messages/all.en';
import Spinner from '@cloudscape-design/components/spinner';
import { lazy, Suspense, useCallback, useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { activity } from './api/activity.ts';
import { whenIdle } from './parts/idle.ts';
import { enterRegion } from './session/regions.ts';
import { type Scope, type Session, sessions } from './session/session.ts';
import { SignInPage } from './session/sign-in.tsx';

const loadConsole = () => import('./console.tsx');
const SessionConsole = lazy(async () => ({ default: (await loadConsole()).SessionConsole }));

type Messages = I18nProviderProps['messages'];

/** Cloudscape's own words in the page's language. */
function useComponentMessages(language: string): Messages {
  const [chinese, setChinese] = useState<Messages[number]>();
  useEffect(() => {
    if (language === 'zh-CN') void import('@cloudscape-design/components/i18n/messages/all.zh-CN').then((module) => setChinese(module.default));
  }, [language]);
  return useMemo(() => (chinese ? [messages, chinese] : [messages]), [chinese]);
}

/** The page: sign-in, or the console of a session, which is loaded once there is one, or while somebody types a password. */
export function App() {
  const { i18n } = useTranslation();
  const componentMessages = useComponentMessages(i18n.language);
  const [session, setSession] = useState<Session | null>();

  useEffect(() => {
    sessions.current().then(
      (found) => setSession(found ?? null),
      () => setSession(null),
    );
  }, []);
  useEffect(() => {
    if (session !== null) return undefined;
    return whenIdle(() => void loadConsole());
  }, [session]);

  // before any call of the session
  const region = useMemo(() => (session ? enterRegion(session) : undefined), [session]);

  const move = useCallback(async (to: Scope) => setSession(await sessions.move(to)), []);
  const signOut = useCallback(async () => {
    await sessions.signOut();
    activity.clear();
    setSession(null);
  }, []);
  const handle = useMemo(() => (session ? { session, region, move, signOut, replace: setSession } : undefined), [session, region, move, signOut]);

  return (
    <I18nProvider locale={i18n.language} messages={componentMessages}>
      {handle !== undefined ? (
        <Suspense fallback={<Spinner size="large" />}>
          <SessionConsole handle={handle} />
        </Suspense>
      ) : session === null ? (
        <SignInPage onSignedIn={setSession} />
      ) : (
        <Spinner size="large" />
      )}
    </I18nProvider>
  );
}
