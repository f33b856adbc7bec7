import { type UseQueryResult, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { Bulk } from '../parts/bulk.tsx';
import { FormDialog } from '../parts/form-dialog.tsx';
import { PageLink } from '../parts/page-link.tsx';
import { type Column, ResourceTable } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { volumesQuery } from './queries.ts';

/** What was copied of a volume: a snapshot, or a backup. */
interface Copy {
  readonly id: string;
  readonly name: string | null;
  readonly description: string | null;
  readonly status: string;
  readonly volume_id: string;
  /** GiB, of the volume. */
  readonly size: number;
  readonly created_at: string;
}

interface Props<T> {
  /** Under this name the browser keeps the columns. */
  readonly name: string;
  readonly title: string;
  readonly empty: { readonly title: string; readonly text: string };
  readonly all: UseQueryResult<readonly T[]>;
  /** Those of one volume, as a part of its page; all of them as a page of their own when absent. */
  readonly volumeId: string | undefined;
  /** Columns besides those that all copies have, before and behind that of the volume. */
  readonly before?: readonly Column<T>[];
  readonly behind: readonly Column<T>[];
  readonly actions: (selected: readonly T[]) => ReactNode;
}

/** Copies of all volumes as a page, or of one volume as a part of its page. */
export function CopyTable<T extends Copy>({ name, title, empty, all, volumeId, before, behind, actions }: Props<T>) {
  const { t } = useTranslation();
  const { data: volumes } = useQuery(volumesQuery);
  const columns = useMemo<readonly Column<T>[]>(() => {
    const names = new Map(volumes?.map((volume) => [volume.id, volume.name]));
    const volumeOf = ({ volume_id }: T): string => names.get(volume_id) || volume_id;
    return [
      { id: 'name', header: t('fields.name'), value: nameOf },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      { id: 'size', header: t('fields.sizeGb'), value: ({ size }) => size },
      ...(before ?? []),
      {
        id: 'volume',
        header: t('fields.volume'),
        value: volumeOf,
        cell: (copy) => <PageLink to={`/volumes/${copy.volume_id}`}>{volumeOf(copy)}</PageLink>,
        shown: volumeId === undefined,
      },
      ...behind,
      { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ];
  }, [t, volumes, volumeId, before, behind]);
  const rows = useMemo(() => (volumeId === undefined ? all : { ...all, data: all.data?.filter((copy) => copy.volume_id === volumeId) }), [all, volumeId]);
  return (
    <ResourceTable
      inner={volumeId !== undefined}
      name={volumeId === undefined ? name : `volume-${name}`}
      title={title}
      rows={rows}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={nameOf}
      actions={actions}
      empty={empty}
    />
  );
}

const nameOf = ({ name, id }: Pick<Copy, 'name' | 'id'>): string => name || id;

/** Edits name and description of a copy, and `metadata` where it has any. */
export function EditCopy({
  copy,
  metadata,
  send,
  touches,
  close,
}: {
  readonly copy: Copy;
  readonly metadata?: Readonly<Record<string, string>>;
  /** Sends what was changed. */
  readonly send: (changes: Readonly<Record<string, unknown>>) => Promise<unknown>;
  readonly touches: readonly unknown[];
  readonly close: () => void;
}) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('volumes.title.edit', { name: nameOf(copy) })}
      confirm={t('form.save')}
      edits
      close={close}
      touches={[touches]}
      fields={{
        name: { kind: 'text', label: t('fields.name'), initial: copy.name },
        description: { kind: 'text', label: t('fields.description'), initial: copy.description },
        ...(metadata !== undefined && { metadata: { kind: 'pairs', label: t('fields.metadata'), initial: metadata } }),
      }}
      send={(_values, changes) => send(changes)}
    />
  );
}

/** Asks before copies are deleted. */
export function DeleteCopies({
  copies,
  remove,
  touches,
  close,
}: {
  readonly copies: readonly Copy[];
  readonly remove: (id: string) => Promise<unknown>;
  readonly touches: readonly unknown[];
  readonly close: () => void;
}) {
  const { t } = useTranslation();
  const queries = useQueryClient();
  return (
    <Bulk
      title={t('deleteTitle', { count: copies.length })}
      text={t('deleteText')}
      confirm={t('delete')}
      items={copies.map((copy) => ({ id: copy.id, name: nameOf(copy) }))}
      run={({ id }) => remove(id)}
      onEnd={() => {
        close();
        void queries.invalidateQueries({ queryKey: touches });
      }}
    />
  );
}
