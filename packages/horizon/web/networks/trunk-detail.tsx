import Button from '@cloudscape-design/components/button';
import { useQuery } from '@tanstack/react-query';
import { useNavigate, useParams } from '@tanstack/react-router';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Facts, ThingPage } from '../parts/detail-page.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { RemoveButton } from '../parts/remove-button.tsx';
import { Shown } from '../parts/shown.tsx';
import { Status } from '../parts/status.tsx';
import { ObjectLink } from './object-link.tsx';
import { useKeptFrom } from './owner.ts';
import { called, portsQuery, type Subport, type Trunk, trunkQuery } from './queries.ts';
import { Tags } from './tags.tsx';
import { AddSubport, EditTrunk, TRUNK_TOUCHES } from './trunk-forms.tsx';
import { remove, tell } from './write.ts';

/** One trunk: its parent port, and the ports that its VLANs lead to. */
export function TrunkPage() {
  const { trunkId } = useParams({ from: '/trunks/$trunkId' });
  return <Shown query={useQuery(trunkQuery(trunkId))}>{(trunk) => <Page trunk={trunk} />}</Shown>;
}

function Page({ trunk }: { readonly trunk: Trunk }) {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const kept = useKeptFrom()(trunk);
  const ports = useQuery(portsQuery);
  const [editing, setEditing] = useState(false);
  return (
    <ThingPage
      title={called(trunk)}
      status={<Status status={trunk.status} />}
      actions={
        <>
          <Button disabled={kept !== undefined} disabledReason={kept} onClick={() => setEditing(true)}>
            {t('net.edit')}
          </Button>
          <RemoveButton
            id={trunk.id}
            name={called(trunk)}
            kept={kept}
            remove={() => remove('trunks', trunk.id)}
            touches={TRUNK_TOUCHES}
            onDone={() => void navigate({ to: '/trunks' })}
          />
        </>
      }
    >
      <Facts
        title={t('net.facts')}
        facts={[
          [t('trunks.port'), <ObjectLink page="/ports" id={trunk.port_id} among={ports.data} />],
          [t('net.up'), trunk.admin_state_up ? t('yes') : t('no')],
          [t('fields.description'), trunk.description],
          [t('networks.tags'), <Tags path="trunks" id={trunk.id} tags={trunk.tags} touches={TRUNK_TOUCHES} fixed={kept !== undefined} />],
          [t('fields.id'), trunk.id, 'copied'],
        ]}
      />
      <PartTable<Subport>
        title={t('trunks.subports')}
        items={trunk.sub_ports}
        keyOf={({ port_id }) => port_id}
        labelOf={({ segmentation_type, segmentation_id }) => `${segmentation_type} ${segmentation_id}`}
        empty={t('trunks.noSubports')}
        columns={[
          { id: 'vlan', header: t('trunks.vlan'), cell: ({ segmentation_type, segmentation_id }) => `${segmentation_type} ${segmentation_id}` },
          { id: 'port', header: t('net.port'), cell: ({ port_id }) => <ObjectLink page="/ports" id={port_id} among={ports.data} /> },
        ]}
        create={{ label: t('trunks.addSubport'), form: (close) => <AddSubport trunk={trunk} close={close} />, not: kept }}
        remove={{
          label: t('remove'),
          run: ({ port_id }) => tell('trunks', trunk.id, 'remove_subports', { sub_ports: [{ port_id }] }),
          touches: TRUNK_TOUCHES,
          kept: () => kept,
        }}
      />
      {editing && <EditTrunk trunk={trunk} close={() => setEditing(false)} />}
    </ThingPage>
  );
}
