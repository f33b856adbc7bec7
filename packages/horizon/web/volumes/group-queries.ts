import { queryOptions } from '@tanstack/react-query';
import { allOf, api, type Row } from '../api/client.ts';

export type VolumeGroup = Row<'cinder.group.list-detail'>;

const GROUPS = '/v3/groups';
const pathOf = (id: string): string => `${GROUPS}/${encodeURIComponent(id)}`;
/** The API before groups keeps this type to itself. */
const RESERVED = 'default_cgsnapshot_type';

export const volumeGroupsQuery = queryOptions({
  queryKey: ['volume-groups'],
  queryFn: ({ signal }) => allOf<'cinder.group.list-detail'>('volume', `${GROUPS}/detail`, 'groups', signal),
});

/** The types of groups that can be made. */
export const groupTypesQuery = queryOptions({
  queryKey: ['volume-group-types'],
  queryFn: async ({ signal }) =>
    (await api<'cinder.group-type.list'>('volume', '/v3/group_types', { signal })).group_types.filter(({ name }) => name !== RESERVED),
});

export const createVolumeGroup = (group: Readonly<Record<string, unknown>>): Promise<unknown> => api('volume', GROUPS, { method: 'POST', body: { group } });
export const changeVolumeGroup = (id: string, group: Readonly<Record<string, unknown>>): Promise<unknown> =>
  api('volume', pathOf(id), { method: 'PUT', body: { group } });
export const deleteVolumeGroup = (id: string): Promise<unknown> =>
  api('volume', `${pathOf(id)}/action`, { method: 'POST', body: { delete: { 'delete-volumes': false } } });

/** A type of groups; the snapshots of a consistent one's volumes are of the same moment. */
export const createGroupType = (name: string, description: string, consistent: boolean): Promise<unknown> =>
  api('volume', '/v3/group_types', {
    method: 'POST',
    body: {
      group_type: {
        name,
        ...(description !== '' && { description }),
        ...(consistent && { group_specs: { consistent_group_snapshot_enabled: '<is> True' } }),
      },
    },
  });
