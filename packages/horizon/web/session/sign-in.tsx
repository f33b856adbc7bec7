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
import { OtherWays } from './other-ways.tsx';
import { type Session, SignInError, sessions } from './session.ts';

interface Props {
  /** Set when a session has ended: its user signs in again, and the page goes on where it was. */
  readonly again?: Session | undefined;
  readonly onSignedIn: (session: Session) => void;
}

/** What is asked for: the password; the passcode of a second factor after it; a new password in place of one that has expired. */
type Step = { readonly kind: 'password' } | { readonly kind: 'passcode' } | { readonly kind: 'change'; readonly userId: string };

/** User, password and domain, and what the cloud asks for besides, a step at a time. */
export function SignInForm({ again, onSignedIn }: Props) {
  const { t } = useTranslation();
  const [user, setUser] = useState(again?.user.name ?? '');
  const [domain, setDomain] = useState(again?.user.domain.name ?? 'Default');
  const [password, setPassword] = useState('');
  const [passcode, setPasscode] = useState('');
  const [newPassword, setNewPassword] = useState('');
  const [repeated, setRepeated] = useState('');
  const [step, setStep] = useState<Step>({ kind: 'password' });
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<string>();

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    // Enter comes to a form whose button is busy, too
    if (busy) return;
    setBusy(true);
    setRefused(undefined);
    try {
      const projectId = again?.project?.id;
      const who = { user, domain, ...(projectId !== undefined && { projectId }) };
      if (step.kind === 'change') onSignedIn(await sessions.changePassword({ ...who, userId: step.userId, password, newPassword }));
      else onSignedIn(await sessions.signIn({ ...who, ...(step.kind === 'passcode' ? { passcode } : { password }) }));
    } catch (error) {
      if (error instanceof SignInError && error.needs.includes('totp') && step.kind !== 'passcode') {
        // the first step's receipt stands for it from here on
        setPassword('');
        setStep({ kind: 'passcode' });
      } else if (error instanceof SignInError && error.expired !== undefined && step.kind !== 'change') setStep({ kind: 'change', userId: error.expired });
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
          <SpaceBetween size="xs" direction="horizontal">
            {step.kind !== 'password' && (
              <Button
                variant="link"
                formAction="none"
                onClick={() => {
                  setStep({ kind: 'password' });
                  setRefused(undefined);
                  setPasscode('');
                }}
              >
                {t('signIn.startOver')}
              </Button>
            )}
            <Button
              variant="primary"
              loading={busy}
              loadingText={t('signIn.busy')}
              disabled={user === '' || domain === '' || (step.kind === 'change' && (newPassword === '' || newPassword !== repeated))}
            >
              {step.kind === 'change' ? t('signIn.changePassword') : t('signIn.action')}
            </Button>
          </SpaceBetween>
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
          {step.kind === 'change' && <Alert type="warning">{t('signIn.expired')}</Alert>}
          {step.kind !== 'passcode' && (
            <FormField label={step.kind === 'change' ? t('signIn.oldPassword') : t('signIn.password')}>
              <Input
                type="password"
                value={password}
                onChange={({ detail }) => setPassword(detail.value)}
                autoComplete="current-password"
                name="password"
                autoFocus={again !== undefined}
              />
            </FormField>
          )}
          {step.kind === 'change' && (
            <>
              <FormField label={t('signIn.newPassword')}>
                <Input
                  type="password"
                  value={newPassword}
                  onChange={({ detail }) => setNewPassword(detail.value)}
                  autoComplete="new-password"
                  name="new-password"
                  autoFocus
                />
              </FormField>
              <FormField
                label={t('identity.passwordAgain')}
                errorText={repeated !== '' && repeated !== newPassword ? t('identity.passwordsDiffer') : undefined}
              >
                <Input
                  type="password"
                  value={repeated}
                  onChange={({ detail }) => setRepeated(detail.value)}
                  autoComplete="new-password"
                  name="new-password-again"
                />
              </FormField>
            </>
          )}
          <FormField label={t('signIn.domain')} description={t('signIn.domainHelp')}>
            <Input value={domain} onChange={({ detail }) => setDomain(detail.value)} name="domain" disabled={again !== undefined} />
          </FormField>
          {step.kind === 'passcode' && (
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
          <SpaceBetween size="l">
            {new URLSearchParams(location.search).get('refused') === 'sso' && <Alert type="error">{t('signIn.ssoRefused')}</Alert>}
            <SignInForm onSignedIn={onSignedIn} />
            <OtherWays />
          </SpaceBetween>
        </Container>
        <Preferences />
      </SpaceBetween>
    </main>
  );
}
