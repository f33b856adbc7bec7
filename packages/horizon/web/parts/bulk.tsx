import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import StatusIndicator from '@cloudscape-design/components/status-indicator';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ApiError } from '../api/errors.ts';

interface BulkItem {
  readonly id: string;
  readonly name: string;
}

interface Props {
  readonly title: string;
  readonly text: string;
  readonly confirm: string;
  readonly items: readonly BulkItem[];
  readonly run: (item: BulkItem) => Promise<unknown>;
  /** Closed; true when everything went well. */
  readonly onEnd: (done: boolean) => void;
}

type Outcome = 'running' | 'done' | ApiError | Error;
/** Calls at the same time. */
const AT_ONCE = 5;

/** Asks before it does something to several resources, and says for each how it went. What failed stays on screen. */
export function Bulk({ title, text, confirm, items, run, onEnd }: Props) {
  const { t } = useTranslation();
  const [outcomes, setOutcomes] = useState<ReadonlyMap<string, Outcome>>(new Map());
  const started = outcomes.size > 0;
  const busy = [...outcomes.values()].includes('running');
  const failed = [...outcomes.values()].filter((outcome) => outcome instanceof Error).length;

  const start = async (): Promise<void> => {
    const set = (id: string, outcome: Outcome): void => setOutcomes((before) => new Map(before).set(id, outcome));
    const waiting = [...items];
    let failures = 0;
    const work = async (): Promise<void> => {
      for (let item = waiting.shift(); item !== undefined; item = waiting.shift()) {
        set(item.id, 'running');
        try {
          await run(item);
          set(item.id, 'done');
        } catch (error) {
          failures += 1;
          set(item.id, error instanceof Error ? error : new Error(String(error)));
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    if (failures === 0) onEnd(true);
  };

  return (
    <Modal
      visible
      onDismiss={() => !busy && onEnd(false)}
      header={title}
      closeAriaLabel={t('close')}
      footer={
        <Box float="right">
          <SpaceBetween size="xs" direction="horizontal">
            <Button variant="link" onClick={() => onEnd(false)} disabled={busy}>
              {started && !busy ? t('close') : t('cancel')}
            </Button>
            {(!started || busy) && (
              <Button variant="primary" onClick={() => void start()} loading={busy} loadingText={t('working')}>
                {confirm}
              </Button>
            )}
          </SpaceBetween>
        </Box>
      }
    >
      <SpaceBetween size="s">
        <Box>{text}</Box>
        {failed > 0 && !busy && <Alert type="error">{t('bulk.failed', { failed, all: items.length })}</Alert>}
        {items.map((item) => (
          <ItemOutcome key={item.id} item={item} outcome={outcomes.get(item.id)} />
        ))}
      </SpaceBetween>
    </Modal>
  );
}

function ItemOutcome({ item, outcome }: { readonly item: BulkItem; readonly outcome: Outcome | undefined }) {
  const { t } = useTranslation();
  if (outcome === undefined) return <Box>{item.name}</Box>;
  if (outcome === 'running') return <StatusIndicator type="in-progress">{item.name}</StatusIndicator>;
  if (outcome === 'done') return <StatusIndicator type="success">{item.name}</StatusIndicator>;
  const requestId = outcome instanceof ApiError ? outcome.requestId : undefined;
  return (
    <StatusIndicator type="error" wrapText>
      {`${item.name}: ${outcome.message}${requestId === undefined ? '' : ` (${t('requestId', { id: requestId })})`}`}
    </StatusIndicator>
  );
}
