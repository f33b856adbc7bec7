import { useTranslation } from 'react-i18next';
import { pageOfUser, userOf } from '../ports/model.ts';
import { PageLink } from '../parts/page-link.tsx';
import { called, type Port } from './queries.ts';

/** A link to the page of an object, by its name where that is known. */
export function ObjectLink({
  page,
  id,
  among,
}: {
  readonly page: string;
  readonly id: string | null;
  readonly among: readonly { readonly id: string; readonly name: string }[] | undefined;
}) {
  if (id === null || id === '') return '-';
  return <PageLink to={`${page}/${id}`}>{called(among?.find((each) => each.id === id) ?? { id })}</PageLink>;
}

/** What uses a port, linked where it has a page. */
export function PortUser({
  port,
  among,
}: {
  readonly port: Pick<Port, 'device_owner' | 'device_id'>;
  readonly among: readonly { readonly id: string; readonly name: string }[];
}) {
  const { t } = useTranslation();
  const user = userOf(port);
  const page = pageOfUser(port);
  const words = user === 'other' ? port.device_owner || port.device_id : t(`portUsers.${user}`);
  return page === undefined ? (
    words
  ) : (
    <PageLink to={page}>{`${words} ${called(among.find(({ id }) => id === port.device_id) ?? { id: port.device_id })}`}</PageLink>
  );
}
