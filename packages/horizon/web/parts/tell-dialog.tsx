import Box from '@cloudscape-design/components/box';
import Button from '@cloudscape-design/components/button';
import Modal from '@cloudscape-design/components/modal';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';

/** A dialog that tells something and asks for nothing. */
export function TellDialog({ title, close, children }: { readonly title: string; readonly close: () => void; readonly children: ReactNode }) {
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
      {children}
    </Modal>
  );
}
