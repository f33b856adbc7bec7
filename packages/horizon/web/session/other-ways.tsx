import Button from '@cloudscape-design/components/button';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { sessions, type Way, wayHref } from './session.ts';

/** Buttons that lead to the identity providers of the cloud, where there are any. */
export function OtherWays() {
  const { t } = useTranslation();
  const [ways, setWays] = useState<readonly Way[]>([]);
  useEffect(() => {
    sessions.ways().then(setWays, () => setWays([]));
  }, []);
  if (ways.length === 0) return null;
  return (
    <SpaceBetween size="s">
      {ways.map((way) => (
        <Button key={`${way.provider} ${way.protocol}`} href={wayHref(way, location.origin)} fullWidth>
          {t('signIn.by', { provider: way.provider })}
        </Button>
      ))}
    </SpaceBetween>
  );
}
