import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useTranslation } from 'react-i18next';
import { chooseLanguage, LANGUAGES, type Language } from '../i18n.ts';
import { chooseTheme, type Theme, useTheme } from '../theme.ts';

/** Language and colours, where there is no top bar. */
export function Preferences() {
  const { t, i18n } = useTranslation();
  const theme = useTheme();
  return (
    <SpaceBetween size="m" direction="horizontal" alignItems="center">
      <SegmentedControl
        label={t('preferences.language')}
        selectedId={i18n.language}
        options={Object.entries(LANGUAGES).map(([id, text]) => ({ id, text }))}
        onChange={({ detail }) => void chooseLanguage(detail.selectedId as Language)}
      />
      <SegmentedControl
        label={t('preferences.theme')}
        selectedId={theme}
        options={[
          { id: 'system', text: t('preferences.system') },
          { id: 'light', text: t('preferences.light') },
          { id: 'dark', text: t('preferences.dark') },
        ]}
        onChange={({ detail }) => chooseTheme(detail.selectedId as Theme)}
      />
    </SpaceBetween>
  );
}
