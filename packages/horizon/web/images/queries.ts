import { queryOptions } from '@tanstack/react-query';
import { allOf, type Answer, api, type Row } from '../api/client.ts';
import type { Change } from './patch.ts';

/** An image as glance's v2 shows it; its own properties stand beside these. `size` in bytes, `min_disk` in GiB, `min_ram` in MiB. */
export type Image = Row<'glance.image.list'>;

const IMAGES = '/v2/images';
const pathOf = (id: string, rest = ''): string => `${IMAGES}/${encodeURIComponent(id)}${rest}`;

/** What servers and volumes can be made from. */
export const imagesQuery = queryOptions({
  queryKey: ['images'],
  queryFn: ({ signal }) => allOf<'glance.image.list'>('image', IMAGES, 'images', signal),
});

/** The same with those that are kept out of lists. */
export const allImagesQuery = queryOptions({
  queryKey: ['images', 'all'],
  queryFn: async ({ signal }) =>
    (await Promise.all([IMAGES, `${IMAGES}?os_hidden=true`].map((path) => allOf<'glance.image.list'>('image', path, 'images', signal)))).flat(),
});

/** Images that other projects share with this one, and that it has not answered yet. */
export const offeredImagesQuery = queryOptions({
  queryKey: ['images', 'offered'],
  queryFn: ({ signal }) => allOf<'glance.image.list'>('image', `${IMAGES}?visibility=shared&member_status=pending`, 'images', signal),
});

export const imageQuery = (id: string) =>
  queryOptions({ queryKey: ['image', id], queryFn: ({ signal }) => api<'glance.image.get'>('image', pathOf(id), { signal }) });

export const membersQuery = (id: string) =>
  queryOptions({
    queryKey: ['image', id, 'members'],
    queryFn: async ({ signal }) => (await api<'glance.member.list'>('image', pathOf(id, '/members'), { signal })).members,
  });

const RUNNING = new Set(['pending', 'processing']);
/** The imports of an image. No event tells how far they are, so that running ones are asked for each second. */
export const imageTasksQuery = (id: string) =>
  queryOptions({
    queryKey: ['image', id, 'tasks'],
    queryFn: async ({ signal }) => (await api<'glance.image.tasks'>('image', pathOf(id, '/tasks'), { signal })).tasks,
    refetchInterval: ({ state }) => (state.data?.some(({ status }) => RUNNING.has(status)) === true ? 1_000 : false),
  });

export const imageKeys = (id: string): readonly (readonly unknown[])[] => [['images'], ['image', id]];

export const createImage = (image: Readonly<Record<string, unknown>>): Promise<Answer<'glance.image.create'>> =>
  api<'glance.image.create'>('image', IMAGES, { method: 'POST', body: image });
export const deleteImage = (id: string): Promise<unknown> => api('image', pathOf(id), { method: 'DELETE' });
export const changeImage = (id: string, changes: readonly Change[]): Promise<unknown> =>
  api('image', pathOf(id), { method: 'PATCH', body: changes, headers: { 'content-type': 'application/openstack-images-v2.1-json-patch' } });
export const importImage = (id: string, uri: string): Promise<unknown> =>
  api('image', pathOf(id, '/import'), { method: 'POST', body: { method: { name: 'web-download', uri } } });
export const deactivateImage = (id: string): Promise<unknown> => api('image', pathOf(id, '/actions/deactivate'), { method: 'POST' });
export const reactivateImage = (id: string): Promise<unknown> => api('image', pathOf(id, '/actions/reactivate'), { method: 'POST' });
export const shareImage = (id: string, projectId: string): Promise<unknown> =>
  api('image', pathOf(id, '/members'), { method: 'POST', body: { member: projectId } });
export const unshareImage = (id: string, projectId: string): Promise<unknown> =>
  api('image', pathOf(id, `/members/${encodeURIComponent(projectId)}`), { method: 'DELETE' });
export const answerShare = (id: string, projectId: string, status: 'accepted' | 'rejected'): Promise<unknown> =>
  api('image', pathOf(id, `/members/${encodeURIComponent(projectId)}`), { method: 'PUT', body: { status } });
