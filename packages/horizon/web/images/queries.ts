import { queryOptions } from '@tanstack/react-query';
import { allOf } from '../api/client.ts';

export interface Image {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly visibility: string;
  readonly disk_format: string | null;
  readonly container_format: string | null;
  readonly size: number | null;
  readonly min_disk: number;
  readonly min_ram: number;
  readonly protected: boolean;
  readonly owner: string | null;
  readonly created_at: string;
}

export const imagesQuery = queryOptions({
  queryKey: ['images'],
  queryFn: ({ signal }) => allOf<Image>('image', '/v2/images', 'images', signal),
});
