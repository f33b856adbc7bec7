import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { PortUser } from '../networks/object-link.tsx';
import { useKeptFrom } from '../networks/owner.ts';
import { called, type Port, portsQuery } from '../networks/queries.ts';
import { remove } from '../networks/write.ts';
import { PageLink } from '../parts/page-link.tsx';
import { PartTable } from '../parts/part-table.tsx';
import { Status } from '../parts/status.tsx';
import { useServers } from '../servers/queries.ts';
import { userOf } from './model.ts';

interface Props {
  readonly ports: readonly Port[] | undefined;
  readonly empty?: string;
  readonly create?: { readonly label: string; readonly form: (close: () => void) => ReactNode };
  readonly edit?: (port: Port, close: () => void) => ReactNode;
}

/** Why a port cannot be deleted; undefined when it can. */
export function useKeptPort(): (port: Port) => string | undefined {
  const { t } = useTranslation();
  const keptFrom = useKeptFrom();
  return (port) => {
    const user = userOf(port);
    return keptFrom(port) ?? (user === 'router' || user === 'dhcp' || user === 'floating' ? t('ports.used', { user: t(`portUsers.${user}`) }) : undefined);
  };
}

/** Ports, on the page of what they belong to. */
export function PortsPart({ ports, empty, create, edit }: Props) {
  const { t } = useTranslation();
  const servers = useServers();
  const keptPort = useKeptPort();
  return (
    <PartTable<Port>
      title={t('pages.ports')}
      items={ports}
      keyOf={({ id }) => id}
      labelOf={called}
      empty={empty ?? t('ports.empty')}
      columns={[
        { id: 'name', header: t('fields.name'), cell: (port) => <PageLink to={`/ports/${port.id}`}>{called(port)}</PageLink> },
        { id: 'addresses', header: t('net.addresses'), cell: ({ fixed_ips }) => fixed_ips.map(({ ip_address }) => ip_address).join(', ') || '-' },
        { id: 'user', header: t('ports.user'), cell: (port) => <PortUser port={port} among={servers.data ?? []} /> },
        { id: 'status', header: t('fields.status'), cell: ({ status }) => <Status status={status} /> },
      ]}
      {...(create && { create })}
      {...(edit && { edit: { label: t('net.edit'), form: edit } })}
      {...(edit && { remove: { label: t('delete'), run: ({ id }: Port) => remove('ports', id), touches: [portsQuery.queryKey], kept: keptPort } })}
    />
  );
}
