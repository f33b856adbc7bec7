import Button from '@cloudscape-design/components/button';
import { useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bulk } from './bulk.tsx';

interface Props {
  readonly id: string;
  readonly name: string;
  /** Other than "Delete". */
  readonly label?: string;
  /** Why it cannot be; undefined when it can. */
  readonly kept?: string | undefined;
  readonly remove: () => Promise<unknown>;
  readonly touches: readonly (readonly unknown[])[];
  readonly onDone?: () => void;
}

/** Deletes what a page shows, after asking. */
export function RemoveButton({ id, name, label, kept, remove, touches, onDone }: Props) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const [asking, setAsking] = useState(false);
  const word = label ?? t('delete');
  return (
    <>
      <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setAsking(true)}>
        {word}
      </Button>
      {asking && (
        <Bulk
          title={t('removeTitle', { action: word, count: 1 })}
          text={t('deleteText')}
          confirm={word}
          items={[{ id, name }]}
          run={remove}
          onEnd={(done) => {
            setAsking(false);
            // what is gone is not asked for again by the page that showed it
            if (done) onDone?.();
            for (const queryKey of touches) void queries.invalidateQueries({ queryKey });
          }}
        />
      )}
    </>
  );
}
