import Button from '@cloudscape-design/components/button';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Bulk } from '../parts/bulk.tsx';
import { ResourceTable } from '../parts/resource-table.tsx';
import { Time } from '../parts/time.tsx';
import { transfersQuery, volumesQuery, withdrawTransfer } from './queries.ts';

/** The volumes that are offered to other projects and not yet taken; nothing where there are none. */
export function Transfers() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const transfers = useQuery(transfersQuery);
  const { data: volumes = [] } = useQuery(volumesQuery);
  const [withdrawn, setWithdrawn] = useState<readonly { readonly id: string; readonly name: string }[]>();
  if ((transfers.data ?? []).length === 0) return null;
  return (
    <>
      <ResourceTable
        inner
        name="transfers"
        title={t('volumes.transfers')}
        rows={transfers}
        keyOf={({ id }) => id}
        labelOf={({ name, id }) => name || id}
        columns={[
          { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
          { id: 'volume', header: t('fields.volume'), value: ({ volume_id }) => volumes.find(({ id }) => id === volume_id)?.name || volume_id },
          { id: 'id', header: t('volumes.transferId'), value: ({ id }) => id },
          { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
        ]}
        actions={(selected) => (
          <Button
            disabled={selected.length === 0}
            disabledReason={t('actions.selectFirst')}
            onClick={() => setWithdrawn(selected.map(({ id, name }) => ({ id, name: name || id })))}
          >
            {t('volumes.withdraw')}
          </Button>
        )}
        empty={{ title: '', text: '' }}
      />
      {withdrawn !== undefined && (
        <Bulk
          title={t('volumes.withdraw')}
          text={t('volumes.withdrawText')}
          confirm={t('volumes.withdraw')}
          items={withdrawn}
          run={({ id }) => withdrawTransfer(id)}
          onEnd={() => {
            setWithdrawn(undefined);
            void queries.invalidateQueries({ queryKey: transfersQuery.queryKey });
            void queries.invalidateQueries({ queryKey: volumesQuery.queryKey });
          }}
        />
      )}
    </>
  );
}
