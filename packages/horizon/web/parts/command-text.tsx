import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useTranslation } from 'react-i18next';

/** A command, as text, to be copied. */
export function CommandText({ text }: { readonly text: string }) {
  const { t } = useTranslation();
  return (
    <SpaceBetween size="xs">
      <pre className="text">{text}</pre>
      <CopyToClipboard copyButtonText={t('copy')} copySuccessText={t('copied')} copyErrorText={t('notCopied')} textToCopy={text} />
    </SpaceBetween>
  );
}
