import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDialog } from '../parts/form-dialog.tsx';
import { ListPage } from '../parts/list-page.tsx';
import type { Column } from '../parts/resource-table.tsx';
import { Status } from '../parts/status.tsx';
import { Time } from '../parts/time.tsx';
import { useSession } from '../session/session.ts';
import {
  changeVolumeGroup,
  createGroupType,
  createVolumeGroup,
  deleteVolumeGroup,
  groupTypesQuery,
  type VolumeGroup,
  volumeGroupsQuery,
} from './group-queries.ts';
import { useVolumeTypes, volumesQuery } from './queries.ts';

const TOUCHES = [volumeGroupsQuery.queryKey, volumesQuery.queryKey];

/** Groups of volumes whose copies are taken at the same moment. */
export function VolumeGroupsPage() {
  const { t } = useTranslation();
  const isAdmin = useSession().session.roles.includes('admin');
  const groupTypes = useQuery(groupTypesQuery);
  const types = useVolumeTypes();
  const volumes = useQuery(volumesQuery);
  const columns = useMemo<readonly Column<VolumeGroup>[]>(
    () => [
      { id: 'name', header: t('fields.name'), value: ({ name, id }) => name || id },
      { id: 'status', header: t('fields.status'), value: ({ status }) => status, cell: ({ status }) => <Status status={status} /> },
      {
        id: 'volumes',
        header: t('pages.volumes'),
        value: ({ id }) => (volumes.data ?? []).flatMap((volume) => (volume.group_id === id ? [volume.name || volume.id] : [])).join(', '),
      },
      {
        id: 'types',
        header: t('volumes.types'),
        value: ({ volume_types }) => volume_types.map((each) => types.find(({ id }) => id === each)?.name ?? each).join(', '),
        shown: false,
      },
      { id: 'description', header: t('fields.description'), value: ({ description }) => description ?? '' },
      { id: 'zone', header: t('fields.zone'), value: ({ availability_zone }) => availability_zone ?? '' },
      { id: 'created', header: t('fields.created'), value: ({ created_at }) => created_at, cell: ({ created_at }) => <Time at={created_at} /> },
      { id: 'id', header: t('fields.id'), value: ({ id }) => id, shown: false },
    ],
    [t, volumes.data, types],
  );
  return (
    <ListPage
      name="volume-groups"
      title={t('pages.volume-groups')}
      query={volumeGroupsQuery}
      columns={columns}
      keyOf={({ id }) => id}
      labelOf={({ name, id }) => name || id}
      remove={deleteVolumeGroup}
      empty={{ title: t('volumes.noGroups'), text: t('volumes.groupsHelp') }}
      create={{
        label: t('volumes.createGroup'),
        form: (close) => <CreateGroup close={close} />,
        reason: groupTypes.data?.length === 0 ? t('volumes.noGroupTypes') : undefined,
      }}
      more={isAdmin ? [{ label: t('volumes.createGroupType'), form: (close) => <CreateGroupType close={close} /> }] : []}
      edit={{ label: t('net.edit'), form: (group, close) => <EditGroup group={group} close={close} /> }}
    />
  );
}

function CreateGroup({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  const { data: groupTypes } = useQuery(groupTypesQuery);
  const types = useVolumeTypes();
  // what is offered first is known before the form begins
  if (groupTypes === undefined) return null;
  return (
    <FormDialog
      title={t('volumes.createGroup')}
      confirm={t('create')}
      close={close}
      touches={TOUCHES}
      fields={{
        name: { kind: 'text', label: t('fields.name'), required: true },
        groupType: {
          kind: 'choice',
          label: t('volumes.groupType'),
          initial: groupTypes[0]?.id,
          options: groupTypes.map(({ id, name, description }) => ({ value: id, label: name, ...(description ? { description } : {}) })),
        },
        types: {
          kind: 'choices',
          label: t('volumes.types'),
          help: t('volumes.groupVolumeTypesHelp'),
          required: true,
          options: types.map(({ id, name }) => ({ value: id, label: name })),
        },
        description: { kind: 'text', label: t('fields.description') },
      }}
      send={({ name, groupType, types: chosen, description }) =>
        createVolumeGroup({ name, group_type: groupType, volume_types: chosen, ...(description !== '' && { description }) })
      }
    />
  );
}

function EditGroup({ group, close }: { readonly group: VolumeGroup; readonly close: () => void }) {
  const { t } = useTranslation();
  const { data: volumes } = useQuery(volumesQuery);
  const types = useVolumeTypes();
  if (volumes === undefined) return null;
  const served = new Set(types.filter(({ id }) => group.volume_types.includes(id)).map(({ name }) => name));
  const inside = volumes.filter(({ group_id }) => group_id === group.id).map(({ id }) => id);
  return (
    <FormDialog
      title={t('net.edit')}
      confirm={t('save')}
      edits
      close={close}
      touches={TOUCHES}
      fields={{
        name: { kind: 'text', label: t('fields.name'), initial: group.name },
        description: { kind: 'text', label: t('fields.description'), initial: group.description },
        volumes: {
          kind: 'choices',
          label: t('pages.volumes'),
          help: t('volumes.groupVolumesHelp'),
          initial: inside,
          options: volumes
            .filter(({ id, group_id, volume_type }) => inside.includes(id) || (group_id === null && served.has(volume_type ?? '')))
            .map(({ id, name, status }) => ({ value: id, label: name || id, description: status })),
        },
      }}
      send={(_values, { volumes: wanted, ...names }) =>
        changeVolumeGroup(group.id, {
          ...names,
          ...(wanted && {
            add_volumes: wanted.filter((id) => !inside.includes(id)).join(','),
            remove_volumes: inside.filter((id) => !wanted.includes(id)).join(','),
          }),
        })
      }
    />
  );
}

function CreateGroupType({ close }: { readonly close: () => void }) {
  const { t } = useTranslation();
  return (
    <FormDialog
      title={t('volumes.createGroupType')}
      confirm={t('create')}
      close={close}
      touches={[groupTypesQuery.queryKey]}
      fields={{
        name: { kind: 'text', label: t('fields.name'), required: true },
        description: { kind: 'text', label: t('fields.description') },
        consistent: { kind: 'check', label: t('volumes.consistent'), help: t('volumes.consistentHelp'), initial: true },
      }}
      send={({ name, description, consistent }) => createGroupType(name, description, consistent)}
    />
  );
}
