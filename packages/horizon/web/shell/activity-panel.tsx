import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import ExpandableSection from '@cloudscape-design/components/expandable-section';
import SegmentedControl from '@cloudscape-design/components/segmented-control';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import Toggle from '@cloudscape-design/components/toggle';
import { useState, useSyncExternalStore } from 'react';
import { useTranslation } from 'react-i18next';
import { type Activity, activity } from '../api/activity.ts';
import { cliOf, curlOf } from '../api/commands.ts';
import { SERVICES } from '../api/services.ts';
import { terraformOf } from '../api/terraform.ts';
import { CommandText } from '../parts/command-text.tsx';
import { usePathname } from './links.ts';

const FORMS = ['cli', 'curl', 'terraform'] as const;
type Form = (typeof FORMS)[number];

/** Every call that the page made, newest first, in a form that can be run in a shell, or that Terraform makes. */
export function ActivityPanel() {
  const { t } = useTranslation();
  const pathname = usePathname();
  const entries = useSyncExternalStore(activity.subscribe, activity.list);
  const [form, setForm] = useState<Form>('cli');
  const [here, setHere] = useState(false);
  const shown = here ? entries.filter(({ page }) => page === pathname) : entries;
  return (
    <SpaceBetween size="m">
      <Box color="text-body-secondary">{t('activity.help')}</Box>
      <SpaceBetween size="s" direction="horizontal" alignItems="center">
        <SegmentedControl
          label={t('activity.form')}
          selectedId={form}
          options={FORMS.map((id) => ({ id, text: t(`activity.${id}`) }))}
          onChange={({ detail }) => setForm(detail.selectedId as Form)}
        />
        <Toggle checked={here} onChange={({ detail }) => setHere(detail.checked)}>
          {t('activity.here')}
        </Toggle>
        <Button onClick={activity.clear} disabled={entries.length === 0}>
          {t('activity.clear')}
        </Button>
      </SpaceBetween>
      {shown.map((entry) => (
        <Entry key={entry.number} entry={entry} form={form} />
      ))}
    </SpaceBetween>
  );
}

function Entry({ entry, form }: { readonly entry: Activity; readonly form: Form }) {
  const { t } = useTranslation();
  const [open, setOpen] = useState(false);
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
      {open && <Command entry={entry} form={form} />}
    </ExpandableSection>
  );
}

function Command({ entry, form }: { readonly entry: Activity; readonly form: Form }) {
  const { t } = useTranslation();
  if (form === 'terraform') {
    const block = terraformOf(entry);
    return block === undefined ? <Box color="text-body-secondary">{t('activity.noTerraform')}</Box> : <CommandText text={block} />;
  }
  const curl = curlOf(entry, location.origin);
  return <CommandText text={form === 'cli' ? (cliOf(entry) ?? curl) : curl} />;
}
