import { queryOptions } from '@tanstack/react-query';
import { allOf, api } from '../api/client.ts';
import type { Change } from './patch.ts';

/** An image as glance's v2 shows it; its own properties stand beside these. */
export interface Image {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly visibility: string;
  readonly disk_format: string | null;
  readonly container_format: string | null;
  /** Bytes. */
  readonly size: number | null;
  readonly virtual_size?: number | null;
  /** GiB. */
  readonly min_disk: number;
  /** MiB. */
  readonly min_ram: number;
  readonly protected: boolean;
  readonly os_hidden: boolean;
  readonly owner: string | null;
  readonly checksum: string | null;
  readonly os_hash_algo?: string | null;
  readonly os_hash_value?: string | null;
  readonly tags: readonly string[];
  readonly created_at: string;
  readonly updated_at: string;
}

interface Member {
  readonly member_id: string;
  readonly status: string;
  readonly updated_at: string;
}

interface ImageTask {
  readonly id: string;
  readonly status: string;
  readonly message: string | null;
  readonly created_at: string;
  readonly updated_at: string;
}

const IMAGES = '/v2/images';
const pathOf = (id: string, rest = ''): string => `${IMAGES}/${encodeURIComponent(id)}${rest}`;

/** What servers and volumes can be made from. */
export const imagesQuery = queryOptions({
  queryKey: ['images'],
  queryFn: ({ signal }) => allOf<Image>('image', IMAGES, 'images', signal),
});

/** The same with those that are kept out of lists. */
export const allImagesQuery = queryOptions({
  queryKey: ['images', 'all'],
  queryFn: async ({ signal }) => (await Promise.all([IMAGES, `${IMAGES}?os_hidden=true`].map((path) => allOf<Image>('image', path, 'images', signal)))).flat(),
});

/** Images that other projects share with this one, and that it has not answered yet. */
export const offeredImagesQuery = queryOptions({
  queryKey: ['images', 'offered'],
  queryFn: ({ signal }) => allOf<Image>('image', `${IMAGES}?visibility=shared&member_status=pending`, 'images', signal),
});

export const imageQuery = (id: string) =>
  queryOptions({ queryKey: ['image', id], queryFn: ({ signal }) => api<Image & Readonly<Record<string, unknown>>>('image', pathOf(id), { signal }) });

export const membersQuery = (id: string) =>
  queryOptions({
    queryKey: ['image', id, 'members'],
    queryFn: async ({ signal }) => (await api<{ members: Member[] }>('image', pathOf(id, '/members'), { signal })).members,
  });

const RUNNING = new Set(['pending', 'processing']);
/** The imports of an image. No event tells how far they are, so that running ones are asked for each second. */
export const imageTasksQuery = (id: string) =>
  queryOptions({
    queryKey: ['image', id, 'tasks'],
    queryFn: async ({ signal }) => (await api<{ tasks: ImageTask[] }>('image', pathOf(id, '/tasks'), { signal })).tasks,
    refetchInterval: ({ state }) => (state.data?.some(({ status }) => RUNNING.has(status)) === true ? 1_000 : false),
  });

export const imageKeys = (id: string): readonly (readonly unknown[])[] => [['images'], ['image', id]];

export const createImage = (image: Readonly<Record<string, unknown>>): Promise<Image> => api('image', IMAGES, { method: 'POST', body: image });
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
