import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { ListPage } from '../parts/list-page.tsx';
import { PageLink } from '../parts/page-link.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { ObjectLink } from './object-link.tsx';
import { useKeptFrom } from './owner.ts';
import { called, portsQuery, type Subport, type Trunk, trunksQuery } from './queries.ts';
import { CreateTrunk } from './trunk-forms.tsx';
import { remove } from './write.ts';

/** Ports whose VLANs lead to other ports. */
export function TrunksPage() {
  const { t } = useTranslation();
  const keptFrom = useKeptFrom();
  const ports = useQuery(portsQuery);
  const columns = useMemo<readonly Column<Trunk>[]>(() => {
    const nameOf = (id: string): string => called(ports.data?.find((port) => port.id === id) ?? { id });
    const vlan = ({ segmentation_type: type, segmentation_id: id }: Subport): string => `${type} ${id}`;
    return [
      { id: 'name', header: t('fields.name'), value: called, cell: (row) => <PageLink to={`/trunks/${row.id}`}>{called(row)}</PageLink> },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      {
        id: 'port',
        header: t('trunks.port'),
        value: ({ port_id }) => nameOf(port_id),
        cell: ({ port_id }) => <ObjectLink page="/ports" id={port_id} among={ports.data} />,
      },
      {
        id: 'subports',
        header: t('trunks.subports'),
        value: ({ sub_ports }) => sub_ports.map((sub) => `${vlan(sub)} ${nameOf(sub.port_id)}`).join(', '),
        cell: ({ sub_ports }) =>
          sub_ports.length === 0
            ? '-'
            : sub_ports.map((sub) => (
                <div key={sub.port_id}>
                  {vlan(sub)}: <PageLink to={`/ports/${sub.port_id}`}>{nameOf(sub.port_id)}</PageLink>
                </div>
              )),
      },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ];
  }, [t, ports.data]);
  return (
    <ListPage
      name="trunks"
      title={t('pages.trunks')}
      query={trunksQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={called}
      kept={keptFrom}
      remove={(id) => remove('trunks', id)}
      empty={{ title: t('trunks.empty'), text: t('trunks.emptyText') }}
      create={{ label: t('trunks.create'), form: (close) => <CreateTrunk close={close} /> }}
    />
  );
}
