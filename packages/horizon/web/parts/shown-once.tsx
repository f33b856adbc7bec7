import Alert from '@cloudscape-design/components/alert';
import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { useTranslation } from 'react-i18next';
import { CommandText } from './command-text.tsx';

interface Props {
  readonly title: string;
  /** What it is, and that it is not shown again. */
  readonly words: string;
  /** The secret, or a command with it. */
  readonly text: string;
  readonly close: () => void;
}

/** A dialog with a secret that the cloud tells once: it goes only when it is closed. */
export function ShownOnce({ title, words, text, close }: Props) {
  const { t } = useTranslation();
  return (
    <Modal
      visible
      header={title}
      closeAriaLabel={t('close')}
      onDismiss={close}
      footer={
        <Box float="right">
          <Button variant="primary" onClick={close}>
            {t('close')}
          </Button>
        </Box>
      }
    >
      <SpaceBetween size="m">
        <Alert type="success">{words}</Alert>
        <CommandText text={text} />
      </SpaceBetween>
    </Modal>
  );
}
