import Alert from '@cloudscape-design/components/alert';
import SpaceBetween from '@cloudscape-design/components/space-between';
import { CommandText } from './command-text.tsx';
import { TellDialog } from './tell-dialog.tsx';

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
  return (
    <TellDialog title={title} close={close}>
      <SpaceBetween size="m">
        <Alert type="success">{words}</Alert>
        <CommandText text={text} />
      </SpaceBetween>
    </TellDialog>
  );
}
