import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import ProgressBar from '@cloudscape-design/components/progress-bar';
import StatusIndicator, { type StatusIndicatorProps } from '@cloudscape-design/components/status-indicator';
import { useTranslation } from 'react-i18next';
import type { DrainState, DrainStep } from './drain.ts';

const TYPES: Readonly<Record<DrainState, StatusIndicatorProps.Type>> = {
  waiting: 'pending',
  moving: 'in-progress',
  confirming: 'in-progress',
  moved: 'success',
  stayed: 'error',
  failed: 'error',
  unmovable: 'warning',
};
const ENDED: readonly DrainState[] = ['moved', 'stayed', 'failed', 'unmovable'];

/** Where one server is on its way off the host. */
export function DrainStepText({ step }: { readonly step: DrainStep | undefined }) {
  const { t } = useTranslation();
  if (step === undefined) return '-';
  const words = t(`admin.drainStates.${step.state}`);
  return (
    <StatusIndicator type={TYPES[step.state]} wrapText>
      {step.words === undefined ? words : `${words}: ${step.words}`}
    </StatusIndicator>
  );
}

/** How far the host is drained. */
export function DrainProgress({ steps, busy }: { readonly steps: readonly DrainStep[]; readonly busy: boolean }) {
  const { t } = useTranslation();
  const ended = steps.filter(({ state }) => ENDED.includes(state)).length;
  const left = steps.filter(({ state }) => state !== 'moved' && ENDED.includes(state)).length;
  return (
    <Container>
      <ProgressBar
        label={t('admin.drain')}
        value={Math.round((100 * ended) / steps.length)}
        status={busy ? 'in-progress' : left > 0 ? 'error' : 'success'}
        resultText={left > 0 ? t('admin.drainLeft', { count: left }) : t('admin.drained')}
        additionalInfo={t('overview.of', { used: ended, limit: steps.length })}
      />
      {busy && <Box color="text-body-secondary">{t('admin.keepOpen')}</Box>}
    </Container>
  );
}
