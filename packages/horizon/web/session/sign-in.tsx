import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Container from '@cloudscape-design/components/container';
import Form from '@cloudscape-design/components/form';
import FormField from '@cloudscape-design/components/form-field';
import Header from '@cloudscape-design/components/header';
import Input from '@cloudscape-design/components/input';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Preferences } from '../shell/preferences.tsx';
import { type Session, SignInError, sessions } from './session.ts';

interface Props {
  /** Set when a session has ended: its user signs in again, and the page goes on where it was. */
  readonly again?: Session | undefined;
  readonly onSignedIn: (session: Session) => void;
}

/** User, password and domain; the passcode when the cloud asks for one. */
export function SignInForm({ again, onSignedIn }: Props) {
  const { t } = useTranslation();
  const [user, setUser] = useState(again?.user.name ?? '');
  const [domain, setDomain] = useState(again?.user.domain.name ?? 'Default');
  const [password, setPassword] = useState('');
  const [passcode, setPasscode] = useState('');
  const [asksPasscode, setAsksPasscode] = useState(false);
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    setBusy(true);
    setRefused(undefined);
    try {
      const projectId = again?.project?.id;
      onSignedIn(await sessions.signIn({ user, domain, password, ...(asksPasscode && { passcode }), ...(projectId !== undefined && { projectId }) }));
    } catch (error) {
      if (error instanceof SignInError && error.needs.includes('totp') && !asksPasscode) setAsksPasscode(true);
      else if (error instanceof SignInError && error.needs.length > 0 && !error.needs.includes('totp'))
        setRefused(t('signIn.otherFactor', { factors: error.needs.join(', ') }));
      else setRefused(error instanceof SignInError && error.status === 401 ? t('signIn.wrong') : (error as Error).message);
    } finally {
      setBusy(false);
    }
  };

  return (
    <form onSubmit={(event) => void submit(event)}>
      <Form
        actions={
          <Button variant="primary" loading={busy} loadingText={t('signIn.busy')} disabled={user === '' || domain === ''}>
            {t('signIn.action')}
          </Button>
        }
      >
        <SpaceBetween size="m">
          {refused !== undefined && (
            <Alert type="error" header={t('signIn.refused')}>
              {refused}
            </Alert>
          )}
          <FormField label={t('signIn.user')}>
            <Input
              value={user}
              onChange={({ detail }) => setUser(detail.value)}
              autoComplete="username"
              name="username"
              autoFocus={again === undefined}
              disabled={again !== undefined}
            />
          </FormField>
          <FormField label={t('signIn.password')}>
            <Input
              type="password"
              value={password}
              onChange={({ detail }) => setPassword(detail.value)}
              autoComplete="current-password"
              name="password"
              autoFocus={again !== undefined}
            />
          </FormField>
          <FormField label={t('signIn.domain')} description={t('signIn.domainHelp')}>
            <Input value={domain} onChange={({ detail }) => setDomain(detail.value)} name="domain" disabled={again !== undefined} />
          </FormField>
          {asksPasscode && (
            <FormField label={t('signIn.passcode')} description={t('signIn.passcodeHelp')}>
              <Input
                value={passcode}
                onChange={({ detail }) => setPasscode(detail.value)}
                inputMode="numeric"
                autoComplete="one-time-code"
                name="passcode"
                autoFocus
              />
            </FormField>
          )}
        </SpaceBetween>
      </Form>
    </form>
  );
}

/** The page before everything else. */
export function SignInPage({ onSignedIn }: Pick<Props, 'onSignedIn'>) {
  const { t } = useTranslation();
  return (
    <main className="sign-in">
      <SpaceBetween size="l">
        <Box textAlign="center">
          <Box variant="h1" fontSize="display-l">
            {t('product')}
          </Box>
          <Box color="text-body-secondary">{t('signIn.tagline')}</Box>
        </Box>
        <Container header={<Header variant="h2">{t('signIn.title')}</Header>}>
          <SignInForm onSignedIn={onSignedIn} />
        </Container>
        <Preferences />
      </SpaceBetween>
    </main>
  );
}
