import { activity } from '../api/activity.ts';
import { PAGE_HEADERS } from '../api/client.ts';
import { ApiError, messageOf } from '../api/errors.ts';
import { doorTo } from '../api/region.ts';
import { download } from '../parts/download.ts';
import type { Image } from './queries.ts';

/** Gives the reader an image's data as a file. The browser keeps what is long on its disk; a plain link cannot be used, since it cannot send the page's header. */
export async function downloadImage({ id, name, disk_format: format }: Pick<Image, 'id' | 'name' | 'disk_format'>): Promise<void> {
  const path = `/v2/images/${encodeURIComponent(id)}/file`;
  const from = performance.now();
  const end = activity.begin({ service: 'image', method: 'GET', path, body: undefined, headers: {}, startedAtMs: Date.now() });
  const response = await fetch(`${doorTo('image')}${path}`, { headers: PAGE_HEADERS, credentials: 'same-origin' });
  const requestId = response.headers.get('x-openstack-request-id') ?? undefined;
  const data = await response.blob();
  end({ status: response.status, milliseconds: performance.now() - from, requestId });
  if (!response.ok) throw new ApiError(response.status, messageOf(await data.text(), response.status), requestId);
  // what a file system would take for a path is no part of a name
  download(`${(name || id).replaceAll(/[/\\\p{Cc}]/gu, '_')}.${format ?? 'img'}`, data, 'application/octet-stream');
}
