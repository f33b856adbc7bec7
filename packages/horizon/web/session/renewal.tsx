import Box from '@cloudscape-design/components/box';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sessionEnd } from '../api/session-end.ts';
import { OtherWays } from './other-ways.tsx';
import type { Session } from './session.ts';
import { SignInForm } from './sign-in.tsx';

/** How long before its end a session asks to be renewed; a short one in its last quarter. */
const earlyMs = (lifeMs: number): number => Math.min(120_000, lifeMs / 4);

/** A session's end asks for the password in place: whatever was being typed or looked at stays. */
export function Renewal({ session, onSignedIn }: { readonly session: Session; readonly onSignedIn: (session: Session) => void }) {
  const { t } = useTranslation();
  const [due, setDue] = useState(false);
  const [put, setPut] = useState(false);
  useEffect(() => {
    setDue(false);
    setPut(false);
    const lifeMs = Date.parse(session.expires_at) - Date.now();
    const timer = setTimeout(() => setDue(true), Math.min(2 ** 31 - 1, Math.max(0, lifeMs - earlyMs(lifeMs))));
    const stop = sessionEnd.listen(() => {
      setDue(true);
      setPut(false);
    });
    return () => {
      clearTimeout(timer);
      stop();
    };
  }, [session]);
  return (
    <Modal visible={due && !put} onDismiss={() => setPut(true)} header={t('renewal.title')} closeAriaLabel={t('close')}>
      <SpaceBetween size="m">
        <Box>{t('renewal.text', { user: session.user.name })}</Box>
        {due && <SignInForm again={session} onSignedIn={onSignedIn} />}
        {due && <OtherWays />}
      </SpaceBetween>
    </Modal>
  );
}
