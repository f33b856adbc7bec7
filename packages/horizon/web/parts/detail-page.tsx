import Box from '@cloudscape-design/components/box';
import Container from '@cloudscape-design/components/container';
import ContentLayout from '@cloudscape-design/components/content-layout';
import CopyToClipboard from '@cloudscape-design/components/copy-to-clipboard';
import Header from '@cloudscape-design/components/header';
import KeyValuePairs from '@cloudscape-design/components/key-value-pairs';
import SpaceBetween from '@cloudscape-design/components/space-between';
import Tabs from '@cloudscape-design/components/tabs';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Refusal } from './refusal.tsx';
import { useSearchTexts } from './search-text.ts';
import { Shown } from './shown.tsx';

interface Tab {
  readonly id: string;
  readonly label: string;
  readonly content: ReactNode;
}

interface Props<T> {
  readonly query: UseQueryResult<T>;
  /** Said above the cloud's words when it cannot be shown. */
  readonly notShown: string;
  readonly title: (of: T) => string;
  readonly status?: (of: T) => ReactNode;
  readonly actions?: (of: T) => ReactNode;
  /** Views of it, the chosen one kept in the address; or else the content itself. */
  readonly tabs?: (of: T) => readonly Tab[];
  readonly children?: (of: T) => ReactNode;
}

/** The page of one thing that is asked for: waits for it, says why it cannot be shown, or shows its page. */
export function DetailPage<T>({ query, notShown, title, status, actions, tabs, children }: Props<T>) {
  return (
    <Shown query={query} header={notShown}>
      {(data) => (
        <ThingPage title={title(data)} status={status?.(data)} actions={actions?.(data)}>
          {query.error !== null && <Refusal header={notShown} error={query.error} />}
          {tabs && <KeptTabs tabs={tabs(data)} label={title(data)} />}
          {children?.(data)}
        </ThingPage>
      )}
    </Shown>
  );
}

interface ThingProps {
  readonly title: string;
  readonly status?: ReactNode;
  /** Buttons, side by side. */
  readonly actions?: ReactNode;
  readonly children: ReactNode;
}

/** The frame of a thing's page: its name, state and actions, and below what it is. */
export function ThingPage({ title, status, actions, children }: ThingProps) {
  return (
    <ContentLayout
      header={
        <Header
          variant="h1"
          info={status}
          actions={
            actions !== undefined && (
              <SpaceBetween size="xs" direction="horizontal">
                {actions}
              </SpaceBetween>
            )
          }
        >
          {title}
        </Header>
      }
    >
      <SpaceBetween size="l">{children}</SpaceBetween>
    </ContentLayout>
  );
}

function KeptTabs({ tabs, label }: { readonly tabs: readonly Tab[]; readonly label: string }) {
  const [read, write] = useSearchTexts();
  const asked = read('tab');
  return (
    <Tabs
      activeTabId={tabs.some(({ id }) => id === asked) ? asked : (tabs[0]?.id ?? '')}
      // another view has other rows: a filter of the one before means nothing there
      onChange={({ detail }) => write({ tab: detail.activeTabId, filter: '', sort: '' })}
      ariaLabel={label}
      tabs={[...tabs]}
    />
  );
}

/** What is said of a thing: nothing at all is a dash; what is `copied` (ids, addresses) can be taken along. */
export type Fact = readonly [label: string, value: ReactNode, copied?: 'copied'];

/** Facts in columns, under a heading. False ones are left out, so that what not everybody sees can be asked for in place. */
export function Facts({ title, facts, actions }: { readonly title: string; readonly facts: readonly (Fact | false)[]; readonly actions?: ReactNode }) {
  const { t } = useTranslation();
  return (
    <Container
      header={
        <Header variant="h2" actions={actions}>
          {title}
        </Header>
      }
    >
      <KeyValuePairs
        columns={3}
        items={facts
          .filter((fact) => fact !== false)
          .map(([label, value, copied]) => ({
            label,
            value:
              value === undefined || value === null || value === '' || value === false ? (
                '-'
              ) : copied === 'copied' && typeof value === 'string' ? (
                <CopyToClipboard
                  variant="inline"
                  copyButtonAriaLabel={`${t('copy')} ${label}`}
                  copySuccessText={t('copied')}
                  copyErrorText={t('notCopied')}
                  textToCopy={value}
                />
              ) : (
                value
              ),
          }))}
      />
    </Container>
  );
}

/** Names with values, such as metadata, one below the other. */
export function PairsText({ of }: { readonly of: Readonly<Record<string, unknown>> }) {
  const entries = Object.entries(of);
  if (entries.length === 0) return '-';
  return entries.map(([key, value]) => (
    <Box key={key}>
      <Box variant="code">{`${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`}</Box>
    </Box>
  ));
}
