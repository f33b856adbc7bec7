import Alert from '@cloudscape-design/components/alert';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { quotaQuery } from '../parts/quota.ts';
import { useSession } from '../session/session.ts';

/** What the network service counts. */
type Counted = 'network' | 'subnet' | 'port' | 'router' | 'floatingip' | 'security_group' | 'security_group_rule' | 'rbac_policy' | 'subnetpool' | 'trunk';

/** How many of a kind the project has, of those that it may have; shown where one is made. */
export function QuotaUse({ of }: { readonly of: Counted }) {
  const { t } = useTranslation();
  const { session } = useSession();
  const { data } = useQuery({ ...quotaQuery('network', session.project?.id ?? ''), enabled: session.project !== null });
  const quota = data?.[of];
  if (quota?.limit === undefined) return null;
  const { used, limit } = quota;
  if (used >= limit) return <Alert type="warning">{t('networks.quotaFull', { used, limit })}</Alert>;
  return <ProgressBar label={t('networks.quota')} value={(100 * used) / limit} additionalInfo={t('networks.quotaUse', { used, limit })} variant="standalone" />;
}
