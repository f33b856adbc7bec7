import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useTranslation } from 'react-i18next';

export function Waiting() {
  const { t } = useTranslation();
  return (
    <StatusIndicator type="loading" iconAriaLabel={t('loading')}>
      {t('loading')}
    </StatusIndicator>
  );
}
