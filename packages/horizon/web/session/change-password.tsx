import { useTranslation } from 'react-i18next';
import { FormDialog } from '../parts/form-dialog.tsx';
import { type Session, sessions } from './session.ts';

interface Props {
  readonly session: Session;
  readonly close: () => void;
  /** The session goes on with a new token: the password's change has ended the others. */
  readonly onSignedIn: (session: Session) => void;
}

/** The user's own password. */
export function ChangePassword({ session, close, onSignedIn }: Props) {
  const { t } = useTranslation();
  const fields = {
    password: { kind: 'password', label: t('signIn.oldPassword'), required: true },
    newPassword: { kind: 'password', label: t('signIn.newPassword'), required: true },
    again: { kind: 'password', label: t('identity.passwordAgain'), required: true },
  } as const;
  return (
    <FormDialog
      title={t('signIn.changePassword')}
      confirm={t('identity.save')}
      fields={fields}
      wrong={({ newPassword, again }) => ({ again: again === '' || again === newPassword ? undefined : t('identity.passwordsDiffer') })}
      send={async ({ password, newPassword }) => {
        const { user, project } = session;
        onSignedIn(
          await sessions.changePassword({
            userId: user.id,
            user: user.name,
            domain: user.domain.name,
            password,
            newPassword,
            ...(project && { projectId: project.id }),
          }),
        );
      }}
      touches={[]}
      close={close}
    />
  );
}
