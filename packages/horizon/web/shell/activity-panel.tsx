import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { type Activity, activity } from '../api/activity.ts';
import { cliOf, curlOf } from '../api/commands.ts';
import { CommandText } from '../parts/command-text.tsx';
import { SERVICES } from '../api/services.ts';

type Form = 'cli' | 'curl';

/** Every call that the page made, newest first, in a form that can be run in a shell. */
export function ActivityPanel() {
  const { t } = useTranslation();
  const entries = useSyncExternalStore(activity.subscribe, activity.list);
  const [form, setForm] = useState<Form>('cli');
  return (
    <SpaceBetween size="m">
      <Box color="text-body-secondary">{t('activity.help')}</Box>
      <SpaceBetween size="s" direction="horizontal" alignItems="center">
        <SegmentedControl
          label={t('activity.form')}
          selectedId={form}
          options={[
            { id: 'cli', text: t('activity.cli') },
            { id: 'curl', text: t('activity.curl') },
          ]}
          onChange={({ detail }) => setForm(detail.selectedId as Form)}
        />
        <Button onClick={activity.clear} disabled={entries.length === 0}>
          {t('activity.clear')}
        </Button>
      </SpaceBetween>
      {entries.map((entry) => (
        <Entry key={entry.number} entry={entry} form={form} />
      ))}
    </SpaceBetween>
  );
}

function Entry({ entry, form }: { readonly entry: Activity; readonly form: Form }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
  const curl = curlOf(entry, location.origin);
  const type = entry.milliseconds === undefined ? 'in-progress' : entry.status >= 400 || entry.status === 0 ? 'error' : 'success';
  return (
    <ExpandableSection
      headerText={
        <StatusIndicator type={type} wrapText>
          {`${entry.method} ${SERVICES[entry.service].prefix}${entry.path}`}
        </StatusIndicator>
      }
      headerDescription={
        entry.milliseconds === undefined
          ? t('activity.running')
          : t('activity.facts', { status: entry.status, ms: Math.round(entry.milliseconds), id: entry.requestId ?? t('none') })
      }
      expanded={open}
      onChange={({ detail }) => setOpen(detail.expanded)}
    >
      {open && <CommandText text={form === 'cli' ? (cliOf(entry) ?? curl) : curl} />}
    </ExpandableSection>
  );
}
