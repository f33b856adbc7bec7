import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Refusal } from './refusal.tsx';

interface Props {
  readonly title: string;
  readonly confirm: string;
  /** Can it be sent? */
  readonly ready: boolean;
  readonly send: () => Promise<unknown>;
  /** What has to be asked for anew afterwards. */
  readonly touches: readonly (readonly unknown[])[];
  readonly close: () => void;
  /** After it was sent, instead of closing: for what has to be shown then. */
  readonly done?: () => void;
  readonly size?: 'medium' | 'large';
  readonly children: ReactNode;
}

/** A form in a dialog with fields of its own kind (see FormDialog for one that is described by its fields); a refusal stays in it, with what was typed. */
export function CreateDialog({ title, confirm, ready, send, touches, close, done = close, size = 'medium', children }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [busy, setBusy] = useState(false);
  const [refused, setRefused] = useState<Error>();
  const submit = async (): Promise<void> => {
    if (!ready || busy) return;
    setBusy(true);
    setRefused(undefined);
    try {
      await send();
      for (const queryKey of touches) void queries.invalidateQueries({ queryKey });
      done();
    } catch (error) {
      setRefused(error instanceof Error ? error : new Error(String(error)));
      setBusy(false);
    }
  };
  return (
    <Modal
      visible
      onDismiss={close}
      size={size}
      header={title}
      closeAriaLabel={t('close')}
      footer={
        <Box float="right">
          <SpaceBetween size="xs" direction="horizontal">
            <Button variant="link" onClick={close}>
              {t('cancel')}
            </Button>
            <Button variant="primary" onClick={() => void submit()} disabled={!ready} loading={busy} loadingText={t('working')}>
              {confirm}
            </Button>
          </SpaceBetween>
        </Box>
      }
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <SpaceBetween size="m">
          {refused !== undefined && <Refusal error={refused} />}
          {children}
        </SpaceBetween>
      </form>
    </Modal>
  );
}
