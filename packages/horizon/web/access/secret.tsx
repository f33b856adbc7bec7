import Alert from '@cloudscape-design/components/alert';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  readonly id: string;
  readonly secret: string;
  readonly action?: ReactNode;
  readonly onDismiss: () => void;
}

/** A secret that was just made: it is shown here, and nowhere again. */
export function SecretShown({ id, secret, action, onDismiss }: Props) {
  const { t } = useTranslation();
  const copied = (text: string): ReactNode => (
    <CopyToClipboard variant="inline" copyButtonAriaLabel={t('copy')} copySuccessText={t('copied')} copyErrorText={t('notCopied')} textToCopy={text} />
  );
  return (
    <Alert type="success" header={t('access.secretOnce')} dismissible dismissAriaLabel={t('close')} onDismiss={onDismiss} action={action}>
      <KeyValuePairs
        columns={1}
        items={[
          { label: t('fields.id'), value: copied(id) },
          { label: t('access.secret'), value: copied(secret) },
        ]}
      />
    </Alert>
  );
}
